import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { coarseStart, Histogram } from "../../../src/pipeline/histogram.ts";

const LARGEST = Number.MAX_SAFE_INTEGER;

function fill(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

Deno.test("Histogram without values has no quantile", () => {
  const histogram = new Histogram();
  assertEquals(histogram.count, 0);
  for (const share of [0, 0.5, 1]) assertEquals(histogram.quantile(share), undefined);
});

Deno.test("Histogram is exact for one value, whatever it is", () => {
  const powers = Array.from({ length: 53 }, (_, power) => 2 ** power);
  for (const power of powers) {
    for (const value of [power - 1, power, power + 1]) {
      const histogram = fill([value]);
      assertEquals([0, 0.5, 1].map((share) => histogram.quantile(share)), [value, value, value]);
    }
  }
  assertEquals(fill([LARGEST]).quantile(0.5), LARGEST);
});

Deno.test("Histogram is exact below 128 nanoseconds", () => {
  const values = Array.from({ length: 128 }, (_, value) => value);
  const histogram = fill(values);
  assertEquals(histogram.count, 128);
  for (const value of values) assertEquals(histogram.quantile((value + 1) / 128), value);
});

Deno.test("Histogram keeps the extremes apart", () => {
  const histogram = fill([0, 0, 0, LARGEST]);
  assertEquals(histogram.quantile(0), 0);
  assertEquals(histogram.quantile(0.75), 0);
  assertEquals(histogram.quantile(0.76), LARGEST);
  assertEquals(histogram.quantile(1), LARGEST);
});

Deno.test("Histogram counts a value just below each power of two in its place", () => {
  for (let power = 7; power <= 53; power++) {
    const histogram = fill([2 ** power - 1, LARGEST]);
    // The last value of its bucket, so that the bucket's end is the value itself.
    assertEquals(histogram.quantile(0.5), 2 ** power - 1, `2^${power} - 1`);
  }
});

Deno.test("Histogram quantiles are never below the exact ones and at most 1/64 above", () => {
  const value = fc.tuple(fc.nat({ max: LARGEST }), fc.nat({ max: 52 }))
    .map(([value, halvings]) => Math.floor(value / 2 ** halvings));
  const shares = [0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1];
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 200 }), (values) => {
      const histogram = fill(values);
      const sorted = values.toSorted((a, b) => a - b);
      for (const share of shares) {
        const exact = sorted[Math.max(1, Math.ceil(share * values.length)) - 1];
        const quantile = histogram.quantile(share)!;
        assertGreaterOrEqual(quantile, exact);
        assertLessOrEqual(quantile, exact + exact / 64);
        assert(Number.isSafeInteger(quantile));
      }
      assertEquals(histogram.count, values.length);
      assertEquals(histogram.quantile(1), sorted[sorted.length - 1]);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("Histogram knows its largest value", () => {
  assertEquals(new Histogram().max, undefined);
  assertEquals(fill([5, 100_003, 7]).max, 100_003);
  assertEquals(fill([0]).max, 0);
});

const durations = fc.array(fc.oneof(fc.nat({ max: 1_000 }), fc.nat({ max: LARGEST })));

Deno.test("Histogram takes all that another one has taken", () => {
  fc.assert(fc.property(durations, durations, (one, other) => {
    const sum = fill(one);
    sum.add(fill(other));
    const both = fill([...one, ...other]);
    assertEquals([sum.count, sum.max], [both.count, both.max]);
    for (const share of [0, 0.3, 0.99]) assertEquals(sum.quantile(share), both.quantile(share));
  }));
});

Deno.test("Histogram in coarser buckets has every value in the bucket that it lies in", () => {
  fc.assert(fc.property(durations, fc.constantFrom(1, 8, 64), (values, parts) => {
    const counts = new Map(fill(values).coarse(parts));
    for (const [at, count] of counts) {
      const [from, to] = [coarseStart(at, parts), coarseStart(at + 1, parts)];
      assertEquals(count, values.filter((ns) => ns >= from && ns < to).length);
    }
    assertEquals([...counts.values()].reduce((sum, count) => sum + count, 0), values.length);
    assertEquals([...counts.keys()], [...counts.keys()].sort((one, other) => one - other));
  }));
});
