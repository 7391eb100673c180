import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { readBtf } from "../../../src/kernel/btf.ts";
import { functionsInBtf } from "../../../src/kernel/btf_functions.ts";

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
const KIND_STRUCT = 4;
const KIND_FUNC = 12;

interface Type {
  name: string;
  kind: number;
}

/** A description with types of three words each: a place of a name, a kind, a reference. */
function buildBtf(types: Type[]): Uint8Array<ArrayBuffer> {
  const places = new Map<string, number>();
  let strings = "\0";
  for (const { name } of types) {
    if (!places.has(name)) {
      places.set(name, strings.length);
      strings += `${name}\0`;
    }
  }
  const typeBytes = types.length * 12;
  const bytes = new Uint8Array(HEADER_BYTES + typeBytes + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, MAGIC, true);
  view.setUint8(2, 1);
  for (const [index, value] of [HEADER_BYTES, 0, typeBytes, typeBytes, strings.length].entries()) {
    view.setUint32(4 + index * 4, value, true);
  }
  for (const [index, { name, kind }] of types.entries()) {
    const at = HEADER_BYTES + index * 12;
    view.setUint32(at, places.get(name)!, true);
    // The lowest bits hold a function's linkage.
    view.setUint32(at + 4, kind << 24 | 1, true);
    view.setUint32(at + 8, 1, true);
  }
  bytes.set(new TextEncoder().encode(strings), HEADER_BYTES + typeBytes);
  return bytes;
}

const TYPES = [
  { name: "tcp_connect_init", kind: KIND_FUNC },
  { name: "tcp_sock", kind: KIND_STRUCT },
  { name: "tcp_connect", kind: KIND_STRUCT },
  { name: "tcp_conn_request", kind: KIND_FUNC },
  { name: "tcp_connect", kind: KIND_FUNC },
];

Deno.test("functionsInBtf finds functions and nothing else of that name", () => {
  const names = ["tcp_connect", "tcp_sock", "tcp_conn_request", "tcp_conn", "absent", "connect"];
  assertEquals(functionsInBtf(readBtf(buildBtf(TYPES))!, names), [
    "tcp_connect",
    "tcp_conn_request",
  ]);
});

Deno.test("functionsInBtf reads a description that begins at any byte of its memory", () => {
  const btf = buildBtf(TYPES);
  for (const offset of [1, 2, 3]) {
    const bytes = new Uint8Array(btf.length + offset).subarray(offset);
    bytes.set(btf);
    assertEquals(functionsInBtf(readBtf(bytes)!, ["tcp_connect"]), ["tcp_connect"]);
  }
});

Deno.test("functionsInBtf throws on no bytes", () => {
  const btf = buildBtf(TYPES);
  const change = fc.tuple(fc.nat(btf.length - 1), fc.nat(255));
  fc.assert(fc.property(fc.array(change), (changes) => {
    const bytes = btf.slice();
    for (const [at, value] of changes) bytes[at] = value;
    const description = readBtf(bytes);
    const found = description ? functionsInBtf(description, ["tcp_connect"]) : [];
    assertEquals(found.every((name) => name === "tcp_connect"), true);
  }));
});
