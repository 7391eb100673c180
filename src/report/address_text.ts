import { formatAddress, isIpv4Mapped } from "../wire/address.ts";
import { ByteText } from "./byte_text.ts";

const DOT = ".".charCodeAt(0);

const text = new ByteText(64);

/**
 * Writes an address as `formatAddress` does.
 *
 * @param words Four words, IPv4 as IPv4-mapped.
 * @returns The text, valid until the next call.
 */
export function addressText(words: Uint32Array): ByteText {
  text.length = 0;
  if (!isIpv4Mapped(words)) {
    text.text(formatAddress(words));
    return text;
  }
  const word = words[3];
  text.integer(word >>> 24);
  text.character(DOT);
  text.integer(word >>> 16 & 0xff);
  text.character(DOT);
  text.integer(word >>> 8 & 0xff);
  text.character(DOT);
  text.integer(word & 0xff);
  return text;
}
