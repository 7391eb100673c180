import { assert, assertEquals } from "@std/assert";
import {
  ASCII,
  type Line,
  paint,
  toAscii,
  UNICODE,
} from "../../../../src/report/explain/appearance.ts";

const LINES: Line[] = [[{ text: "a" }, { text: "µ  ", style: "bad" }], []];

Deno.test("paint writes lines, coloured where asked for", () => {
  assertEquals(paint(LINES, { color: false, ascii: false }), "aµ\n\n");
  assertEquals(paint(LINES, { color: true, ascii: false }), "a\x1b[31mµ  \x1b[0m\n\n");
  assertEquals(paint(LINES, { color: true, ascii: true }), "a\x1b[31mu  \x1b[0m\n\n");
});

Deno.test("toAscii escapes what ASCII has not", () => {
  assertEquals(toAscii("a µs é 😀\n"), "a us \\u{e9} \\u{1f600}\n");
});

Deno.test("ASCII draws with ASCII, and both draw arrows and bars one character wide", () => {
  for (const glyph of Object.values(ASCII)) assert(/^[\x21-\x7e]+$/.test(glyph), glyph);
  const { held: _a, failed: _b, unknown: _c, ...drawn } = UNICODE;
  for (const [name, glyph] of Object.entries(drawn)) {
    assertEquals([glyph.length, ASCII[name as keyof typeof drawn].length], [1, 1], name);
  }
});
