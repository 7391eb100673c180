import { isIpv4Mapped } from "../wire/address.ts";
import { ByteText } from "../text/byte_text.ts";

const DOT = ".".charCodeAt(0);
const COLON = ":".charCodeAt(0);
const HEX = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));
/** 16-bit groups of an IPv6 address. */
const GROUPS = 8;

const text = new ByteText(64);

/**
 * Writes an address as `formatAddress` does, without a string.
 *
 * @param words Four words, IPv4 as IPv4-mapped.
 * @returns The text, valid until the next call.
 */
export function addressText(words: Uint32Array): ByteText {
  text.length = 0;
  if (isIpv4Mapped(words)) appendIpv4(words[3]);
  else appendIpv6(words);
  return text;
}

function appendIpv4(word: number): void {
  text.integer(word >>> 24);
  text.character(DOT);
  text.integer(word >>> 16 & 0xff);
  text.character(DOT);
  text.integer(word >>> 8 & 0xff);
  text.character(DOT);
  text.integer(word & 0xff);
}

/** The form of RFC 5952: the first longest run of two or more zero groups is `::`. */
function appendIpv6(words: Uint32Array): void {
  let zeros = -1;
  let zerosEnd = 0;
  for (let group = 0, start = 0; group < GROUPS; group++) {
    if (groupOf(words, group) !== 0) {
      start = group + 1;
    } else if (group > start && group + 1 - start > zerosEnd - zeros) {
      zeros = start;
      zerosEnd = group + 1;
    }
  }
  for (let group = 0; group < GROUPS; group++) {
    if (group === zeros) {
      text.character(COLON);
      text.character(COLON);
      group = zerosEnd - 1;
      continue;
    }
    if (group > 0 && group !== zerosEnd) text.character(COLON);
    appendHex(groupOf(words, group));
  }
}

function groupOf(words: Uint32Array, group: number): number {
  const word = words[group >> 1];
  return (group & 1) === 0 ? word >>> 16 : word & 0xffff;
}

/** Without leading zeros. */
function appendHex(group: number): void {
  if (group >= 0x1000) text.character(HEX[group >>> 12]);
  if (group >= 0x100) text.character(HEX[group >>> 8 & 0xf]);
  if (group >= 0x10) text.character(HEX[group >>> 4 & 0xf]);
  text.character(HEX[group & 0xf]);
}
