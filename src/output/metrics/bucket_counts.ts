import type { Handshake } from "../../match/handshake.ts";
import { communityIdOf } from "../../record/community_id.ts";

/** A value of a bucket with which its handshake is found elsewhere. */
export interface Exemplar {
  /** The Community ID of its flow. */
  communityId: string;
  /** The value, nanoseconds. */
  ns: number;
  /** When it was taken, milliseconds of Unix time. */
  timeMs: number;
}

/** How long a bucket keeps its exemplar before another takes its place: to make one costs a hash. */
const EXEMPLAR_MS = 1_000;

/** Counts durations in buckets between fixed bounds, for one set of labels. */
export class BucketCounts {
  /** Values by bucket; the last one is that above all bounds. */
  readonly counts: Float64Array<ArrayBuffer>;
  /** The exemplars of the buckets. */
  readonly exemplars: (Exemplar | undefined)[] = [];
  /** Values in all buckets. */
  count = 0;
  /** Their sum, nanoseconds. */
  sumNs = 0;

  /** @param bounds What a bucket holds at most, nanoseconds, ascending. */
  constructor(readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  /**
   * Takes a duration of a handshake.
   *
   * @param ns Nanoseconds; undefined: it is not known, and not counted.
   * @param timeMs Now, milliseconds of Unix time.
   */
  record(ns: number | undefined, timeMs: number, handshake: Handshake): void {
    if (ns === undefined) return;
    const bucket = bucketOf(this.bounds, ns);
    this.counts[bucket]++;
    this.count++;
    this.sumNs += ns;
    const before = this.exemplars[bucket];
    if (before !== undefined && timeMs - before.timeMs < EXEMPLAR_MS) return;
    const communityId = communityIdOf(handshake)?.toString();
    if (communityId !== undefined) this.exemplars[bucket] = { communityId, ns, timeMs };
  }

  /** Takes all that others counted between the same bounds. */
  add({ counts, count, sumNs }: BucketCounts): void {
    for (let bucket = 0; bucket < counts.length; bucket++) this.counts[bucket] += counts[bucket];
    this.count += count;
    this.sumNs += sumNs;
  }
}

/** The first bucket whose bound is not exceeded. */
function bucketOf(bounds: readonly number[], ns: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ns <= bounds[middle]) high = middle;
    else low = middle + 1;
  }
  return low;
}
