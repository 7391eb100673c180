import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { BucketCounts } from "../../../../src/output/metrics/bucket_counts.ts";
import { USUAL_BOUNDS } from "../../../../src/output/metrics/choices.ts";
import { handshakeWith, NOW_MS } from "./sample_metrics.ts";

const HANDSHAKE = handshakeWith();

Deno.test("BucketCounts puts a value into the first bucket whose bound it does not exceed", () => {
  for (
    const [ns, bucket] of [[0, 0], [10, 0], [11, 1], [20, 1], [21, 2], [30, 2], [31, 3], [1e18, 3]]
  ) {
    const buckets = new BucketCounts([10, 20, 30]);
    buckets.record(ns, NOW_MS, HANDSHAKE);
    assertEquals(buckets.counts.indexOf(1), bucket, `${ns}`);
  }
});

Deno.test("BucketCounts agrees with counting one by one, and sums add up", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 2e10 })), (values) => {
    const [one, other] = [new BucketCounts(USUAL_BOUNDS), new BucketCounts(USUAL_BOUNDS)];
    values.forEach((ns, at) => (at % 2 === 0 ? one : other).record(ns, NOW_MS, HANDSHAKE));
    one.add(other);
    assertEquals(one.count, values.length);
    assertEquals(one.sumNs, values.reduce((sum, ns) => sum + ns, 0));
    let sum = 0;
    USUAL_BOUNDS.forEach((bound, bucket) => {
      sum += one.counts[bucket];
      assertEquals(sum, values.filter((ns) => ns <= bound).length);
    });
  }));
});

Deno.test("BucketCounts does not count what is not known", () => {
  const buckets = new BucketCounts([10]);
  buckets.record(undefined, NOW_MS, HANDSHAKE);
  assertEquals([buckets.count, buckets.sumNs], [0, 0]);
});

Deno.test("BucketCounts keeps an exemplar a bucket, for a second at least", () => {
  const buckets = new BucketCounts([10]);
  for (const [ns, afterMs] of [[1, 0], [2, 999], [3, 1_000], [11, 1_000]]) {
    buckets.record(ns, NOW_MS + afterMs, HANDSHAKE);
  }
  assertEquals(buckets.exemplars.map((each) => [each?.ns, each?.timeMs]), [
    [3, NOW_MS + 1_000],
    [11, NOW_MS + 1_000],
  ]);
  // The Community ID of 10.0.0.1:40000 to 10.0.0.2:443, as any implementation gives it.
  assertEquals(buckets.exemplars[0]?.communityId.slice(0, 2), "1:");
});

Deno.test("BucketCounts takes no exemplar of what had no flow", () => {
  const failed = handshakeWith();
  Object.assign(failed, { wire: false });
  failed.client.port = 0;
  const buckets = new BucketCounts([10]);
  buckets.record(1, NOW_MS, failed);
  assertEquals([buckets.count, buckets.exemplars], [1, []]);
});
