/** Each power of two is cut in this many parts, so a quantile is at most 1/64 (1.6 %) too high. */
const PARTS = 64;
const PARTS_BITS = 6;
const POWERS = 53 - PARTS_BITS;

/**
 * Counts durations in buckets whose width grows with their value, in half a KiB for each power of two
 * that comes, at most 24 KiB: the log-linear form of HdrHistogram.
 */
export class Histogram {
  /** The buckets of each power of two; undefined where none of its values came. */
  readonly #powers: (number[] | undefined)[] = [];
  #count = 0;
  #max = 0;

  /** Values recorded. */
  get count(): number {
    return this.#count;
  }

  /** The largest value, in nanoseconds; undefined where nothing was recorded. */
  get max(): number | undefined {
    return this.#count === 0 ? undefined : this.#max;
  }

  /** Takes a duration in whole nanoseconds, not negative. */
  record(ns: number): void {
    const bucket = bucketOf(ns);
    this.#bucketsOf(bucket >>> PARTS_BITS)[bucket % PARTS]++;
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
    for (const [power, buckets] of this.#powers.entries()) {
      for (let part = 0; buckets !== undefined && part < PARTS; part++) {
        seen += buckets[part];
        if (seen >= wanted) return Math.min(endOf(power * PARTS + part), this.#max);
      }
    }
    return this.#max;
  }

  /** Takes all that another one has taken. */
  add(other: Histogram): void {
    for (const [power, buckets] of other.#powers.entries()) {
      if (buckets === undefined) continue;
      const own = this.#bucketsOf(power);
      for (let part = 0; part < PARTS; part++) own[part] += buckets[part];
    }
    this.#count += other.#count;
    this.#max = Math.max(this.#max, other.#max);
  }

  /**
   * Its values in coarser buckets, for a drawing: `parts` of them to a power of two. Number `at` of those
   * begins at {@link coarseStart} of it.
   *
   * @param parts A power of two, 64 at most.
   * @returns The buckets that are not empty, the shortest durations first.
   */
  *coarse(parts: number): Generator<[at: number, count: number]> {
    const width = PARTS / parts;
    for (const [power, buckets] of this.#powers.entries()) {
      for (let part = 0; buckets !== undefined && part < parts; part++) {
        let count = 0;
        for (let at = part * width; at < (part + 1) * width; at++) count += buckets[at];
        if (count > 0) yield [power * parts + part, count];
      }
    }
  }

  #bucketsOf(power: number): number[] {
    return this.#powers[power] ??= new Array<number>(PARTS).fill(0);
  }
}

/** The shortest duration of a bucket of {@link Histogram.coarse}, nanoseconds. */
export function coarseStart(at: number, parts: number): number {
  const bucket = at * (PARTS / parts);
  return bucket === 0 ? 0 : endOf(bucket - 1) + 1;
}

function bucketOf(ns: number): number {
  if (ns < PARTS) return ns;
  if (ns < 2 ** 31) {
    // What is below does the same for all, and takes five times as long.
    const power = 31 - Math.clz32(ns) - PARTS_BITS;
    return PARTS * power + (ns >>> power);
  }
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
