import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  clipLine,
  fit,
  fitScreen,
  lineWidth,
  plainLine,
  skipPlaces,
} from "../../../../src/output/top/screen_line.ts";
import { widthOf } from "../../../../src/text/width.ts";

const anyText = () => fc.string({ unit: "grapheme" });

Deno.test("clipLine cuts at the width and marks it, whatever pieces it has", () => {
  const line = [{ text: "abc", style: "bad" as const }, { text: "日本" }, { text: "x" }];
  const clipped = (width: number) => clipLine(line, width, false).map(({ text }) => text).join("");
  assertEquals([8, 7, 6, 4, 3, 2, 0].map(clipped), [
    "abc日本x",
    "abc日…",
    "abc日…",
    "abc…",
    "ab…",
    "a…",
    "",
  ]);
  assertEquals(clipLine(plainLine("abcd"), 3, true), [{ text: "ab~", style: undefined }]);
});

Deno.test("clipLine and fit keep within the width, of any text", () => {
  const lines = fc.array(anyText().map((text) => ({ text })));
  fc.assert(fc.property(lines, anyText(), fc.integer({ min: 1, max: 30 }), (line, text, width) => {
    assert(lineWidth(clipLine(line, width, false)) <= width);
    assertEquals(widthOf(fit(text, width, "right", false)), width);
  }));
});

Deno.test("skipPlaces leaves out the first places", () => {
  const line = [{ text: "ab" }, { text: "日本c" }];
  const skipped = (places: number) => skipPlaces(line, places).map(({ text }) => text).join("");
  assertEquals([0, 1, 2, 3, 4, 9].map(skipped), ["ab日本c", "b日本c", "日本c", "本c", "本c", ""]);
});

Deno.test("fitScreen has no more lines than the screen, in ASCII where that is asked for", () => {
  const lines = [plainLine("12 µs é"), plainLine("b"), plainLine("c")];
  assertEquals(
    fitScreen(lines, { columns: 20, rows: 2 }, true).map((line) => line[0].text),
    ["12 us \\u{e9}", "b"],
  );
});
