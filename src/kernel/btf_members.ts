import { type Btf, btfKind } from "./btf.ts";

// struct btf_type and struct btf_member, include/uapi/linux/btf.h.
const BTF_KIND_STRUCT = 4;
const LENGTH_MASK = 0xffff;
/** Of an offset in bits; above them stands a bit field's width. */
const BIT_OFFSET_MASK = 0xffffff;
const TYPE_WORDS = 3;
const MEMBER_WORDS = 3;
const BITS = 8;

/**
 * Finds where members of a structure stand, by a kernel's description of itself.
 *
 * @param structure The structure's name.
 * @param names Members of its own, not of a structure inside it.
 * @returns The byte at which each begins, of a bit field with its first bit as eighths; undefined for
 *   one that is not there.
 */
export function membersInBtf(
  btf: Btf,
  structure: string,
  names: readonly string[],
): (number | undefined)[] {
  const places = btf.lookFor([structure, ...names]);
  const members = membersOf(btf.types, places.get(structure));
  return names.map((name) => {
    const place = places.get(name);
    return place === undefined ? undefined : members.get(place);
  });
}

/** The bytes at which the members of the structure of that name begin, by their names' places. */
function membersOf(words: Uint32Array, structure: number | undefined): Map<number, number> {
  const members = new Map<number, number>();
  if (structure === undefined) return members;
  for (let at = words.indexOf(structure); at >= 0; at = words.indexOf(structure, at + 1)) {
    const info = words[at + 1];
    const end = at + TYPE_WORDS + (info & LENGTH_MASK) * MEMBER_WORDS;
    if (btfKind(info) !== BTF_KIND_STRUCT || end > words.length) continue;
    for (let member = at + TYPE_WORDS; member < end; member += MEMBER_WORDS) {
      members.set(words[member], (words[member + 2] & BIT_OFFSET_MASK) / BITS);
    }
    return members;
  }
  return members;
}
