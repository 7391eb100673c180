import { assert, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { ownFigures } from "../../../src/linux/process_figures.ts";

Deno.test("ownFigures tells what this process takes", () => {
  const before = ownFigures();
  const beginMs = performance.now();
  // Work, so that CPU time passes.
  for (let sum = 0; performance.now() - beginMs < 50;) sum += Math.sqrt(sum);
  const after = ownFigures();
  assertGreaterOrEqual(after.cpuSeconds, before.cpuSeconds + 0.005);
  assert(after.residentBytes > 1e6 && after.residentBytes < 1e11);
  assertLessOrEqual(after.startSeconds, Date.now() / 1_000);
});
