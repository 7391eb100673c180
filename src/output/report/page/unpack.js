// @ts-check
/**
 * Turns what a page's data has packed into what is drawn: see `page_data.ts`.
 *
 * @module
 */

/**
 * Unpacks numbers: one that is less than 0 stands for so many 0.
 *
 * @param {readonly number[]} packed
 * @returns {number[]}
 */
export function unpack(packed) {
  return packed.flatMap((number) => number < 0 ? new Array(-number).fill(0) : [number]);
}

/**
 * Unpacks the durations of one bucket of time.
 *
 * @param {readonly number[]} packed
 * @returns {{ first: number, counts: number[] }} The number of the first bucket of durations, and how
 *   many lie in it and in those after it.
 */
export function unpackCells(packed) {
  const [first = 0, ...rest] = packed;
  return { first, counts: unpack(rest) };
}

/**
 * Adds up the durations of several buckets of time.
 *
 * @param {readonly { first: number, counts: readonly number[] }[]} cells
 * @returns {Map<number, number>} By bucket of durations.
 */
export function addCells(cells) {
  /** @type {Map<number, number>} */
  const sum = new Map();
  for (const { first, counts } of cells) {
    counts.forEach((count, at) => {
      if (count > 0) sum.set(first + at, (sum.get(first + at) ?? 0) + count);
    });
  }
  return sum;
}

/**
 * Where a bucket of durations begins, nanoseconds: `parts` of them are a power of two.
 *
 * @param {number} at
 * @param {number} parts
 * @returns {number}
 */
export function startOfBucket(at, parts) {
  // 64 is the finest that `Histogram` has.
  const fine = at * 64 / parts;
  if (fine < 64) return fine;
  const power = Math.floor(fine / 64) - 1;
  return (64 + fine % 64) * 2 ** power;
}

/**
 * A quantile of durations: never too low, and too high by the width of a bucket at most.
 *
 * @param {ReadonlyMap<number, number>} counts By bucket of durations.
 * @param {number} share 0 to 1.
 * @returns {number | undefined} The bucket that it lies in; undefined where there are none.
 */
export function quantileBucket(counts, share) {
  const buckets = [...counts].sort((one, other) => one[0] - other[0]);
  const all = buckets.reduce((sum, [, count]) => sum + count, 0);
  const wanted = Math.max(1, Math.ceil(share * all));
  let seen = 0;
  for (const [at, count] of buckets) {
    seen += count;
    if (seen >= wanted) return at;
  }
  return undefined;
}
