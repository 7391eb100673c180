// struct btf_header and struct btf_type, include/uapi/linux/btf.h: byte offsets and bits.
const BTF_MAGIC = 0xeb9f;
const HEADER_MAGIC = 0;
const HEADER_LENGTH = 4;
const HEADER_TYPE_OFFSET = 8;
const HEADER_TYPE_LENGTH = 12;
const HEADER_STRING_OFFSET = 16;
const HEADER_STRING_LENGTH = 20;
const HEADER_BYTES = 24;
const INFO_KIND_SHIFT = 24;
const INFO_KIND_MASK = 0x1f;
const BTF_KIND_FUNC = 12;

/**
 * Finds functions in a kernel's description of itself. Looks for each name's place instead of walking
 * all types, which takes four times as long: what else should look like a function's entry would have
 * to hold that very place by chance.
 *
 * @param btf The bytes of /sys/kernel/btf/vmlinux, little endian.
 * @param names The functions looked for.
 * @returns Those that are there, in the order given; undefined where the bytes are no such
 *   description.
 */
export function functionsInBtf(
  btf: Uint8Array<ArrayBuffer>,
  names: readonly string[],
): string[] | undefined {
  const view = new DataView(btf.buffer, btf.byteOffset, btf.byteLength);
  if (btf.length < HEADER_BYTES || view.getUint16(HEADER_MAGIC, true) !== BTF_MAGIC) {
    return undefined;
  }
  const headerBytes = view.getUint32(HEADER_LENGTH, true);
  const typesAt = headerBytes + view.getUint32(HEADER_TYPE_OFFSET, true);
  const typesEnd = typesAt + view.getUint32(HEADER_TYPE_LENGTH, true);
  const stringsAt = headerBytes + view.getUint32(HEADER_STRING_OFFSET, true);
  const stringsEnd = stringsAt + view.getUint32(HEADER_STRING_LENGTH, true);
  if (typesEnd > btf.length || stringsEnd > btf.length) return undefined;
  // Identifiers of C: as many characters as bytes.
  const strings = new TextDecoder().decode(btf.subarray(stringsAt, stringsEnd));
  const words = new Uint32Array(btf.slice(typesAt, typesEnd - (typesEnd - typesAt) % 4).buffer);
  return names.filter((name) => {
    const place = strings.indexOf(`\0${name}\0`) + 1;
    return place > 0 && hasFunction(words, place);
  });
}

/** Whether one of the types is a function whose name is at this place: `name_off`, then `info`. */
function hasFunction(words: Uint32Array, place: number): boolean {
  for (let at = words.indexOf(place); at >= 0; at = words.indexOf(place, at + 1)) {
    const kind = (words[at + 1] >>> INFO_KIND_SHIFT) & INFO_KIND_MASK;
    if (kind === BTF_KIND_FUNC) return true;
  }
  return false;
}
