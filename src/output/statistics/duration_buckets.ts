/** A range of durations and how many lie in it. */
export interface DurationBucket {
  /** Its shortest duration, nanoseconds. */
  fromNs: number;
  /** The first that is too long for it, nanoseconds. */
  toNs: number;
  count: number;
}

/** How each power of ten is divided, from the finest to the coarsest; each has the edges of the next. */
const DIVISIONS = [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1]];
/** Below lies one bucket: no network is that fast, but a capture's clock can be that coarse. */
const SHORTEST_POWER = 2;
/** 10^16 is beyond the safe integers. */
const LONGEST_POWER = 15;

/** Where the buckets of each division begin, and at last where the longest ends. */
const EDGES: readonly (readonly number[])[] = DIVISIONS.map((steps) => {
  const edges = [0];
  for (let power = SHORTEST_POWER; power <= LONGEST_POWER; power++) {
    for (const step of steps) edges.push(step * 10 ** power);
  }
  return [...edges, 10 ** (LONGEST_POWER + 1)];
});

/** Counts durations in buckets with round edges, about equally wide on a logarithmic axis: to be drawn. */
export class DurationBuckets {
  readonly #counts = new Float64Array(EDGES[0].length - 1);

  /** Takes a duration in whole nanoseconds, not negative. */
  record(ns: number): void {
    this.#counts[bucketAt(EDGES[0], ns)]++;
  }

  /**
   * The buckets from the first to the last that is not empty, as fine as their number allows.
   *
   * @param most How many at most; at least 15, one for each power of ten.
   */
  list(most: number): DurationBucket[] {
    for (const edges of EDGES) {
      const buckets = this.#listWith(edges);
      if (buckets.length <= most || edges === EDGES[EDGES.length - 1]) return buckets;
    }
    return [];
  }

  #listWith(edges: readonly number[]): DurationBucket[] {
    const buckets = edges.slice(1).map((toNs, at) => ({ fromNs: edges[at], toNs, count: 0 }));
    this.#counts.forEach((count, at) => buckets[bucketAt(edges, EDGES[0][at])].count += count);
    const isFilled = ({ count }: DurationBucket) => count > 0;
    return buckets.slice(
      Math.max(0, buckets.findIndex(isFilled)),
      buckets.findLastIndex(isFilled) + 1,
    );
  }
}

/** The bucket between two edges that a duration lies in: the last that does not begin above it. */
function bucketAt(edges: readonly number[], ns: number): number {
  let low = 0;
  let high = edges.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (edges[middle] <= ns) low = middle;
    else high = middle - 1;
  }
  return low;
}
