/**
 * IP addresses as four unsigned 32-bit words, most significant first; IPv4 is the v4-mapped
 * `[0, 0, 0xffff, a.b.c.d]` (RFC 4291 §2.5.5.2), so that one key layout serves both families.
 *
 * @module
 */

/** Third word of a v4-mapped address: 16 zero bits, then 16 one bits (RFC 4291 §2.5.5.2). */
const MAPPED_WORD = 0xffff;
/** 16-bit groups in an IPv6 address (RFC 4291 §2.2). */
const GROUP_COUNT = 8;

const ZERO = "0".charCodeAt(0);
const DOT = ".".charCodeAt(0);
const OCTET_DIGITS_MAX = 3;
const GROUP_TEXT = /^[0-9a-fA-F]{1,4}$/;

/**
 * Tells whether an address is IPv4, that is v4-mapped (`::ffff:0:0/96`, RFC 4291 §2.5.5.2).
 *
 * @param words Four-word addresses.
 * @param at Index of the address's first word.
 */
export function isIpv4Mapped(words: Uint32Array, at = 0): boolean {
  return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === MAPPED_WORD;
}

/**
 * Tells whether the four words at `aAt` in `a` are the four words at `bAt` in `b`.
 *
 * @param a Four-word addresses.
 * @param aAt Index of the first word in `a`.
 * @param b Four-word addresses, may be `a` itself.
 * @param bAt Index of the first word in `b`.
 */
export function addressesEqual(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number): boolean {
  // The last word differs most often, so a mismatch is found first there.
  return a[aAt + 3] === b[bAt + 3] && a[aAt + 2] === b[bAt + 2] &&
    a[aAt + 1] === b[bAt + 1] && a[aAt] === b[bAt];
}

/**
 * Writes an address as text: dotted decimal when it is v4-mapped, else the canonical IPv6 form of
 * RFC 5952 (lower case, no leading zeros, the first longest run of two or more zero groups as `::`).
 *
 * @example
 * ```ts
 * import { formatAddress } from "./address.ts";
 *
 * formatAddress(new Uint32Array([0, 0, 0xffff, 0xc0a864bf])); // "192.168.100.191"
 * formatAddress(new Uint32Array([0x20010db8, 0, 0, 1])); // "2001:db8::1"
 * ```
 *
 * @param words Four-word addresses.
 * @param at Index of the address's first word.
 */
export function formatAddress(words: Uint32Array, at = 0): string {
  if (isIpv4Mapped(words, at)) {
    const word = words[at + 3];
    return `${word >>> 24}.${word >>> 16 & 0xff}.${word >>> 8 & 0xff}.${word & 0xff}`;
  }
  const groups: number[] = [];
  for (let index = at; index < at + 4; index++) {
    groups.push(words[index] >>> 16, words[index] & 0xffff);
  }
  const run = longestZeroRun(groups);
  if (run.length < 2) return formatGroups(groups);
  return `${formatGroups(groups.slice(0, run.start))}::${
    formatGroups(groups.slice(run.start + run.length))
  }`;
}

/**
 * Reads an IPv4 (four decimal numbers, no leading zeros) or IPv6 address (RFC 4291 §2.2: `::`, any
 * letter case, an embedded dotted IPv4 address in the last 32 bits). Nothing else is taken: no zone
 * (`%eth0`), no prefix length, no brackets, no surrounding space.
 *
 * @example
 * ```ts
 * import { parseAddress } from "./address.ts";
 *
 * parseAddress("10.0.0.1"); // Uint32Array [0, 0, 0xffff, 0x0a000001]
 * parseAddress("10.0.0.256"); // undefined
 * ```
 *
 * @param text The address alone.
 * @returns Four words, or `undefined` when `text` is not an address.
 */
export function parseAddress(text: string): Uint32Array | undefined {
  const ipv4 = parseIpv4Word(text);
  const words = new Uint32Array(4);
  if (ipv4 !== undefined) {
    words[2] = MAPPED_WORD;
    words[3] = ipv4;
    return words;
  }
  const groups = parseIpv6Groups(text);
  if (groups === undefined) return undefined;
  for (let index = 0; index < 4; index++) {
    words[index] = groups[2 * index] * 0x10000 + groups[2 * index + 1];
  }
  return words;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  const longest = { start: 0, length: 0 };
  let start = 0;
  for (let index = 0; index < groups.length; index++) {
    if (groups[index] !== 0) start = index + 1;
    // Strictly longer: RFC 5952 §4.2.3 shortens the first of equal runs.
    else if (index + 1 - start > longest.length) {
      longest.start = start;
      longest.length = index + 1 - start;
    }
  }
  return longest;
}

function formatGroups(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(":");
}

/** Four numbers up to 255 with dots between them, none with a zero before it. */
function parseIpv4Word(text: string): number | undefined {
  let word = 0;
  let octets = 0;
  for (let at = 0; at <= text.length; at++) {
    const begin = at;
    let octet = 0;
    for (; at < begin + OCTET_DIGITS_MAX; at++) {
      const digit = text.charCodeAt(at) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      octet = octet * 10 + digit;
    }
    const length = at - begin;
    const hasZero = length > 1 && text.charCodeAt(begin) === ZERO;
    if (length === 0 || hasZero || octet > 255 || ++octets > 4) return undefined;
    if (at < text.length && text.charCodeAt(at) !== DOT) return undefined;
    word = word * 256 + octet;
  }
  return octets === 4 ? word : undefined;
}

function parseIpv6Groups(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length === 1) {
    const groups = parseGroups(text, true);
    return groups?.length === GROUP_COUNT ? groups : undefined;
  }
  if (halves.length > 2) return undefined;
  // The dotted form is only for the last 32 bits of the address, so never before `::`.
  const head = parseGroups(halves[0], false);
  const tail = parseGroups(halves[1], true);
  if (head === undefined || tail === undefined) return undefined;
  const zeros = GROUP_COUNT - head.length - tail.length;
  if (zeros < 1) return undefined;
  return [...head, ...new Array<number>(zeros).fill(0), ...tail];
}

function parseGroups(text: string, dottedLast: boolean): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (GROUP_TEXT.test(part)) {
      groups.push(parseInt(part, 16));
      continue;
    }
    const word = dottedLast && index === parts.length - 1 ? parseIpv4Word(part) : undefined;
    if (word === undefined) return undefined;
    groups.push(word >>> 16, word & 0xffff);
  }
  return groups;
}

/** Writes address and port: `192.0.2.1:80`, `[2001:db8::1]:80`. */
export function formatEndpoint(
  { address, port }: { readonly address: Uint32Array; readonly port: number },
): string {
  const text = formatAddress(address);
  return text.includes(":") ? `[${text}]:${port}` : `${text}:${port}`;
}
