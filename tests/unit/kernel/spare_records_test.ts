import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { newAccept, newEnd, SpareRecords } from "../../../src/kernel/spare_records.ts";

Deno.test("SpareRecords hands out again what was given back, each kind for itself", () => {
  const spare = new SpareRecords();
  const [end, accept] = [spare.takeEnd(), spare.takeAccept()];
  spare.give(accept);
  spare.give(end);
  assertStrictEquals(spare.takeEnd(), end);
  assertStrictEquals(spare.takeAccept(), accept);
  assert(spare.takeEnd() !== end);
  assert(spare.takeAccept() !== accept);
});

Deno.test("SpareRecords keeps no more than come between two looks", () => {
  const spare = new SpareRecords();
  const given = Array.from({ length: 20_000 }, () => [newEnd(), newAccept()] as const);
  for (const [end, accept] of given) {
    spare.give(end);
    spare.give(accept);
  }
  const ends = new Set(given.map(([end]) => end));
  let kept = 0;
  while (ends.has(spare.takeEnd())) kept++;
  assertEquals(kept, 8_192);
});
