import { isIpv4Mapped } from "../wire/address.ts";
import { ByteText } from "../text/byte_text.ts";

const DOT = ".".charCodeAt(0);
const COLON = ":".charCodeAt(0);
const HEX = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));
/** 16-bit groups of an IPv6 address. */
const GROUPS = 8;

/** Writes addresses as `formatAddress` does, without a string. */
export class AddressText {
  readonly #text = new ByteText(64);
  /** Whose text it is: in many records an address is that of the one before. */
  readonly #words = new Uint32Array(4);

  /** Knows the text of the address `::`. */
  constructor() {
    appendIpv6(this.#text, this.#words);
  }

  /**
   * The text of an address.
   *
   * @param words Four words, IPv4 as IPv4-mapped.
   * @returns Valid until the next call.
   */
  of(words: Uint32Array): ByteText {
    const text = this.#text;
    const known = this.#words;
    if (
      words[3] === known[3] && words[2] === known[2] && words[1] === known[1] &&
      words[0] === known[0]
    ) return text;
    for (let at = 0; at < 4; at++) known[at] = words[at];
    text.length = 0;
    if (isIpv4Mapped(words)) appendIpv4(text, words[3]);
    else appendIpv6(text, words);
    return text;
  }
}

function appendIpv4(text: ByteText, word: number): void {
  text.integer(word >>> 24);
  text.character(DOT);
  text.integer(word >>> 16 & 0xff);
  text.character(DOT);
  text.integer(word >>> 8 & 0xff);
  text.character(DOT);
  text.integer(word & 0xff);
}

/** The form of RFC 5952: the first longest run of two or more zero groups is `::`. */
function appendIpv6(text: ByteText, words: Uint32Array): void {
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
    appendHex(text, groupOf(words, group));
  }
}

function groupOf(words: Uint32Array, group: number): number {
  const word = words[group >> 1];
  return (group & 1) === 0 ? word >>> 16 : word & 0xffff;
}

/** Without leading zeros. */
function appendHex(text: ByteText, group: number): void {
  if (group >= 0x1000) text.character(HEX[group >>> 12]);
  if (group >= 0x100) text.character(HEX[group >>> 8 & 0xf]);
  if (group >= 0x10) text.character(HEX[group >>> 4 & 0xf]);
  text.character(HEX[group & 0xf]);
}
