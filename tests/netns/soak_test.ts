import { assert, assertEquals } from "@std/assert";
import { namespaceTest } from "./namespace.ts";
import { soak } from "./soak.ts";

/** Two cycles at the least, and on a fast machine some more; `deno task soak` goes on for longer. */
const DURATION_MS = 10_000;

await namespaceTest(
  "trace reports everything once while a cable flaps, its reader stops and bpftrace is killed",
  async () => {
    const { cycles, findings, summary } = await soak(DURATION_MS, () => {});
    assertEquals(findings, []);
    assert(cycles >= 2);
    // Both halves were seen: with the kernel's side and without it.
    assert(summary.evidence.both > 0);
    assert(summary.evidence.wire_only > 0);
  },
);
