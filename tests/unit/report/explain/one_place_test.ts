import { assertEquals } from "@std/assert";
import { choosePlace } from "../../../../src/report/explain/one_place.ts";
import { CONVERSATIONS, seenPackets } from "./build_conversation.ts";

const PACKETS = seenPackets(CONVERSATIONS.twoPlaces);

const CASES: { name: string; place: number; times: number[]; copies: [number, number][] }[] = [
  { name: "the place that counts", place: 1, times: [0, 100, 150], copies: [[2, 2]] },
  // The ACK was seen at the other place alone.
  { name: "the other place", place: 2, times: [10, 90, 150], copies: [[1, 2]] },
  { name: "where each was seen first", place: 0, times: [0, 90, 150], copies: [[2, 1], [1, 1]] },
];

for (const { name, place, times, copies } of CASES) {
  Deno.test(`choosePlace takes packets of ${name}`, () => {
    const chosen = choosePlace(PACKETS, place);
    assertEquals(chosen.packets.map(({ timeNs }) => timeNs), times);
    assertEquals([...chosen.copies], copies);
  });
}

Deno.test("choosePlace keeps what was sent twice, and orders by time", () => {
  const packets = seenPackets(CONVERSATIONS.ambiguous);
  const chosen = choosePlace(packets.toReversed(), 1);
  assertEquals(chosen.packets, packets);
  assertEquals(chosen.copies.size, 0);
});
