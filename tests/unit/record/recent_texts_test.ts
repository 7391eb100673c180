import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { textAt } from "../../../src/record/recent_texts.ts";

const encoder = new TextEncoder();

Deno.test("textAt gives the text of any bytes, again and again", () => {
  fc.assert(fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 400 })), (texts) => {
    for (const text of [...texts, ...texts]) {
      const bytes = encoder.encode(`<${text}>`);
      assertEquals(textAt(bytes, 1, bytes.length - 1, false), text);
      // What was given is not of these bytes.
      bytes.fill(0x61);
    }
  }));
});

Deno.test("textAt resolves escapes where there are some, of the same bytes too", () => {
  const bytes = encoder.encode("\\u0041");
  for (let time = 0; time < 2; time++) {
    assertEquals(textAt(bytes, 0, bytes.length, true), "A");
    assertEquals(textAt(bytes, 0, bytes.length, false), "\\u0041");
  }
});

Deno.test("textAt gives nothing for what is no UTF-8 or no escape", () => {
  for (const bytes of [[0xff], [0xc3], [0x61, 0x80]]) {
    assertEquals(textAt(Uint8Array.from(bytes), 0, bytes.length, false), undefined);
  }
  const bytes = encoder.encode("\\x41");
  assertEquals(textAt(bytes, 0, bytes.length, true), undefined);
});
