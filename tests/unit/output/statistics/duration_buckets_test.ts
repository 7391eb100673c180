import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { DurationBuckets } from "../../../../src/output/statistics/duration_buckets.ts";

function fill(values: readonly number[]): DurationBuckets {
  const buckets = new DurationBuckets();
  for (const ns of values) buckets.record(ns);
  return buckets;
}

Deno.test("DurationBuckets without a duration has no bucket", () => {
  assertEquals(new DurationBuckets().list(24), []);
});

const CASES: {
  name: string;
  values: number[];
  expected: [from: number, to: number, n: number][];
}[] = [
  { name: "nothing measurable", values: [0, 99], expected: [[0, 100, 2]] },
  { name: "an edge, which begins a bucket", values: [1_000], expected: [[1_000, 1_500, 1]] },
  { name: "just below an edge", values: [999], expected: [[700, 1_000, 1]] },
  {
    name: "a gap, as empty buckets",
    values: [150_000, 700_000, 999_999],
    expected: [
      [150_000, 200_000, 1],
      [200_000, 300_000, 0],
      [300_000, 500_000, 0],
      [500_000, 700_000, 0],
      [700_000, 1_000_000, 2],
    ],
  },
  {
    name: "the largest",
    values: [Number.MAX_SAFE_INTEGER],
    expected: [[7e15, 1e16, 1]],
  },
];

for (const { name, values, expected } of CASES) {
  Deno.test(`DurationBuckets lists ${name}`, () => {
    assertEquals(
      fill(values).list(24).map(({ fromNs, toNs, count }) => [fromNs, toNs, count]),
      expected,
    );
  });
}

Deno.test("DurationBuckets are coarser where they would be too many", () => {
  const twoPowers = fill([1e3, 99_999]);
  assertEquals(twoPowers.list(12).length, 12);
  assertEquals(twoPowers.list(11).map(({ fromNs }) => fromNs), [1e3, 2e3, 5e3, 1e4, 2e4, 5e4]);
  assertEquals(fill([0, 1e15]).list(15).length, 15);
});

Deno.test("DurationBuckets hold each duration once, side by side, first and last not empty", () => {
  const value = fc.tuple(fc.nat({ max: Number.MAX_SAFE_INTEGER }), fc.nat({ max: 52 }))
    .map(([value, halvings]) => Math.floor(value / 2 ** halvings));
  const values = fc.array(value, { minLength: 1, maxLength: 100 });
  fc.assert(fc.property(values, fc.integer({ min: 15, max: 100 }), (values, most) => {
    const buckets = fill(values).list(most);
    assertLessOrEqual(buckets.length, most);
    for (const [at, { fromNs, toNs, count }] of buckets.entries()) {
      assertEquals(count, values.filter((ns) => ns >= fromNs && ns < toNs).length);
      assertLess(fromNs, toNs);
      if (at > 0) assertEquals(fromNs, buckets[at - 1].toNs);
    }
    assertEquals(buckets.reduce((sum, { count }) => sum + count, 0), values.length);
    assert(buckets[0].count > 0 && buckets[buckets.length - 1].count > 0);
  }));
});
