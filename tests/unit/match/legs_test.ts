import { assertEquals } from "@std/assert";
import { hostTimeNs, legNs, LEGS } from "../../../src/match/legs.ts";
import { ROLES } from "../../../src/match/handshake.ts";
import { makeHandshake } from "../record/sample_handshakes.ts";

const ENDS = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };

/** Each leg of it, for each role. */
function legsByRole(legs: { clientRttNs?: number; serverRttNs?: number; totalNs?: number }) {
  return Object.fromEntries(ROLES.map((role) => {
    const handshake = makeHandshake({ ...ENDS, role, ...legs });
    return [role, LEGS.map((leg) => legNs(handshake, leg))];
  }));
}

Deno.test("legNs takes for the network what this host has no part in", () => {
  // In the order of LEGS: network, client, server, total.
  assertEquals(legsByRole({ clientRttNs: 1_000, serverRttNs: 20, totalNs: 1_025 }), {
    client: [1_000, 1_000, 20, 1_025],
    server: [20, 1_000, 20, 1_025],
    local: [1_020, 1_000, 20, 1_025],
    observer: [1_020, 1_000, 20, 1_025],
  });
});

Deno.test("legNs knows no network leg where a part of it is unknown", () => {
  assertEquals(legsByRole({ clientRttNs: 1_000 }), {
    client: [1_000, 1_000, undefined, undefined],
    server: [undefined, 1_000, undefined, undefined],
    local: [undefined, 1_000, undefined, undefined],
    observer: [undefined, 1_000, undefined, undefined],
  });
  assertEquals(legsByRole({ serverRttNs: 20 }).server, [20, undefined, 20, undefined]);
});

Deno.test("hostTimeNs takes what the network has no part in, where one end is here", () => {
  const timeOf = (role: (typeof ROLES)[number]) =>
    hostTimeNs(makeHandshake({ ...ENDS, role, clientRttNs: 1_000, serverRttNs: 20 }));
  assertEquals(ROLES.map((role) => [role, timeOf(role)]), [
    ["client", 20],
    ["server", 1_000],
    ["local", undefined],
    ["observer", undefined],
  ]);
});
