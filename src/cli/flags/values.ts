/**
 * Reads the values of flags. Each function throws a {@link UsageError} that quotes the value, says
 * what is wrong with it and what a right one looks like.
 *
 * @module
 */
import type { Network, PortRange } from "../../pipeline/filter.ts";
import type { Moment } from "../../text/time.ts";
import { isIpv4Mapped, parseAddress } from "../../wire/address.ts";
import { askNearest } from "./nearest.ts";
import { UsageError } from "../usage.ts";

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  "": 1_000,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** What a timer takes: 2^31 - 1 milliseconds, beyond which it fires at once. */
const DURATION_MAX_MS = 2_147_483_647;

/** Reads a duration such as `10`, `10s`, `500ms`, `2m` or `1h`, in milliseconds. */
export function parseDuration(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|)$/.exec(text);
  const ms = match ? Number(match[1]) * DURATION_UNITS_MS[match[2]] : 0;
  if (!(ms > 0 && ms <= DURATION_MAX_MS)) {
    throw new UsageError(
      `Cannot use --${flag} "${text}": give a time such as 10s, 500ms, 2m or 1h, at most 596h`,
    );
  }
  return ms;
}

const LATENCY_UNITS_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  "µs": 1e3,
  "μs": 1e3,
  ms: 1e6,
  s: 1e9,
};

/** Reads how long a packet was under way, such as `10ms`, `500us` or `1.5s`, in nanoseconds. */
export function parseLatency(flag: string, text: string): number {
  if (/^\d+(?:\.\d+)?$/.test(text) && Number(text) > 0) {
    throw new UsageError(
      `Cannot use --${flag} "${text}": give its unit, such as ${text}ms, ${text}us or ${text}s`,
    );
  }
  // Micro has two characters in Unicode: U+00B5 and the Greek letter.
  const match = /^(\d{1,9}(?:\.\d{1,9})?)(ns|us|µs|μs|ms|s)$/.exec(text);
  const ns = match ? Number(match[1]) * LATENCY_UNITS_NS[match[2]] : 0;
  if (!(ns > 0)) {
    throw new UsageError(
      `Cannot use --${flag} "${text}": give a time above zero with its unit, such as 10ms, 500us or 1.5s`,
    );
  }
  return ns;
}

const SAMPLE_MAX = 1_000_000;

/** Reads a part of all such as `1/100`. @returns Of how many one is meant. */
export function parseSample(flag: string, text: string): number {
  const oneOf = Number(/^1\/(\d{1,7})$/.exec(text)?.[1] ?? 0);
  if (!(oneOf >= 1 && oneOf <= SAMPLE_MAX)) {
    throw new UsageError(
      `Cannot use --${flag} "${text}": give 1/N, such as 1/100, N up to 1000000`,
    );
  }
  return oneOf;
}

/** RFC 3339 section 5.6: its fraction of a second has any number of digits. */
const MOMENT = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)$/;
const BACK = /^(\d+)(s|m|h|d)$/;
const BACK_UNITS_MS: Readonly<Record<string, number>> = { ...DURATION_UNITS_MS, d: 86_400_000 };

/**
 * Reads a moment: of RFC 3339, or a time back from now such as `1h`.
 *
 * @param nowMs Now, milliseconds of Unix time.
 */
export function parseMoment(flag: string, text: string, nowMs: number): Moment {
  const back = BACK.exec(text);
  if (back) {
    const ms = nowMs - Number(back[1]) * BACK_UNITS_MS[back[2]];
    if (ms > 0) {
      const seconds = Math.floor(ms / 1_000);
      return { seconds, ns: Math.floor(ms - seconds * 1_000) * 1e6 };
    }
  }
  const [, date, time, fraction = "", zone] = MOMENT.exec(text) ?? [];
  const ms = date === undefined ? NaN : Date.parse(`${date}T${time}${zone.toUpperCase()}`);
  if (Number.isNaN(ms)) {
    throw new UsageError(
      `Cannot use --${flag} "${text}": give a moment such as 2026-11-23T01:02:03Z, ` +
        "or a time back from now such as 90s, 10m, 1h or 7d",
    );
  }
  return { seconds: ms / 1_000, ns: Number(fraction.padEnd(9, "0").slice(0, 9)) };
}

/** Reads an age in hours or days, such as `12h` or `7d`, in milliseconds. */
export function parseAge(flag: string, text: string): number {
  const [, count, unit] = /^(\d{1,6})(h|d)$/.exec(text) ?? [];
  const ms = count === undefined ? 0 : Number(count) * BACK_UNITS_MS[unit];
  if (!(ms > 0)) {
    throw new UsageError(`Cannot use --${flag} "${text}": give hours or days, such as 12h or 7d`);
  }
  return ms;
}

const SIZE_UNITS_BYTES: Readonly<Record<string, number>> = { "": 1, K: 1e3, M: 1e6, G: 1e9 };

