import { assertEquals } from "@std/assert";
import type { Handshake } from "../../../src/match/handshake.ts";
import { choosePlace } from "../../../src/explain/one_place.ts";
import { makeHandshake } from "../record/sample_handshakes.ts";
import { CLIENT, CONVERSATIONS, seenPackets, SERVER } from "./build_conversation.ts";

function seenOn(place: number): Handshake {
  return makeHandshake({ client: CLIENT, server: SERVER, place });
}

const PACKETS = seenPackets(CONVERSATIONS.twoPlaces);

const CASES: { name: string; place: number; times: number[]; copies: [number, number][] }[] = [
  { name: "the place that counts", place: 1, times: [0, 100, 150], copies: [[2, 2]] },
  // The ACK was seen at the other place alone.
  { name: "the other place", place: 2, times: [10, 90, 150], copies: [[1, 2]] },
  { name: "where each was seen first", place: 0, times: [0, 90, 150], copies: [[2, 1], [1, 1]] },
];

for (const { name, place, times, copies } of CASES) {
  Deno.test(`choosePlace takes packets of ${name}`, () => {
    const chosen = choosePlace(seenOn(place), PACKETS);
    assertEquals(chosen.packets.map(({ timeNs }) => timeNs), times);
    assertEquals([...chosen.copies], copies);
  });
}

Deno.test("choosePlace keeps what was sent twice, and orders by time", () => {
  const packets = seenPackets(CONVERSATIONS.ambiguous);
  const chosen = choosePlace(seenOn(1), packets.toReversed());
  assertEquals(chosen.packets, packets);
  assertEquals(chosen.copies.size, 0);
});

Deno.test("choosePlace knows a packet whose addresses were translated on the way", () => {
  const inside = { client: { address: "10.0.0.9", port: 5 }, server: SERVER };
  const packets = [
    ...seenPackets({ ...CONVERSATIONS.oneSided, ...inside }, 3, 2),
    ...seenPackets(CONVERSATIONS.oneSided, 0, 1),
  ];
  const translated = makeHandshake(inside);
  const chosen = choosePlace({ ...seenOn(1), translated }, packets);
  assertEquals(chosen.packets.map(({ timeNs }) => timeNs), [0, 50]);
  assertEquals([...chosen.copies], [[2, 2]]);
});
