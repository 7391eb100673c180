import { assertEquals } from "@std/assert";
import { Segment } from "../../../src/wire/segment.ts";
import { enterTunnel, Tunnel, TUNNEL_NAMES, tunnelNames } from "../../../src/wire/tunnel_names.ts";

Deno.test("TUNNEL_NAMES has each kind's name at its number", () => {
  assertEquals(Object.values(Tunnel) as number[], TUNNEL_NAMES.map((_, index) => index + 1));
});

Deno.test("enterTunnel notes five wrappings, the outermost first", () => {
  const segment = new Segment();
  const numbers = [Tunnel.ARCNET, Tunnel.IPIP, Tunnel.GRE, Tunnel.AH, Tunnel.ARCNET];
  for (const number of numbers) assertEquals(enterTunnel(segment, number), true);
  assertEquals(tunnelNames(segment.tunnels), ["arcnet", "ipip", "gre", "ah", "arcnet"]);
  assertEquals(enterTunnel(segment, Tunnel.IPIP), false);
  assertEquals(tunnelNames(segment.tunnels).length, 5);
  // What is kept in a column of small integers must be one.
  assertEquals(segment.tunnels < 2 ** 30, true);
});

Deno.test("tunnelNames of 0 is none", () => {
  assertEquals(tunnelNames(0), []);
});
