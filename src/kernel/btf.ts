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
  #text: string | undefined;

  /** Made of its parts. */
  constructor({ types, strings }: BtfParts) {
    this.types = types;
    this.strings = strings;
  }

  /** The names as text. Identifiers of C: as many characters as bytes. */
  get text(): string {
    return this.#text ??= new TextDecoder().decode(this.strings);
  }
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
