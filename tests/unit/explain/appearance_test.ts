import { assert, assertEquals } from "@std/assert";
import { ASCII, type Line, paint, UNICODE } from "../../../src/explain/appearance.ts";

const LINES: Line[] = [[{ text: "a" }, { text: " 1 µs  ", style: "bad" }], []];

Deno.test("paint writes lines, coloured where asked for", () => {
  assertEquals(paint(LINES, { color: false, ascii: false }), "a 1 µs\n\n");
  assertEquals(paint(LINES, { color: true, ascii: false }), "a\x1b[31m 1 µs  \x1b[0m\n\n");
  assertEquals(paint(LINES, { color: true, ascii: true }), "a\x1b[31m 1 us  \x1b[0m\n\n");
});

Deno.test("ASCII draws with ASCII, and both draw arrows and bars one character wide", () => {
  for (const glyph of Object.values(ASCII)) assert(/^[\x21-\x7e]+$/.test(glyph), glyph);
  const { held: _a, failed: _b, unknown: _c, ...drawn } = UNICODE;
  for (const [name, glyph] of Object.entries(drawn)) {
    assertEquals([glyph.length, ASCII[name as keyof typeof drawn].length], [1, 1], name);
  }
});
