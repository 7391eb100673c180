import { assertEquals } from "@std/assert";
import { Handshake } from "../../../src/match/handshake.ts";
import { snapshot } from "./traffic.ts";

Deno.test("Handshake begins with nothing known and nothing counted", () => {
  const { client, server, ...rest } = snapshot(new Handshake());
  const known = Object.entries({ ...rest, ...client }).filter(([, value]) => value !== undefined);
  assertEquals(Object.fromEntries(known), {
    epochSeconds: 0,
    // A double from the first on.
    timeNs: -0,
    role: "observer",
    outcome: "unanswered",
    wire: false,
    kernel: false,
    ipv4: false,
    place: 0,
    interfaces: [],
    tunnels: [],
    ambiguous: false,
    synCount: 0,
    synAckCount: 0,
    rstCount: 0,
    flags: [],
    address: "::",
    port: 0,
  });
  assertEquals(server, client);
});

Deno.test("Handshake gives each end arrays of its own", () => {
  const one = new Handshake();
  const other = new Handshake();
  one.client.address[3] = 1;
  one.flags.push("ecn");
  assertEquals([one.server.address[3], other.client.address[3]], [0, 0]);
  assertEquals(other.flags, []);
});
