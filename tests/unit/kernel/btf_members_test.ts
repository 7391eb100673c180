import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { readBtf } from "../../../src/kernel/btf.ts";
import { membersInBtf } from "../../../src/kernel/btf_members.ts";
import { buildBtf, KIND_FUNC, KIND_INT, KIND_STRUCT, member, type Type } from "./build_btf.ts";

const INT: Type = { name: "int", kind: KIND_INT, size: 4, more: [32] };
const TYPES: Type[] = [
  INT,
  // A function of that name, and a structure whose member is called so.
  { name: "sock_common", kind: KIND_FUNC, size: 1 },
  {
    name: "sock",
    kind: KIND_STRUCT,
    size: 8,
    entries: [member("sock_common", 3, 0), member("skc_v6_daddr", 1, 8)],
  },
  {
    name: "sock_common",
    kind: KIND_STRUCT,
    size: 136,
    flag: true,
    entries: [
      member("", 1, 0),
      member("skc_v6_daddr", 1, 56 * 8),
      // A bit field: its width stands above its offset.
      member("skc_v6_rcv_saddr", 1, 0x01000000 | (72 * 8)),
    ],
  },
];
const NAMES = ["skc_v6_rcv_saddr", "skc_v6_daddr"];

Deno.test("membersInBtf finds where a structure's own members begin", () => {
  assertEquals(membersInBtf(readBtf(buildBtf(TYPES))!, "sock_common", NAMES), [72, 56]);
  assertEquals(membersInBtf(readBtf(buildBtf(TYPES))!, "sock", NAMES), [undefined, 1]);
});

Deno.test("membersInBtf finds nothing of what is not there, and takes no nameless member", () => {
  const btf = readBtf(buildBtf(TYPES))!;
  assertEquals(membersInBtf(btf, "sock_common", ["absent", ""]), [undefined, undefined]);
  assertEquals(membersInBtf(btf, "tcp_sock", NAMES), [undefined, undefined]);
});

Deno.test("membersInBtf throws on no bytes", () => {
  const btf = buildBtf(TYPES);
  const change = fc.tuple(fc.nat(btf.length - 1), fc.nat(255));
  fc.assert(fc.property(fc.array(change), (changes) => {
    const bytes = btf.slice();
    for (const [at, value] of changes) bytes[at] = value;
    const description = readBtf(bytes);
    const places = description ? membersInBtf(description, "sock_common", NAMES) : [];
    assertEquals(places.every((place) => place === undefined || place >= 0), true);
  }));
});
