import { assert, assertEquals } from "@std/assert";
import { Slices } from "../../../src/linux/slices.ts";

Deno.test("Slices rest gives timers their turn when a slice is over, and not before", async () => {
  let nowMs = 1_000;
  const slices = new Slices(() => nowMs);
  let turns = 0;
  const timer = setInterval(() => turns++);
  for (let round = 0; round < 3; round++) {
    nowMs += 4.9;
    const before = turns;
    await slices.rest();
    assertEquals(turns, before);
    nowMs += 0.1;
    await slices.rest();
    assert(turns > before);
  }
  clearInterval(timer);
});
