import { assert, assertEquals } from "@std/assert";
import { RowBytes } from "../../../../src/store/ship/row_bytes.ts";

Deno.test("RowBytes holds rows as UTF-8, however many and however wide", () => {
  const rows = new RowBytes();
  assertEquals(rows.bytes(), new Uint8Array());
  const texts = Array.from(
    { length: 3_000 },
    (_, at) => `{"at":${at},"name":"${"é€😀".repeat(9)}"}\n`,
  );
  const long = `{"long":"${"x".repeat(300_000)}"}\n`;
  for (const text of [...texts, long]) rows.add(text);
  const all = new TextEncoder().encode(texts.join("") + long);
  assertEquals(rows.length, all.length);
  assert(rows.bytes().every((byte, at) => byte === all[at]));
});

Deno.test("RowBytes, cleared, begins anew in the same memory", () => {
  const rows = new RowBytes();
  rows.add("one\n");
  const { buffer } = rows.bytes();
  rows.clear();
  assertEquals(rows.length, 0);
  rows.add("two\n");
  assertEquals(new TextDecoder().decode(rows.bytes()), "two\n");
  assert(rows.bytes().buffer === buffer);
});
