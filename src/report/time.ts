let cachedSecond = NaN;
let cachedText = "";

/**
 * Writes a moment of the axis as RFC 3339 in UTC with nine digits: a JSON number could not hold it.
 *
 * @param epochSeconds Whole seconds of Unix time at which the axis begins.
 * @param timeNs Nanoseconds since then; may be negative.
 */
export function formatTime(epochSeconds: number, timeNs: number): string {
  const wholeSeconds = Math.floor(timeNs / 1e9);
  const second = epochSeconds + wholeSeconds;
  if (second !== cachedSecond) {
    cachedSecond = second;
    cachedText = new Date(second * 1000).toISOString().slice(0, -4);
  }
  return cachedText + String(timeNs - wholeSeconds * 1e9).padStart(9, "0") + "Z";
}

/**
 * Writes a duration for people, four characters of number at the most and its unit: `41.0 µs`.
 *
 * @param ns Nanoseconds, not negative.
 */
export function formatDuration(ns: number): string {
  if (ns < 1e3) return `${ns} ns`;
  if (ns < 999_500) return `${scaled(ns / 1e3)} µs`;
  if (ns < 999_500_000) return `${scaled(ns / 1e6)} ms`;
  return `${scaled(ns / 1e9)} s`;
}

function scaled(value: number): string {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}
