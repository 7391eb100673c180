// struct btf_header and struct btf_type, include/uapi/linux/btf.h: byte offsets and bits.
const BTF_MAGIC = 0xeb9f;
const HEADER_MAGIC = 0;
const HEADER_LENGTH = 4;
const HEADER_TYPE_OFFSET = 8;
const HEADER_TYPE_LENGTH = 12;
const HEADER_STRING_OFFSET = 16;
const HEADER_STRING_LENGTH = 20;
const HEADER_BYTES = 24;
const KIND_SHIFT = 24;
const KIND_MASK = 0x1f;

/** The parts of a kernel's description of itself (BTF, Documentation/bpf/btf.rst), not decoded. */
export interface BtfParts {
  /** Its types, each three words and what its kind has behind them. */
  types: Uint32Array<ArrayBuffer>;
  /** The names that types point to by the place where they begin, zeros between them. */
  strings: Uint8Array<ArrayBuffer>;
}

/** A kernel's description of itself: 5 MB, of which no part is copied that need not be. */
export class Btf implements BtfParts {
  readonly types: Uint32Array<ArrayBuffer>;
  readonly strings: Uint8Array<ArrayBuffer>;
  /** Of names that were looked for, and the first places of those that are there. */
  readonly #known = new Map<string, number | undefined>();

  /** Made of its parts. */
  constructor({ types, strings }: BtfParts) {
    this.types = types;
    this.strings = strings;
  }

  /**
   * Finds where names stand. Once for all that are looked for takes a fraction of once for each: what was
   * looked for is known from then on.
   *
   * @param names Identifiers of C.
   * @returns The place of each; undefined of one that is not there.
   */
  lookFor(names: readonly string[]): ReadonlyMap<string, number | undefined> {
    const unknown = names.filter((name) => !this.#known.has(name));
    if (unknown.length > 0) {
      for (const name of unknown) this.#known.set(name, undefined);
      for (const [name, place] of this.placesOf(unknown)) this.#known.set(name, place);
    }
    return this.#known;
  }

  /**
   * Finds every place of names among the strings, byte by byte. As one text they would be found in half the
   * time, but it is 2 MB that an idle process keeps, for it collects no garbage.
   *
   * @param names Identifiers of C.
   * @returns Each name with a place of it, in the order of the places.
   */
  placesOf(names: Iterable<string>): [name: string, place: number][] {
    const { strings } = this;
    const found: [string, number][] = [];
    const wanted = new Map<number, { name: string; bytes: Uint8Array }[]>();
    const encoder = new TextEncoder();
    for (const name of names) {
      const bytes = encoder.encode(name);
      const key = keyOf(bytes, 0, bytes.length);
      wanted.set(key, [...wanted.get(key) ?? [], { name, bytes }]);
    }
    // The first string is empty: the name of what has none.
    for (let at = 1, end; (end = strings.indexOf(0, at)) >= 0; at = end + 1) {
      const alike = wanted.get(keyOf(strings, at, end));
      if (alike === undefined) continue;
      for (const { name, bytes } of alike) {
        const length = end - at;
        if (bytes.length === length && bytes.every((byte, index) => strings[at + index] === byte)) {
          found.push([name, at]);
        }
      }
    }
    return found;
  }
}

/** Length, first and last byte of a name: few others have the same. */
function keyOf(bytes: Uint8Array, at: number, end: number): number {
  return (end - at) << 16 | bytes[at] << 8 | bytes[end - 1];
}

/**
 * Finds the parts of such a description.
 *
 * @param bytes Those of /sys/kernel/btf/vmlinux, little endian. What is found are views of them.
 * @returns Undefined where they are none.
 */
export function readBtf(bytes: Uint8Array<ArrayBuffer>): Btf | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || view.getUint16(HEADER_MAGIC, true) !== BTF_MAGIC) {
    return undefined;
  }
  const headerBytes = view.getUint32(HEADER_LENGTH, true);
  const typesAt = headerBytes + view.getUint32(HEADER_TYPE_OFFSET, true);
  const typesEnd = typesAt + view.getUint32(HEADER_TYPE_LENGTH, true);
  const stringsAt = headerBytes + view.getUint32(HEADER_STRING_OFFSET, true);
  const stringsEnd = stringsAt + view.getUint32(HEADER_STRING_LENGTH, true);
  if (typesEnd > bytes.length || stringsEnd > bytes.length || (typesEnd - typesAt) % 4 !== 0) {
    return undefined;
  }
  const types = bytes.subarray(typesAt, typesEnd);
  const isAligned = types.byteOffset % 4 === 0;
  const { buffer, byteOffset, byteLength } = isAligned ? types : types.slice();
  return new Btf({
    types: new Uint32Array(buffer, byteOffset, byteLength / 4),
    strings: bytes.subarray(stringsAt, stringsEnd),
  });
}

/**
 * Makes such a description of its parts.
 *
 * @param like The bytes of one whose version and flags it has.
 */
export function writeBtf(
  like: Uint8Array<ArrayBuffer>,
  { types, strings }: BtfParts,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + types.byteLength + strings.length);
  bytes.set(like.subarray(0, HEADER_BYTES));
  const view = new DataView(bytes.buffer);
  view.setUint32(HEADER_LENGTH, HEADER_BYTES, true);
  view.setUint32(HEADER_TYPE_OFFSET, 0, true);
  view.setUint32(HEADER_TYPE_LENGTH, types.byteLength, true);
  view.setUint32(HEADER_STRING_OFFSET, types.byteLength, true);
  view.setUint32(HEADER_STRING_LENGTH, strings.length, true);
  bytes.set(new Uint8Array(types.buffer, types.byteOffset, types.byteLength), HEADER_BYTES);
  bytes.set(strings, HEADER_BYTES + types.byteLength);
  return bytes;
}

/** What kind of type it is, one of BTF_KIND_*. @param info Its second word. */
export function btfKind(info: number): number {
  return (info >>> KIND_SHIFT) & KIND_MASK;
}
