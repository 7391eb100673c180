import { assert, assertEquals } from "@std/assert";
import { namespaceTest } from "./namespace.ts";
import { soak } from "./soak.ts";

/** Long enough for the runtime's heap to have its size; `deno task soak` goes on for longer. */
const DURATION_MS = 60_000;

await namespaceTest(
  "trace reports everything once while a cable flaps, its reader stops and bpftrace is killed",
  async () => {
    const { cycles, findings, summary } = await soak(DURATION_MS, () => {});
    assertEquals(findings, []);
    assert(cycles >= 2);
    // Both halves were seen: with the kernel's side and without it.
    assert(summary.by_evidence.both > 0);
    assert(summary.by_evidence.wire_only > 0);
  },
);
