import { assertEquals } from "@std/assert";
import { StrayAnswers } from "../../../src/match/stray_answers.ts";
import { parseAddress } from "../../../src/wire/address.ts";
import { Segment } from "../../../src/wire/segment.ts";

const MS = 1e6;

function answer(sequence: number, source = "192.0.2.1", sourcePort = 60_000): Segment {
  const segment = new Segment();
  segment.source.set(parseAddress(source)!);
  segment.destination.set(parseAddress("198.51.100.2")!);
  return Object.assign(segment, {
    sourcePort,
    destinationPort: 50_000,
    sequence,
    acknowledgment: 9,
  });
}

Deno.test("StrayAnswers knows one again for a tenth of a second, before and after", () => {
  const stray = new StrayAnswers();
  assertEquals(stray.has(answer(1), 0), false);
  stray.note(answer(1), 500 * MS);
  const times = [400 * MS - 1, 400 * MS, 500 * MS, 600 * MS, 600 * MS + 1];
  assertEquals(times.map((timeNs) => stray.has(answer(1), timeNs)), [
    false,
    true,
    true,
    true,
    false,
  ]);
  const others = [answer(2), answer(1, "192.0.2.2"), answer(1, "192.0.2.1", 60_001)];
  assertEquals(others.map((other) => stray.has(other, 500 * MS)), [false, false, false]);
  stray.shiftTimes(-500 * MS);
  assertEquals([stray.has(answer(1), 0), stray.has(answer(1), 500 * MS)], [true, false]);
});

Deno.test("StrayAnswers forgets the oldest of many", () => {
  const stray = new StrayAnswers();
  for (let sequence = 0; sequence <= 64; sequence++) stray.note(answer(sequence), sequence);
  assertEquals([0, 1, 64].map((sequence) => stray.has(answer(sequence), 64)), [false, true, true]);
});
