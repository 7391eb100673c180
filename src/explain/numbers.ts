/**
 * How numbers are written in an explanation: sequence numbers in hexadecimal, times to the nanosecond.
 *
 * @module
 */
import { formatHexadecimal } from "../text/hexadecimal.ts";
import { sequenceAdd, sequenceDistance } from "../wire/sequence.ts";
import { TcpFlag } from "../wire/tcp_flags.ts";

/** A number further than this from the initial one is not of this handshake: told absolute only. */
const RELATIVE_MAX = 1 << 24;
const MODULUS = 2 ** 32;

/** Writes a number as this tool's texts have it, and as its records and Wireshark do. */
export function formatWithDecimal(number: number): string {
  return `${formatHexadecimal(number)} = ${number}`;
}

/**
 * Writes a number absolute and, behind it, counted from the initial one: `0x4ce45751 (1)`.
 *
 * @param isn Initial sequence number of the side whose bytes it counts; undefined unknown.
 */
export function formatBoth(number: number, isn: number | undefined): string {
  const text = formatHexadecimal(number);
  if (isn === undefined) return text;
  const relative = sequenceDistance(isn, number);
  return Math.abs(relative) > RELATIVE_MAX ? text : `${text} (${relative})`;
}

/**
 * Writes a sum of sequence numbers with its steps: `0x4ce45750 + 1 = 0x4ce45751`, and where it wraps
 * `0xffffffff + 1 = 0x100000000, modulo 2^32: 0x00000000`.
 *
 * @param base The number. @param addends Bytes to add; each is written unless it is 0.
 */
export function formatSum(base: number, ...addends: readonly number[]): string {
  const total = addends.reduce((sum, addend) => sum + addend, 0);
  const left = [formatHexadecimal(base), ...addends.filter((addend) => addend !== 0)].join(" + ");
  const sum = base + total;
  const wrapped = formatHexadecimal(sequenceAdd(base, total));
  return sum < MODULUS
    ? `${left} = ${wrapped}`
    : `${left} = 0x${sum.toString(16)}, modulo 2^32: ${wrapped}`;
}

/** The flags in the order that they are named in, as people say them: SYN before ACK. */
const FLAG_NAMES = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"] as const;

/** Names the flags of a segment: `SYN, ACK`. */
export function formatFlagNames(flags: number): string {
  return FLAG_NAMES.filter((name) => (flags & TcpFlag[name]) !== 0).join(", ");
}

/** A unit that times are written in, every digit down to the nanosecond. */
export interface TimeUnit {
  /** Its symbol. */
  symbol: string;
  /** Digits behind the point. */
  digits: number;
}

const UNITS: readonly (TimeUnit & { belowNs: number })[] = [
  { symbol: "ns", digits: 0, belowNs: 1e3 },
  { symbol: "µs", digits: 3, belowNs: 1e6 },
  { symbol: "ms", digits: 6, belowNs: 1e9 },
  { symbol: "s", digits: 9, belowNs: Infinity },
];

/** The unit in which all of some times are readable. */
export function chooseUnit(timesNs: readonly number[]): TimeUnit {
  const maxNs = timesNs.reduce((max, timeNs) => Math.max(max, Math.abs(timeNs)), 0);
  return UNITS.find(({ belowNs }) => maxNs < belowNs) ?? UNITS[UNITS.length - 1];
}

/** Writes an integer count of nanoseconds exactly: `10.231000 ms`. */
export function formatExact(ns: number, { symbol, digits }: TimeUnit): string {
  const text = String(Math.abs(ns)).padStart(digits + 1, "0");
  const point = text.length - digits;
  const fraction = digits > 0 ? "." + text.slice(point) : "";
  return `${ns < 0 ? "-" : ""}${text.slice(0, point)}${fraction} ${symbol}`;
}
