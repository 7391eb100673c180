import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { TimeRange } from "../../../../../src/output/report/page/time_range.js";

const DATA = { startMs: 1_000_000, widthMs: 500, buckets: 20 };

const edges = (from?: number, to?: number) => {
  const { first, last } = new TimeRange(DATA, { from, to });
  return [first, last];
};

Deno.test("TimeRange has every piece of time that is touched, and one at least", () => {
  assertEquals(edges(), [0, 20]);
  assertEquals(edges(1_000_600, 1_001_100), [1, 3]);
  assertEquals(edges(1_000_500, 1_001_000), [1, 2]);
  assertEquals(edges(0, 5), [0, 1]);
  assertEquals(edges(9e9, 9e9 + 1), [19, 20]);
});

Deno.test("TimeRange knows what lies in it, and whether it is all", () => {
  const range = new TimeRange(DATA, { from: 1_000_500, to: 1_001_000 });
  assertEquals([1_000_499, 1_000_500, 1_000_999, 1_001_000].map((ms) => range.has(ms)), [
    ...[false, true, true, false],
  ]);
  assertEquals([range.isWhole, new TimeRange(DATA).isWhole], [false, true]);
});

Deno.test("TimeRange has round moments to write below a chart, no more than fit", () => {
  assertEquals(
    new TimeRange(DATA).ticks(5),
    [1_000_000, 1_002_000, 1_004_000, 1_006_000, 1_008_000, 1_010_000].slice(0, 6),
  );
  const spans = fc.record({
    startMs: fc.integer({ min: 0, max: 2e12 }),
    widthMs: fc.constantFrom(1, 50, 1_000, 30_000, 86_400_000),
    buckets: fc.integer({ min: 1, max: 240 }),
  });
  fc.assert(fc.property(spans, fc.integer({ min: 1, max: 12 }), (data, most) => {
    const range = new TimeRange(data);
    const ticks = range.ticks(most);
    assert(ticks.length <= most + 1, `${ticks.length} for ${most}`);
    assert(ticks.every((ms) => ms >= range.fromMs && ms <= range.toMs));
  }));
});

Deno.test("TimeRange needs the date where it is of more than one day", () => {
  const day = { startMs: 86_400_000, widthMs: 3_600_000 };
  assertEquals(new TimeRange({ ...day, buckets: 24 }).isLong, false);
  assertEquals(new TimeRange({ ...day, buckets: 25 }).isLong, true);
});
