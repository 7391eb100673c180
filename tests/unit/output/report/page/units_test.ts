import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatShare as formatShareOfTool } from "../../../../../src/output/columns.ts";
import {
  formatCount,
  formatDuration,
  formatMoment,
  formatMoments,
  formatShare,
  formatWidth,
} from "../../../../../src/output/report/page/units.js";
import { formatDuration as formatDurationOfTool } from "../../../../../src/text/time.ts";

Deno.test("a page writes durations and shares as this tool does everywhere", () => {
  fc.assert(fc.property(fc.nat({ max: 1e12 }), fc.nat({ max: 1_000 }), (ns, part) => {
    assertEquals(formatDuration(ns), formatDurationOfTool(ns));
    assertEquals(formatShare(part, 1_000), formatShareOfTool(part, 1_000));
  }));
  assertEquals([formatDuration(undefined), formatShare(0, 0)], ["–", "–"]);
});

Deno.test("a page writes numbers with commas, and how long a piece of time is", () => {
  assertEquals(formatCount(1_234_567), "1,234,567");
  assertEquals([1, 500, 30_000, 600_000, 3_600_000, 86_400_000, 864_000_000].map(formatWidth), [
    ...["1 ms", "500 ms", "30 s", "10 min", "1 h", "1 day", "10 days"],
  ]);
});

Deno.test("a page writes moments with the digits that they have", () => {
  const ms = Date.UTC(2026, 10, 23, 8, 5, 30);
  assertEquals(formatMoment(ms, false), "2026-11-23 08:05:30.000");
  assertEquals(formatMoments([ms, ms + 30_000], false, false), ["08:05:30", "08:06:00"]);
  assertEquals(formatMoments([ms + 30_000], false, true), ["2026-11-23 08:06"]);
  assertEquals(formatMoments([ms + 1], false, false), ["08:05:30.001"]);
  const offsetMs = new Date(ms).getTimezoneOffset() * 60_000;
  assertEquals(formatMoment(ms + offsetMs, true), "2026-11-23 08:05:30.000");
});
