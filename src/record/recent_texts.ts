/**
 * Texts that stand in bytes: names of hosts, processes and containers come again and again, and of those
 * the text is kept that was made last.
 *
 * @module
 */

/** Texts that are kept, each at one of the two places that its bytes lead to, and of how many bytes. */
const PLACES_BITS = 11;
const LENGTH_MAX = 256;
/** Texts with an escape are others than those of the same bytes without. */
const ESCAPED = 1 << 16;
/** Of FNV-1a with 32 bits (Fowler, Noll, Vo). */
const HASH_BASIS = 0x811c9dc5 | 0;
const HASH_PRIME = 0x01000193;
/** Spreads the hash over its upper bits: 2^32 divided by the golden ratio. */
const SPREAD = 0x9e3779b1;

const kept = new Uint8Array(LENGTH_MAX << PLACES_BITS);
/** Bytes of what is kept at a place; 0: nothing. */
const lengths = new Int32Array(1 << PLACES_BITS);
const texts: string[] = Array.from(lengths, () => "");
/** Which of two places the next text gets: of two that want the same one, both are soon kept. */
let side = 0;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The text of some bytes.
 *
 * @param bytes They may be overwritten afterwards. @param begin Offset of the first.
 * @param end Offset behind the last. @param hasEscape Whether escapes of JSON are to be resolved.
 * @returns Undefined where they are no UTF-8, or have an escape that JSON has not.
 */
export function textAt(
  bytes: Uint8Array<ArrayBuffer>,
  begin: number,
  end: number,
  hasEscape: boolean,
): string | undefined {
  const length = end - begin;
  if (length === 0) return "";
  if (length > LENGTH_MAX) return made(bytes.subarray(begin, end), hasEscape);
  let hash = HASH_BASIS;
  for (let at = begin; at < end; at++) hash = Math.imul(hash ^ bytes[at], HASH_PRIME);
  const first = Math.imul(hash, SPREAD) >>> 32 - PLACES_BITS;
  const known = hasEscape ? length | ESCAPED : length;
  for (let place = first;; place ^= 1) {
    if (lengths[place] === known && isKept(bytes, begin, end, place * LENGTH_MAX)) {
      return texts[place];
    }
    if (place !== first) break;
  }
  const part = bytes.subarray(begin, end);
  const text = made(part, hasEscape);
  if (text === undefined) return undefined;
  side ^= 1;
  const place = first ^ side;
  kept.set(part, place * LENGTH_MAX);
  lengths[place] = known;
  return texts[place] = text;
}

function isKept(bytes: Uint8Array, begin: number, end: number, start: number): boolean {
  for (let at = begin, other = start; at < end; at++, other++) {
    if (bytes[at] !== kept[other]) return false;
  }
  return true;
}

function made(bytes: Uint8Array<ArrayBuffer>, hasEscape: boolean): string | undefined {
  try {
    const text = decoder.decode(bytes);
    return hasEscape ? JSON.parse(`"${text}"`) : text;
  } catch {
    return undefined;
  }
}
