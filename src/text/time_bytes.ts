/**
 * Moments as records have them, read from the bytes that they stand in.
 *
 * @module
 */
import { parseTime } from "./time.ts";

/** Where its parts stand in a moment of the years up to 9999: `2026-11-23T01:02:03.123456789Z`. */
const HOUR = 11;
const MINUTE = 14;
const SECOND = 17;
const NANOSECONDS = 20;
const LENGTH = 30;
/** What stands between them. */
const MARKS = [[10, "T"], [13, ":"], [16, ":"], [19, "."], [29, "Z"]].map((
  [at, mark],
): [number, number] => [Number(at), String(mark).charCodeAt(0)]);
const ZERO = "0".charCodeAt(0);

/** The date that was met last, and when it begins. */
const knownDate = new Uint8Array(HOUR - 1);
let knownSeconds: number | undefined;

/**
 * The whole seconds of Unix time of a moment as `timeText` writes it.
 *
 * @returns Undefined where it stands there in another way; `parseTime` says whether it is one.
 */
export function readSeconds(bytes: Uint8Array, begin: number, end: number): number | undefined {
  if (end - begin !== LENGTH || !isInForm(bytes, begin)) return undefined;
  const hour = twoDigits(bytes, begin + HOUR);
  const minute = twoDigits(bytes, begin + MINUTE);
  const second = twoDigits(bytes, begin + SECOND);
  if (!(hour < 24 && minute < 60 && second < 60)) return undefined;
  // Of moments that follow each other few are of another day.
  if (!isKnown(bytes, begin)) {
    const date = String.fromCharCode(...bytes.subarray(begin, begin + knownDate.length));
    knownSeconds = parseTime(`${date}T00:00:00.000000000Z`)?.seconds;
    knownDate.set(bytes.subarray(begin, begin + knownDate.length));
  }
  return knownSeconds === undefined
    ? undefined
    : knownSeconds + hour * 3_600 + minute * 60 + second;
}

function isInForm(bytes: Uint8Array, begin: number): boolean {
  for (let at = 0; at < MARKS.length; at++) {
    const [offset, mark] = MARKS[at];
    if (bytes[begin + offset] !== mark) return false;
  }
  for (let at = begin + NANOSECONDS; at < begin + LENGTH - 1; at++) {
    if (!isDigit(bytes[at])) return false;
  }
  return true;
}

/** A number of two digits; NaN where none stands there. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const [tens, ones] = [bytes[at], bytes[at + 1]];
  return isDigit(tens) && isDigit(ones) ? (tens - ZERO) * 10 + ones - ZERO : NaN;
}

function isDigit(character: number): boolean {
  return character >= ZERO && character <= ZERO + 9;
}

function isKnown(bytes: Uint8Array, begin: number): boolean {
  // The last digits differ first.
  for (let at = knownDate.length - 1; at >= 0; at--) {
    if (bytes[begin + at] !== knownDate[at]) return false;
  }
  return true;
}

/** The nanoseconds of a moment whose seconds {@link readSeconds} gave. @param end Offset behind it. */
export function readNanoseconds(bytes: Uint8Array, end: number): number {
  let ns = 0;
  for (let at = end - LENGTH + NANOSECONDS; at < end - 1; at++) ns = ns * 10 + bytes[at] - ZERO;
  return ns;
}
