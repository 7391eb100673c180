/**
 * IP addresses read from the bytes of their text.
 *
 * @module
 */

const ZERO = "0".charCodeAt(0);
const DOT = ".".charCodeAt(0);
const COLON = ":".charCodeAt(0);
const LOWER_A = "a".charCodeAt(0);
const OCTET_DIGITS_MAX = 3;
const GROUP_DIGITS_MAX = 4;
/** 16-bit groups of an IPv6 address (RFC 4291 §2.2), of four octets of IPv4 (§2.5.5.2). */
const GROUP_COUNT = 8;
const MAPPED_WORD = 0xffff;

const groups = new Uint16Array(GROUP_COUNT);

/**
 * Reads an address as `formatAddress` writes it, or nearly so.
 *
 * @param into Its four words; of no use where it is not for this.
 * @returns False where it stands there in another way; `parseAddress` says whether it is one.
 */
export function readAddress(
  bytes: Uint8Array,
  begin: number,
  end: number,
  into: Uint32Array,
): boolean {
  return readIpv4(bytes, begin, end, into) || readIpv6(bytes, begin, end, into);
}

function readIpv4(bytes: Uint8Array, begin: number, end: number, into: Uint32Array): boolean {
  let word = 0;
  let octets = 0;
  for (let at = begin; at <= end; at++) {
    const start = at;
    let octet = 0;
    for (; at < end && at < start + OCTET_DIGITS_MAX; at++) {
      const digit = bytes[at] - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      octet = octet * 10 + digit;
    }
    const length = at - start;
    const hasZero = length > 1 && bytes[start] === ZERO;
    if (length === 0 || hasZero || octet > 0xff || ++octets > 4) return false;
    if (at < end && bytes[at] !== DOT) return false;
    word = word << 8 | octet;
  }
  if (octets !== 4) return false;
  into[0] = into[1] = 0;
  into[2] = MAPPED_WORD;
  into[3] = word;
  return true;
}

/** Groups of lower-case digits; `::` may stand for some of them. */
function readIpv6(bytes: Uint8Array, begin: number, end: number, into: Uint32Array): boolean {
  let count = 0;
  /** Groups before `::`. */
  let head = -1;
  let at = begin;
  if (end - begin >= 2 && bytes[at] === COLON && bytes[at + 1] === COLON) {
    head = 0;
    at += 2;
  }
  while (at < end) {
    const start = at;
    let group = 0;
    for (; at < end && at < start + GROUP_DIGITS_MAX; at++) {
      const digit = digitOf(bytes[at]);
      if (digit < 0) break;
      group = group << 4 | digit;
    }
    if (at === start || count === GROUP_COUNT) return false;
    groups[count++] = group;
    if (at === end) break;
    if (bytes[at++] !== COLON || at === end) return false;
    if (bytes[at] !== COLON) continue;
    if (head >= 0) return false;
    head = count;
    at++;
  }
  if (head < 0 ? count !== GROUP_COUNT : count === GROUP_COUNT) return false;
  if (head >= 0) {
    groups.copyWithin(GROUP_COUNT - count + head, head, count);
    groups.fill(0, head, GROUP_COUNT - count + head);
  }
  for (let word = 0; word < into.length; word++) {
    into[word] = groups[2 * word] << 16 | groups[2 * word + 1];
  }
  return true;
}

/** What a hexadecimal digit stands for; negative where it is none. */
function digitOf(character: number): number {
  const decimal = character - ZERO;
  if (decimal >= 0 && decimal <= 9) return decimal;
  const letter = character - LOWER_A;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}
