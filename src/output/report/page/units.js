// @ts-check
/**
 * How a page writes numbers, durations and times.
 *
 * @module
 */

/**
 * Writes a duration, four characters of number at the most and its unit: as `formatDuration` of this tool
 * does everywhere.
 *
 * @param {number | undefined} ns Nanoseconds, not negative; undefined: not known.
 * @returns {string}
 */
export function formatDuration(ns) {
  if (ns === undefined) return "–";
  if (ns < 1e3) return `${Math.round(ns)} ns`;
  if (ns < 999_500) return `${scaled(ns / 1e3)} µs`;
  if (ns < 999_500_000) return `${scaled(ns / 1e6)} ms`;
  return `${scaled(ns / 1e9)} s`;
}

/** @param {number} value */
function scaled(value) {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

/**
 * Writes a number with commas.
 *
 * @param {number} count
 * @returns {string}
 */
export function formatCount(count) {
  return count.toLocaleString("en");
}

/**
 * Writes a part of a whole as a percentage.
 *
 * @param {number} part
 * @param {number} whole
 * @returns {string}
 */
export function formatShare(part, whole) {
  if (whole === 0) return "–";
  const percent = part / whole * 100;
  if (part > 0 && percent < 0.1) return "<0.1 %";
  if (part < whole && percent > 99.9) return ">99.9 %";
  return `${percent.toFixed(1)} %`;
}

/**
 * Writes how long a piece of time is: `30 s`, `10 min`.
 *
 * @param {number} ms
 * @returns {string}
 */
export function formatWidth(ms) {
  /** @type {[number, string][]} */
  const units = [[86_400_000, "days"], [3_600_000, "h"], [60_000, "min"], [1_000, "s"], [1, "ms"]];
  const [unit, name] = units.find(([unit]) => ms >= unit && ms % unit === 0) ?? [1, "ms"];
  const count = ms / unit;
  return `${formatCount(count)} ${name === "days" && count === 1 ? "day" : name}`;
}

/** Beyond it the language has no dates. */
const LAST_MS = 8.64e15;

/**
 * Writes date and time of day.
 *
 * @param {number} ms Milliseconds of Unix time.
 * @param {boolean} isLocal In the time zone of who looks, not UTC.
 * @returns {string} `2026-11-23 01:02:03.456`
 */
export function formatMoment(ms, isLocal) {
  const utcMs = Math.max(-LAST_MS, Math.min(ms, LAST_MS));
  const offsetMs = isLocal ? new Date(utcMs).getTimezoneOffset() * 60_000 : 0;
  const shown = new Date(Math.max(-LAST_MS, Math.min(utcMs - offsetMs, LAST_MS)));
  return shown.toISOString().replace("T", " ").slice(0, -1);
}

/**
 * Its time of day alone.
 *
 * @param {string} moment Of {@link formatMoment}.
 * @returns {string}
 */
export function timeOfDay(moment) {
  return moment.slice(moment.indexOf(" ") + 1);
}

/**
 * Writes some moments with the digits that they have.
 *
 * @param {readonly number[]} moments Milliseconds of Unix time.
 * @param {boolean} isLocal
 * @param {boolean} hasDate Whether the time of day alone says too little.
 * @returns {string[]}
 */
export function formatMoments(moments, isLocal, hasDate) {
  const isAll = (/** @type {number} */ unit) => moments.every((ms) => ms % unit === 0);
  const cut = isAll(60_000) ? 7 : isAll(1_000) ? 4 : 0;
  return moments.map((ms) => {
    const moment = formatMoment(ms, isLocal);
    const text = hasDate ? moment : timeOfDay(moment);
    return text.slice(0, text.length - cut);
  });
}
