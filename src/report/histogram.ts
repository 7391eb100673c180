/** Each power of two is cut in this many parts, so a quantile is at most 1/64 (1.6 %) too high. */
const PARTS = 64;
const PARTS_BITS = 6;
const POWERS = 53 - PARTS_BITS;

/**
 * Counts durations in buckets whose width grows with their value, in 24 KiB whatever comes: the
 * log-linear form of HdrHistogram.
 */
export class Histogram {
  readonly #buckets = new Float64Array(PARTS * (POWERS + 1));
  #count = 0;
  #max = 0;

  /** Values recorded. */
  get count(): number {
    return this.#count;
  }

  /** Takes a duration in whole nanoseconds, not negative. */
  record(ns: number): void {
    this.#buckets[bucketOf(ns)]++;
    this.#count++;
    if (ns > this.#max) this.#max = ns;
  }

  /**
   * The smallest bucket's end that at least a share of the values does not exceed, in nanoseconds:
   * never below the true quantile, at most 1.6 % above it.
   *
   * @param share 0 to 1. @returns undefined where nothing was recorded.
   */
  quantile(share: number): number | undefined {
    if (this.#count === 0) return undefined;
    const wanted = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < this.#buckets.length; bucket++) {
      seen += this.#buckets[bucket];
      if (seen >= wanted) return Math.min(endOf(bucket), this.#max);
    }
    return this.#max;
  }
}

function bucketOf(ns: number): number {
  if (ns < PARTS) return ns;
  const power = Math.floor(Math.log2(ns)) - PARTS_BITS;
  const width = 2 ** power;
  // log2 rounds up just below a power of two from 2^48 on: the parts are then one too few for that
  // power, which makes it the last bucket of the power below, where the value belongs.
  return Math.min(PARTS * power + Math.floor(ns / width), PARTS * (POWERS + 1) - 1);
}

function endOf(bucket: number): number {
  if (bucket < PARTS) return bucket;
  const power = Math.floor(bucket / PARTS) - 1;
  return (PARTS + bucket % PARTS + 1) * 2 ** power - 1;
}
