import { type Btf, btfKind, readBtf, writeBtf } from "./btf.ts";

// struct btf_type, include/uapi/linux/btf.h: bits and kinds.
const LENGTH_MASK = 0xffff;
const KIND_STRUCT = 4;
/** Words of a type: name, info, size or type. */
const TYPE_WORDS = 3;
/** Words of a member: name, type, offset. */
const MEMBER_WORDS = 3;
/** What follows each kind's three words: words once, and words for each of its `vlen` entries. */
const REST: readonly (readonly [once: number, each: number])[] = [
  [0, 0], // void
  [1, 0], // BTF_KIND_INT
  [0, 0], // BTF_KIND_PTR
  [3, 0], // BTF_KIND_ARRAY
  [0, 3], // BTF_KIND_STRUCT
  [0, 3], // BTF_KIND_UNION
  [0, 2], // BTF_KIND_ENUM
  [0, 0], // BTF_KIND_FWD
  [0, 0], // BTF_KIND_TYPEDEF
  [0, 0], // BTF_KIND_VOLATILE
  [0, 0], // BTF_KIND_CONST
  [0, 0], // BTF_KIND_RESTRICT
  [0, 0], // BTF_KIND_FUNC
  [0, 2], // BTF_KIND_FUNC_PROTO
  [1, 0], // BTF_KIND_VAR
  [0, 3], // BTF_KIND_DATASEC
  [0, 0], // BTF_KIND_FLOAT
  [1, 0], // BTF_KIND_DECL_TAG
  [0, 0], // BTF_KIND_TYPE_TAG
  [0, 3], // BTF_KIND_ENUM64
];
/** A member that a program names. */
const MEMBER = /(?:->|\.)\s*([A-Za-z_]\w*)/g;

/**
 * Narrows a kernel's description of itself to what a program reads: of each structure only those
 * members whose name the program names somewhere, and those without a name. What stays keeps its
 * offset, every structure its size and every type its number.
 *
 * bpftrace writes the types that a program touches as C and has them compiled, with all that their
 * members point to, several levels deep: a third of the kernel for a struct sock.
 *
 * @param btf The bytes of /sys/kernel/btf/vmlinux, little endian; they are spoiled.
 * @param program A program for bpftrace.
 * @returns The narrowed description; undefined where the bytes are none, or hold a kind of type that
 *   is not known here.
 */
export function narrowBtf(
  btf: Uint8Array<ArrayBuffer>,
  program: string,
): Uint8Array<ArrayBuffer> | undefined {
  const whole = readBtf(btf);
  if (whole === undefined) return undefined;
  const { types, strings } = whole;
  const length = narrowTypes(types, memberPlaces(whole, program));
  if (length === undefined) return undefined;
  return writeBtf(btf, { types: types.subarray(0, length), strings });
}

/** Where the names of the members that a program names stand among the strings. */
function memberPlaces(btf: Btf, program: string): Set<number> {
  const names = new Set(Array.from(program.matchAll(MEMBER), ([, name]) => name));
  return new Set(btf.placesOf(names).map(([, place]) => place));
}

/**
 * Moves the types together without the members that are left out.
 *
 * @returns Words that they now take; undefined where a kind is not known or the last type is cut.
 */
function narrowTypes(types: Uint32Array, names: ReadonlySet<number>): number | undefined {
  let to = 0;
  for (let at = 0; at < types.length;) {
    const info = types[at + 1];
    const kind = btfKind(info);
    const rest = REST[kind];
    if (rest === undefined) return undefined;
    const entries = info & LENGTH_MASK;
    const next = at + TYPE_WORDS + rest[0] + rest[1] * entries;
    if (next > types.length) return undefined;
    const begin = to;
    // A union takes its size from its members: those stay.
    const untilMembers = kind === KIND_STRUCT ? at + TYPE_WORDS : next;
    while (at < untilMembers) types[to++] = types[at++];
    let kept = 0;
    for (; at < next; at += MEMBER_WORDS) {
      if (types[at] !== 0 && !names.has(types[at])) continue;
      for (let word = 0; word < MEMBER_WORDS; word++) types[to++] = types[at + word];
      kept++;
    }
    if (kind === KIND_STRUCT) types[begin + 1] = (info & ~LENGTH_MASK) | kept;
  }
  return to;
}
