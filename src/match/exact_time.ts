/**
 * Times that a matcher does not take: they are no times, or every duration made of them would round.
 *
 * @module
 */

/**
 * Beyond 2^53, where a Number is exact to 2 ns only, a trace that has lasted for 104 days goes on.
 *
 * @throws {RangeError} A time is no whole number of nanoseconds.
 */
export function assertExact(timeNs: number): void {
  if (Number.isInteger(timeNs)) return;
  throw new RangeError(`Cannot take a packet at ${timeNs}: give whole nanoseconds on the axis`);
}

/** @throws {RangeError} An axis would begin within a second. */
export function assertWholeSeconds(epochSeconds: number): void {
  if (Number.isSafeInteger(epochSeconds)) return;
  throw new RangeError(
    `Cannot begin an axis at ${epochSeconds}: give whole seconds of Unix time`,
  );
}
