import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { ownFigures, TraceProcessWatch, useOf } from "../../../src/linux/process_figures.ts";

Deno.test("ownFigures tells what this process takes", () => {
  const before = ownFigures();
  // To ask is work: some milliseconds of it, however long a busy machine takes to give them.
  let after = before;
  for (const beginMs = performance.now(); performance.now() - beginMs < 60_000;) {
    after = ownFigures();
    if (after.cpuSeconds >= before.cpuSeconds + 0.005) break;
  }
  assertGreaterOrEqual(after.cpuSeconds, before.cpuSeconds + 0.005);
  assert(after.residentBytes > 1e6 && after.residentBytes < 1e11);
  assertLessOrEqual(after.startSeconds, Date.now() / 1_000);
});

Deno.test("useOf knows nothing of a process that is none", () => {
  // Beyond the highest process id there can be (PID_MAX_LIMIT).
  assertEquals(useOf(2 ** 22 + 1), undefined);
});

Deno.test("TraceProcessWatch tells of this process, and of no bpftrace where none runs", () => {
  const watch = new TraceProcessWatch();
  const { synsnoop, bpftrace } = watch.look(undefined);
  assertGreaterOrEqual(synsnoop.residentBytes, 1e6);
  assertEquals(bpftrace, undefined);
  watch.lookLast(undefined);
  assertEquals(watch.look(undefined).bpftrace, undefined);
});
