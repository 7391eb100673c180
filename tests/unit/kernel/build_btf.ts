/**
 * A kernel's description of itself (BTF) as bytes, for tests.
 *
 * @module
 */

// enum btf kinds, include/uapi/linux/btf.h.
export const KIND_INT = 1;
export const KIND_PTR = 2;
export const KIND_STRUCT = 4;
export const KIND_UNION = 5;
export const KIND_FUNC = 12;
export const KIND_TYPE_TAG = 18;
export const KIND_ENUM64 = 19;
const MAGIC = 0xeb9f;
export const HEADER_BYTES = 24;
const KIND_FLAG = 0x80000000;

/** A type: its three words, and what follows them. */
export interface Type {
  name: string;
  kind: number;
  /** Its third word: a size, or another type. */
  size: number;
  /** Whether `info` has the flag that stands above the kind. */
  flag?: boolean;
  /** Entries of three words, the first a name. */
  entries?: readonly { name: string; words: readonly [number, number] }[];
  /** Words after the three. */
  more?: readonly number[];
}

/** The types as bytes, after a header of this length. */
export function buildBtf(
  types: readonly Type[],
  headerBytes = HEADER_BYTES,
): Uint8Array<ArrayBuffer> {
  const places = new Map([["", 0]]);
  let strings = "\0";
  const place = (name: string) => {
    if (!places.has(name)) {
      places.set(name, strings.length);
      strings += `${name}\0`;
    }
    return places.get(name)!;
  };
  // Other strings come first, so that no name stands where its number in this file would put it.
  place("vmlinux");
  const words = types.flatMap(({ name, kind, size, flag, entries = [], more = [] }) => [
    place(name),
    ((flag ? KIND_FLAG : 0) | kind << 24 | entries.length) >>> 0,
    size,
    ...entries.flatMap((entry) => [place(entry.name), ...entry.words]),
    ...more,
  ]);
  const bytes = new Uint8Array(headerBytes + words.length * 4 + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, MAGIC, true);
  view.setUint8(2, 1);
  const header = [headerBytes, 0, words.length * 4, words.length * 4, strings.length];
  for (const [index, value] of header.entries()) view.setUint32(4 + index * 4, value, true);
  for (const [index, word] of words.entries()) view.setUint32(headerBytes + index * 4, word, true);
  bytes.set(new TextEncoder().encode(strings), headerBytes + words.length * 4);
  return bytes;
}

/** A member of a structure, its offset in bits. */
export const member = (name: string, type: number, offset: number) => ({
  name,
  words: [type, offset] as const,
});
