import { assert, assertEquals } from "@std/assert";
import { SKIP_MARK } from "../junit_report.ts";
import { namespaceTest } from "./namespace.ts";
import { soak } from "./soak.ts";

/** Long enough for the runtime's heap to have its size; `deno task soak` goes on for longer. */
const DURATION_MS = 60_000;

await namespaceTest(
  "trace reports everything once while interfaces, its reader, its files and bpftrace fail it",
  async (context) => {
    const { cycles, traces, leftOut, findings } = await soak(DURATION_MS, () => {});
    assertEquals(findings, []);
    assert(cycles >= 2);
    for (const { fault, reason } of leftOut) {
      await context.step({ name: fault + SKIP_MARK + reason, ignore: true, fn: () => {} });
    }
    for (const { summary } of traces) {
      // Both were seen: with the kernel's side and without it.
      assert(summary.by_evidence.both > 0);
      assert(summary.by_evidence.wire_only > 0);
    }
  },
);
