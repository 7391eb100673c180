import { assert, assertEquals } from "@std/assert";
import { boundClocks } from "../../../../src/cli/bound_clocks.ts";
import { BothSeen } from "../../../../src/output/report/both_seen.ts";
import { makeHandshake } from "../../record/sample_handshakes.ts";

const AHEAD_NS = 7_000_000;
const AT_NS = 1_700_000_000_000_000_000n;

/** What an end tells of a handshake. The server's clock is 7 ms ahead, the ways take some 300 and 200 µs. */
function told(role: "client" | "server", at: number, isn = at * 7_919) {
  const [there, back] = [300_000 + (at * 37) % 90_000, 200_000 + (at * 53) % 70_000];
  const rttNs = there + back + 10_000;
  const times = role === "client"
    ? { synNs: 0, synAckNs: rttNs, ackNs: rttNs + 5_000, clientRttNs: rttNs }
    : { synNs: 0, synAckNs: 10_000, ackNs: rttNs + 5_000, clientRttNs: 10_000 };
  return makeHandshake({
    ...{ role, outcome: "established", synCount: 1, synAckCount: 1, wire: true, ...times },
    epochSeconds: Number(AT_NS / 1_000_000_000n),
    timeNs: at * 10_000_000 + (role === "server" ? there + AHEAD_NS : 0),
    client: { address: "10.0.0.1", port: 7, isn },
    server: { address: "10.0.0.2", port: 80, isn: isn ^ 0x5555 },
  });
}

Deno.test("BothSeen bounds the clocks of two hosts by what both told in a minute", () => {
  const seen = new BothSeen();
  for (const role of ["client", "server"] as const) {
    for (let at = 0; at < 50; at++) seen.take(told(role, at), role);
  }
  const delays = seen.delays("client", "server", AT_NS);
  assertEquals(delays.length, 3 * 50);
  const { offsetNs, uncertaintyNs } = boundClocks(delays)!;
  assert(Math.abs(offsetNs - AHEAD_NS) <= uncertaintyNs, `${offsetNs} ± ${uncertaintyNs}`);
  assert(uncertaintyNs < 300_000, String(uncertaintyNs));
  // The other way round, and of another minute or host.
  const turned = boundClocks(seen.delays("server", "client", AT_NS))!;
  assert(Math.abs(turned.offsetNs + AHEAD_NS) <= turned.uncertaintyNs, String(turned.offsetNs));
  assertEquals(seen.delays("client", "server", AT_NS + 60_000_000_000n), []);
  assertEquals(seen.delays("client", "other", AT_NS), []);
});

Deno.test("BothSeen remembers few of many, the same ones of both hosts", () => {
  const seen = new BothSeen(64);
  for (const role of ["client", "server"] as const) {
    for (let at = 0; at < 5_000; at++) seen.take(told(role, at), role);
  }
  const delays = seen.delays("client", "server", AT_NS);
  assert(delays.length >= 3 * 8 && delays.length <= 3 * 64, String(delays.length));
  const { offsetNs, uncertaintyNs } = boundClocks(delays)!;
  assert(Math.abs(offsetNs - AHEAD_NS) <= uncertaintyNs, `${offsetNs} ± ${uncertaintyNs}`);
});

Deno.test("BothSeen is bounded also where one number is that of all", () => {
  const seen = new BothSeen(16);
  for (let at = 0; at < 200; at++) {
    const { server } = told("client", at);
    seen.take({ ...told("client", 1, 7), server }, "client");
  }
  assert(seen.size <= 16, String(seen.size));
});
