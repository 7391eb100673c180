import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { narrowBtf } from "../../../src/kernel/narrow_btf.ts";
import {
  buildBtf,
  HEADER_BYTES,
  KIND_ENUM64,
  KIND_FUNC,
  KIND_INT,
  KIND_PTR,
  KIND_STRUCT,
  KIND_TYPE_TAG,
  KIND_UNION,
  member,
  type Type,
} from "./build_btf.ts";

const INT: Type = { name: "unsigned int", kind: KIND_INT, size: 4, more: [32] };
const SOCK: Type = {
  name: "sock",
  kind: KIND_STRUCT,
  size: 760,
  flag: true,
  entries: [
    member("__sk_common", 1, 0),
    member("sk_rx_dst", 2, 1088),
    member("", 4, 2048),
    member("sk_err", 1, 0x10000800),
  ],
};
/** A union, and after it types whose lengths must be known to find what follows. */
const OTHERS: Type[] = [
  {
    name: "address",
    kind: KIND_UNION,
    size: 16,
    entries: [member("words", 1, 0), member("bytes", 1, 0)],
  },
  { name: "state", kind: KIND_ENUM64, size: 8, entries: [member("sk_rx_dst", 7, 0)] },
  { name: "tcp_connect", kind: KIND_FUNC, size: 1 },
  { name: "rcu", kind: KIND_TYPE_TAG, size: 1 },
];

/** What is left of a structure by this program. */
function keptOf(type: Type, names: readonly string[]): Type {
  return { ...type, entries: type.entries!.filter(({ name }) => names.includes(name)) };
}

/** Every type as its words, names as text, so that descriptions with other strings can be compared. */
function namesOf(bytes: Uint8Array<ArrayBuffer>): string[] {
  const view = new DataView(bytes.buffer);
  const at = view.getUint32(4, true);
  const length = view.getUint32(12, true);
  const strings = bytes.subarray(at + view.getUint32(16, true));
  assertEquals(strings.length, view.getUint32(20, true));
  const text = new TextDecoder().decode(strings);
  const nameAt = (place: number) => text.slice(place, text.indexOf("\0", place));
  const told: string[] = [];
  for (let to = at; to < at + length;) {
    const info = view.getUint32(to + 4, true);
    const kind = (info >>> 24) & 0x1f;
    const words = kind === KIND_INT ? 1 : (info & 0xffff) * 3;
    const rest: (string | number)[] = [];
    for (let word = 0; word < words; word++) {
      const value = view.getUint32(to + 12 + word * 4, true);
      rest.push(kind !== KIND_INT && word % 3 === 0 ? nameAt(value) : value);
    }
    told.push(
      [nameAt(view.getUint32(to, true)), info, view.getUint32(to + 8, true), ...rest].join(" "),
    );
    to += 12 + words * 4;
  }
  return told;
}

Deno.test("narrowBtf leaves of a structure the members that the program names", () => {
  const table = [
    { program: "$sk->sk_err", kept: ["sk_err", ""] },
    {
      program: "$tp->__sk_common.skc_net + $sk ->  sk_rx_dst",
      kept: ["__sk_common", "sk_rx_dst", ""],
    },
    // Neither variables, nor parts of names, are members.
    { program: "$sk_err = sk_err; $x->sk_error; $x->err", kept: [""] },
    { program: "", kept: [""] },
  ];
  const btf = buildBtf([INT, SOCK, ...OTHERS]);
  for (const { program, kept } of table) {
    const expected = buildBtf([INT, keptOf(SOCK, kept), ...OTHERS]);
    assertEquals(namesOf(narrowBtf(btf.slice(), program)!), namesOf(expected), program);
  }
});

Deno.test("narrowBtf reads past a longer header and writes the one that it knows", () => {
  assertEquals(
    narrowBtf(buildBtf([INT, SOCK, ...OTHERS], HEADER_BYTES + 8), "$sk->sk_err"),
    narrowBtf(buildBtf([INT, SOCK, ...OTHERS]), "$sk->sk_err"),
  );
  assertEquals(narrowBtf(buildBtf([INT]), ""), buildBtf([INT]));
});

Deno.test("narrowBtf refuses what it does not know", () => {
  const whole = buildBtf([INT, SOCK, ...OTHERS]);
  const otherMagic = whole.slice();
  otherMagic[0] = 0;
  const table = [
    new Uint8Array(),
    whole.slice(0, HEADER_BYTES - 1),
    otherMagic,
    whole.slice(0, whole.length - 1),
    buildBtf([{ name: "later", kind: 31, size: 4 }]),
    // The last type says that there is more of it.
    buildBtf([{ ...INT, more: [] }]),
  ];
  for (const bytes of table) assertEquals(narrowBtf(bytes, "$sk->sk_err"), undefined);
});

Deno.test("narrowBtf never throws, whatever the bytes", () => {
  const whole = buildBtf([INT, SOCK, ...OTHERS, { name: "", kind: KIND_PTR, size: 2 }]);
  const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
  fc.assert(fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
    const bytes = whole.slice();
    for (const [at, byte] of changes) bytes[at] = byte;
    const narrowed = narrowBtf(bytes, "$sk->sk_err");
    return narrowed === undefined || narrowed.length <= bytes.length;
  }));
});
