import { assertEquals } from "@std/assert";
import { formatProgress, type ReadProgress } from "../../../src/cli/read_progress.ts";

const CASES: { progress: ReadProgress; expected: string }[] = [
  {
    progress: { bytes: 120e6, totalBytes: 300e6, packets: 1_200_000, elapsedMs: 1_000 },
    expected: "120 MB of 300 MB, 1.2 M packets/s, 2 s left",
  },
  {
    progress: { bytes: 1_500, totalBytes: undefined, packets: 10, elapsedMs: 500 },
    expected: "1.5 kB, 20 packets/s",
  },
  {
    progress: { bytes: 0, totalBytes: 10, packets: 0, elapsedMs: 0 },
    expected: "0 B, 0 packets/s",
  },
  {
    // More than the largest unit.
    progress: { bytes: 5e15, totalBytes: undefined, packets: 1, elapsedMs: 1_000 },
    expected: "5000 TB, 1 packets/s",
  },
  {
    // A file that grew meanwhile.
    progress: { bytes: 20e9, totalBytes: 10e9, packets: 5_000, elapsedMs: 1_000 },
    expected: "20 GB of 10 GB, 5.0 k packets/s, 0 s left",
  },
];

for (const { progress, expected } of CASES) {
  Deno.test(`formatProgress writes "${expected}"`, () => {
    assertEquals(formatProgress(progress), expected);
  });
}
