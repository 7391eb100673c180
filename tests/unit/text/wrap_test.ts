import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { wrap } from "../../../src/text/wrap.ts";

const CASES: { text: string; width: number; expected: string[] }[] = [
  { text: "one two three", width: 7, expected: ["one two", "three"] },
  { text: "one two three", width: 6, expected: ["one", "two", "three"] },
  { text: "a loooong word", width: 4, expected: ["a", "looo", "ong", "word"] },
  { text: "aaa😀b", width: 4, expected: ["aaa", "😀b"] },
  { text: "", width: 4, expected: [""] },
];

for (const { text, width, expected } of CASES) {
  Deno.test(`wrap breaks "${text}" at ${width}`, () => assertEquals(wrap(text, width), expected));
}

Deno.test("wrap loses nothing but spaces, and no line is too long", () => {
  const word = fc.string({ unit: "grapheme" });
  fc.assert(fc.property(fc.array(word), fc.integer({ min: 2, max: 20 }), (words, width) => {
    const text = words.join(" ");
    const lines = wrap(text, width);
    assertEquals(lines.join("").replaceAll(" ", ""), text.replaceAll(" ", ""));
    for (const line of lines) assert(line.length <= width && line.isWellFormed(), line);
  }));
});
