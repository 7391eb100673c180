import { assertEquals } from "@std/assert";
import { formatProgress, type ReadProgress } from "../../../src/cli/read_progress.ts";

const CASES: { progress: ReadProgress; expected: string }[] = [
  {
    progress: {
      bytes: 120e6,
      totalBytes: 300e6,
      items: 1_200_000,
      held: "packets",
      elapsedMs: 1_000,
    },
    expected: "120 MB of 300 MB, 1.2 M packets/s, 2 s left",
  },
  {
    progress: { bytes: 1_500, totalBytes: undefined, items: 10, held: "packets", elapsedMs: 500 },
    expected: "1.5 kB, 20 packets/s",
  },
  {
    progress: { bytes: 0, totalBytes: 10, items: 0, held: "packets", elapsedMs: 0 },
    expected: "0 B, 0 packets/s",
  },
  {
    // More than the largest unit.
    progress: { bytes: 5e15, totalBytes: undefined, items: 1, held: "packets", elapsedMs: 1_000 },
    expected: "5000 TB, 1 packet/s",
  },
  {
    // A file that grew meanwhile.
    progress: { bytes: 20e9, totalBytes: 10e9, items: 5_000, held: "packets", elapsedMs: 1_000 },
    expected: "20 GB of 10 GB, 5.0 k packets/s, 0 s left",
  },
  {
    progress: { bytes: 5e6, totalBytes: 10e6, items: 5_000, held: "records", elapsedMs: 1_000 },
    expected: "5.0 MB of 10 MB, 5.0 k records/s, 1 s left",
  },
];

for (const { progress, expected } of CASES) {
  Deno.test(`formatProgress writes "${expected}"`, () => {
    assertEquals(formatProgress(progress), expected);
  });
}
