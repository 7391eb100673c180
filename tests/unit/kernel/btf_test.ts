import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Btf, btfKind, readBtf, writeBtf } from "../../../src/kernel/btf.ts";

/** A header with version 1 and nothing behind it. */
const HEADER = Uint8Array.of(0x9f, 0xeb, 1, 7, ...new Uint8Array(20));

Deno.test("readBtf finds the parts that writeBtf wrote, and the rest of the header stays", () => {
  const words = fc.array(fc.nat(0xffffffff));
  const strings = fc.uint8Array({ max: 0x7f });
  fc.assert(fc.property(words, strings, (words, strings) => {
    // A part of an array with more before and behind it.
    const types = Uint32Array.from([1, ...words, 2]).subarray(1, -1);
    const bytes = writeBtf(HEADER, { types, strings: strings as Uint8Array<ArrayBuffer> });
    assertEquals(bytes.subarray(0, 4), HEADER.subarray(0, 4));
    const read = readBtf(bytes)!;
    assertEquals([...read.types], words);
    assertEquals([...read.strings], [...strings]);
  }));
});

Deno.test("readBtf takes bytes that begin at any byte of their memory", () => {
  const types = Uint32Array.of(1, 2, 3);
  const bytes = writeBtf(HEADER, { types, strings: new Uint8Array(5) });
  for (const offset of [0, 1, 2, 3, 4]) {
    const moved = new Uint8Array(bytes.length + offset).subarray(offset);
    moved.set(bytes);
    assertEquals(readBtf(moved)!.types, types);
  }
});

Deno.test("readBtf takes a header that is longer, and parts in any order", () => {
  const bytes = new Uint8Array(40);
  bytes.set(HEADER);
  const view = new DataView(bytes.buffer);
  const header = [28, 4, 8, 0, 4];
  for (const [index, value] of header.entries()) view.setUint32(4 + index * 4, value, true);
  bytes.set(new TextEncoder().encode("\0ab\0"), 28);
  view.setUint32(32, 0x0c000002, true);
  view.setUint32(36, 9, true);
  const btf = readBtf(bytes)!;
  assertEquals([...btf.types], [0x0c000002, 9]);
  assertEquals(btf.placesOf(["ab"]), [["ab", 1]]);
  assertEquals(btfKind(btf.types[0]), 12);
});

Deno.test("readBtf refuses what is cut or is something else", () => {
  const types = Uint32Array.of(1, 2, 3);
  const whole = writeBtf(HEADER, { types, strings: new Uint8Array(5) });
  for (let length = 0; length < whole.length; length++) {
    assertEquals(readBtf(whole.slice(0, length)), undefined);
  }
  const other = whole.slice();
  other[0] ^= 1;
  assertEquals(readBtf(other), undefined);
  const odd = whole.slice();
  odd[12] -= 1;
  assertEquals(readBtf(odd), undefined);
});

Deno.test("readBtf throws on no bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (rest) => {
    const bytes = new Uint8Array([...HEADER.subarray(0, 4), ...rest]);
    const btf = readBtf(bytes);
    assertEquals(btf === undefined || btf.strings.length <= bytes.length, true);
  }));
});

Deno.test("Btf finds names wherever they stand among very many, and none that only begins so", () => {
  const lengths = [5, 40_000, 1, 32_766, 32_767, 32_768, 70_000, 3];
  const names = Array.from({ length: 20_000 }, (_, at) => `name_${at}`);
  for (const [at, length] of lengths.entries()) {
    names.splice(at * 2_000, 0, String.fromCharCode(0x61 + at).repeat(length));
  }
  const strings = new TextEncoder().encode(`\0${names.join("\0")}\0`);
  const btf = new Btf({ types: new Uint32Array(0), strings });
  const expected: [string, number][] = [];
  let at = 1;
  for (const name of names) {
    expected.push([name, at]);
    at += name.length + 1;
  }
  const isAsked = ([name]: [string, number]) => name.length < 100 && /[05a-h]$/.test(name);
  const asked = expected.filter(isAsked);
  assertEquals(btf.placesOf([...asked.map(([name]) => name), "name", "name_99999", ""]), asked);
  assertEquals(btf.placesOf([]), []);
  // The last one cut off.
  const cut = new Btf({ types: btf.types, strings: strings.subarray(0, -1) });
  assertEquals(cut.placesOf([names.at(-1)!]), []);
});