/** Reads a size such as `100M`, in bytes (K, M and G are powers of 1000). */
export function parseSize(flag: string, text: string): number {
  const match = /^(\d+)([KMG]?)B?$/i.exec(text);
  const bytes = match ? Number(match[1]) * SIZE_UNITS_BYTES[match[2].toUpperCase()] : 0;
  if (!(bytes > 0) || !Number.isSafeInteger(bytes)) {
    throw new UsageError(
      `Cannot use --${flag} "${text}": give a size above zero such as 100M, 500K or 2G`,
    );
  }
  return bytes;
}

/** From here on nobody wants to know the highest number. */
export const UNBOUNDED = 1e15;

/** Reads a whole number within bounds. */
export function parseInteger(flag: string, text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) {
    const bounds = max < UNBOUNDED ? `from ${min} to ${max}` : `of at least ${min}`;
    throw new UsageError(`Cannot use --${flag} "${text}": give a whole number ${bounds}`);
  }
  return value;
}

/** The highest TCP port (RFC 9293 section 3.1). */
export const PORT_MAX = 65_535;

/** Reads a port such as `80`, or a range such as `8000-8999`. */
export function parsePorts(flag: string, text: string): PortRange {
  const [, from = "", to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (!(first >= 1 && first <= PORT_MAX && last >= 1 && last <= PORT_MAX)) {
    const [, lower, upper] = /^(\d{1,5})(?:-|:|\.\.)(\d{0,5})$/.exec(text) ?? [];
    const [first, last] = [Number(lower), Number(upper || PORT_MAX)];
    const isMeant = 1 <= first && first <= last && last <= PORT_MAX;
    const range = isMeant ? `${first}-${last}` : "8000-8999";
    throw new UsageError(
      `Cannot use --${flag} "${text}": give its number, from 1 to ${PORT_MAX}, or a range such as ${range}`,
    );
  }
  if (first > last) {
    throw new UsageError(
      `Cannot use --${flag} "${text}": no port is in that range; the lower one stands first`,
    );
  }
  return { first, last };
}

/** What the kernel writes as a symbol. */
const SYMBOL = /^[A-Z][A-Z0-9_]*$/;

/** Reads a symbol such as `ECONNREFUSED`, in small letters too. */
export function parseSymbol(flag: string, text: string): string {
  const symbol = text.toUpperCase();
  if (!SYMBOL.test(symbol)) {
    throw new UsageError(
      `Cannot use --${flag} "${text}": give a symbol such as ECONNREFUSED or ACCEPT_QUEUE_FULL`,
    );
  }
  return symbol;
}

/** Reads the path of a cgroup such as `/system.slice/ssh.service`; a slash at its end is left out. */
export function parseCgroup(flag: string, text: string): string {
  if (!text.startsWith("/")) {
    throw new UsageError(
      `Cannot use --${flag} "${text}": give its path in the cgroup v2 hierarchy, ` +
        "such as /system.slice/ssh.service",
    );
  }
  return text.replace(/\/+$/, "");
}

/** The last user id; the one after it stands for none (`INVALID_UID`, linux/uidgid.h). */
const UID_MAX = 4_294_967_294;

/**
 * Reads a user, by id or by name.
 *
 * @param uidOf Finds the id of a name. @returns Undefined where nobody has the name.
 */
export function parseUser(
  flag: string,
  text: string,
  uidOf: (name: string) => number | undefined,
): number | undefined {
  return /^\d+$/.test(text) ? parseInteger(flag, text, 0, UID_MAX) : uidOf(text);
}

/** Reads one of a few words. */
export function parseChoice<T extends string>(
  flag: string,
  text: string,
  choices: readonly T[],
): T {
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) {
    const advice = askNearest(text, choices) ?? `give one of ${choices.join(", ")}`;
    throw new UsageError(`Cannot use --${flag} "${text}": ${advice}`);
  }
  return choice;
}

/** Reads an address or a network such as `192.0.2.1`, `192.0.2.0/24` or `2001:db8::/32`. */
export function parseNetwork(flag: string, text: string): Network {
  const [address, prefix, ...rest] = text.split("/");
  const words = parseAddress(address);
  if (words && rest.length === 0) {
    const width = isIpv4Mapped(words) && !address.includes(":") ? 32 : 128;
    const bits = prefix === undefined ? width : /^\d{1,3}$/.test(prefix) ? Number(prefix) : NaN;
    if (bits >= 0 && bits <= width) return { words, bits: bits + 128 - width };
  }
  const advice = words && rest.length === 0
    ? "the bits behind / are 0 to 32 of an IPv4 address, 0 to 128 of an IPv6 address"
    : "give an IP address or a network such as 192.0.2.0/24; names are not looked up";
  throw new UsageError(`Cannot use --${flag} "${text}": ${advice}`);
}
