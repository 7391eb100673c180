import { countOf, withCommas } from "./count.ts";
import { ByteText, ConstantText } from "./byte_text.ts";

const UTC = "Z".charCodeAt(0);

let cachedSecond = NaN;
let cachedText = new ConstantText("");
const text = new ByteText(64);

/**
 * Writes a moment of the axis as RFC 3339 in UTC with nine digits: a JSON number could not hold it.
 *
 * @param epochSeconds Whole seconds of Unix time at which the axis begins.
 * @param timeNs Nanoseconds since then; may be negative.
 * @returns The text, valid until the next call.
 */
export function timeText(epochSeconds: number, timeNs: number): ByteText {
  const wholeSeconds = Math.floor(timeNs / 1e9);
  const second = epochSeconds + wholeSeconds;
  if (second !== cachedSecond) {
    cachedSecond = second;
    cachedText = new ConstantText(new Date(second * 1000).toISOString().slice(0, -4));
  }
  text.length = 0;
  text.constant(cachedText);
  text.nineDigits(timeNs - wholeSeconds * 1e9);
  text.character(UTC);
  return text;
}

/** The same as a string. */
export function formatTime(epochSeconds: number, timeNs: number): string {
  return timeText(epochSeconds, timeNs).toString();
}

/** A moment of Unix time, exact. */
export interface Moment {
  /** Whole seconds. */
  seconds: number;
  /** Nanoseconds since then, less than a second. */
  ns: number;
}

/** Seconds and their fraction, as {@link timeText} writes them; years beyond 9999 have six digits. */
const TIME = /^((?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z$/;

let parsedText = "";
let parsedSeconds = NaN;

/** Reads what {@link timeText} writes; undefined for anything else. */
export function parseTime(text: string): Moment | undefined {
  const parts = TIME.exec(text);
  if (parts === null) return undefined;
  // Moments that follow each other are often of one second.
  if (parts[1] !== parsedText) {
    parsedText = parts[1];
    parsedSeconds = Date.parse(parsedText + "Z") / 1000;
  }
  const seconds = parsedSeconds;
  return Number.isNaN(seconds) ? undefined : { seconds, ns: Number(parts[2]) };
}

/**
 * Writes a moment of the axis as date and time of day with nine digits:
 * `2026-11-23 01:02:03.123456789`.
 *
 * @param local Whether in the time zone of this host, not UTC.
 */
export function formatDateTime(epochSeconds: number, timeNs: number, local: boolean): string {
  const utc = formatTime(epochSeconds, timeNs);
  if (!local) return `${utc.slice(0, 10)} ${utc.slice(11, -1)}`;
  const at = new Date((epochSeconds + Math.floor(timeNs / 1e9)) * 1000);
  const date = [at.getFullYear(), at.getMonth() + 1, at.getDate()].map(twoDigits).join("-");
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(":");
  return `${date} ${time}${utc.slice(19, -1)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
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

/** Below it a duration in seconds is easily read. */
const SECONDS_MAX_NS = 120e9;
const SPAN_UNITS = [["days", 86_400], ["h", 3_600], ["min", 60], ["s", 1]] as const;

/** Writes how long a span is, in the two largest units that it has: `54 min 39 s`. */
export function formatSpan(ns: number): string {
  if (ns < SECONDS_MAX_NS) return formatDuration(ns);
  let seconds = Math.round(ns / 1e9);
  const parts = SPAN_UNITS.flatMap(([name, length]) => {
    const whole = Math.floor(seconds / length);
    seconds -= whole * length;
    if (whole === 0) return [];
    return [name === "days" ? countOf(whole, "day", "days", withCommas) : `${whole} ${name}`];
  });
  return parts.slice(0, 2).join(" ");
}

function scaled(value: number): string {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}
