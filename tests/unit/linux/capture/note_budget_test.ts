import { assertEquals } from "@std/assert";
import { NoteBudget } from "../../../../src/linux/capture/note_budget.ts";

Deno.test("NoteBudget lets so many through in a minute and counts the others once", () => {
  const budget = new NoteBudget(3);
  const take = (nowMs: number) => budget.take(nowMs);
  assertEquals([0, 1, 2, 3, 59_999].map(take), [true, true, true, false, false]);
  assertEquals(budget.takeUntold(59_999), 0);
  assertEquals(budget.takeUntold(60_000), 2);
  assertEquals(budget.takeUntold(60_001), 0);
  assertEquals([70_000, 70_000, 129_999, 129_999, 130_000].map(take), [
    ...[true, true, true, false],
    true,
  ]);
  // At the end, however much of the minute is left.
  assertEquals(budget.takeUntold(Infinity), 1);
});
