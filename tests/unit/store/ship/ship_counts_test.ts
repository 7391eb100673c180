import { assertEquals } from "@std/assert";
import {
  describeLag,
  describeLosses,
  describeShipped,
  formatBytes,
  noCounts,
} from "../../../../src/store/ship/ship_counts.ts";

Deno.test("describeShipped and describeLag say what was done and what waits", () => {
  assertEquals(
    describeShipped({ ...noCounts(), acknowledged: 1, bytes: 999 }),
    "shipped 1 record (999 B)",
  );
  const nothing = { pendingRecords: 0, bytes: 0, records: 0, seconds: 0 };
  assertEquals(describeLag(nothing), "nothing waits");
  assertEquals(
    describeLag({ pendingRecords: 5, bytes: 14_200_000, records: 1_200, seconds: 75.4 }),
    "about 1200 records, 14.2 MB wait, 75 s behind",
  );
  assertEquals(
    describeLag({ ...nothing, bytes: 14_200, records: undefined, seconds: undefined }),
    "14.2 kB wait",
  );
});

Deno.test("describeLosses says nothing where nothing was lost, else a sentence each", () => {
  assertEquals(describeLosses(noCounts()), []);
  assertEquals(
    describeLosses({
      ...noCounts(),
      ...{ refused: 1, others: 2, missing: 3, removedSegments: 1, removedBytes: 1_500 },
    }),
    [
      "left out: 1 line, torn or no records",
      "left out: 2 lines of other kinds",
      "lost: 3 records that were removed from the store before they were shipped",
      "lost: 1 segment removed before all of it was shipped, with 1.5 kB left",
    ],
  );
});

Deno.test("formatBytes has one unit and three digits", () => {
  const cases = [[0, "0 B"], [1_000, "1.0 kB"], [999_900, "999.9 kB"], [2_500_000_000, "2.50 GB"]];
  for (const [bytes, text] of cases) assertEquals(formatBytes(bytes as number), text);
});
