import { assertEquals } from "@std/assert";
import { delaysBetween, type Moments, momentsOf } from "../../../src/explain/moments.ts";
import { makeHandshake } from "../record/sample_handshakes.ts";

const ENDS = {
  client: { address: "10.0.0.1", isn: 1 },
  server: { address: "10.0.0.2", isn: 2 },
};
const PLAIN: Parameters<typeof makeHandshake>[0] = {
  ...ENDS,
  ...{ role: "client", outcome: "established", wire: true, synCount: 1, synAckCount: 1 },
  ...{ epochSeconds: 1_700_000_000, timeNs: 5, synNs: 0, synAckNs: 100, ackNs: 120 },
};

Deno.test("momentsOf gives those of a plain handshake, by the clock of who tells it", () => {
  assertEquals(momentsOf(makeHandshake(PLAIN)), {
    isClient: true,
    clientRttNs: 100,
    synNs: 1_700_000_000_000_000_005n,
    synAckNs: 1_700_000_000_000_000_105n,
    ackNs: 1_700_000_000_000_000_125n,
  });
  assertEquals(momentsOf(makeHandshake({ ...PLAIN, role: "observer" }))?.isClient, undefined);
});

Deno.test("momentsOf gives none where a packet came twice, or not at all", () => {
  for (
    const other of [
      ...[{ synCount: 2 }, { synAckCount: 2 }, { ackNs: undefined }, { synNs: undefined }],
      { outcome: "half_open" as const },
    ]
  ) assertEquals(momentsOf(makeHandshake({ ...PLAIN, ...other })), undefined);
});

Deno.test("delaysBetween takes each packet from who sent it to who received it", () => {
  const client: Moments = {
    isClient: true,
    clientRttNs: 100,
    synNs: 0n,
    synAckNs: 100n,
    ackNs: 120n,
  };
  const server: Moments = {
    ...{ isClient: false, clientRttNs: 10, synNs: 1_040n, synAckNs: 1_050n, ackNs: 1_170n },
  };
  const expected = [[true, 1_040], [false, -950], [true, 1_050]];
  const shown = (one: Moments, other: Moments) =>
    delaysBetween(one, other).map(({ isToOther, delayNs }) => [isToOther, delayNs]);
  assertEquals(shown(client, server), expected);
  assertEquals(
    shown(server, client),
    expected.map(([isToOther, delayNs]) => [!isToOther, delayNs]),
  );
  // Of two captures the one nearer to the client waits longer for the answer.
  const unknown = (moments: Moments) => ({ ...moments, isClient: undefined });
  assertEquals(shown(unknown(client), unknown(server)), expected);
});
