import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { escapeText, jsonString, jsonText } from "../../../src/text/escape.ts";
import { anyText } from "../record/arbitrary_handshake.ts";

const CASES: { input: string; text: string; json: string }[] = [
  { input: "", text: "", json: '""' },
  { input: "curl", text: "curl", json: '"curl"' },
  { input: "a b!~", text: "a b!~", json: '"a b!~"' },
  { input: '"', text: '"', json: String.raw`"\""` },
  { input: "\\", text: String.raw`\\`, json: String.raw`"\\"` },
  { input: "\\u{1b}", text: String.raw`\\u{1b}`, json: String.raw`"\\u{1b}"` },
  // C0, DEL, C1.
  { input: "\0", text: String.raw`\u{0}`, json: String.raw`"\u0000"` },
  { input: "a\nb", text: String.raw`a\u{a}b`, json: String.raw`"a\nb"` },
  { input: "\x1b[2J", text: String.raw`\u{1b}[2J`, json: String.raw`"\u001b[2J"` },
  { input: "\x7f", text: String.raw`\u{7f}`, json: String.raw`"\u007f"` },
  {
    input: "\u0080\u009b\u009f",
    text: String.raw`\u{80}\u{9b}\u{9f}`,
    json: String.raw`"\u0080\u009b\u009f"`,
  },
  // Bidirectional and other invisible characters, separators of lines.
  { input: "\u202e\u2066", text: String.raw`\u{202e}\u{2066}`, json: String.raw`"\u202e\u2066"` },
  {
    input: "\u200b\ufeff\xad",
    text: String.raw`\u{200b}\u{feff}\u{ad}`,
    json: String.raw`"\u200b\ufeff\u00ad"`,
  },
  { input: "\u2028\u2029", text: String.raw`\u{2028}\u{2029}`, json: String.raw`"\u2028\u2029"` },
  // Lone surrogates, private and unassigned code points, a tag beyond the first plane.
  { input: "\ud800", text: String.raw`\u{d800}`, json: String.raw`"\ud800"` },
  { input: "\udc00\ud800", text: String.raw`\u{dc00}\u{d800}`, json: String.raw`"\udc00\ud800"` },
  { input: "\ue000", text: String.raw`\u{e000}`, json: String.raw`"\ue000"` },
  { input: "\u{e0041}", text: String.raw`\u{e0041}`, json: String.raw`"\udb40\udc41"` },
  { input: "\u{10ffff}", text: String.raw`\u{10ffff}`, json: String.raw`"\udbff\udfff"` },
  // Plainly printable, in every plane.
  { input: "für 東京 🦀", text: "für 東京 🦀", json: '"für 東京 🦀"' },
];

Deno.test("escapeText shows what a terminal would act on", () => {
  for (const { input, text } of CASES) assertEquals(escapeText(input), text);
});

Deno.test("jsonString escapes what a terminal would act on", () => {
  for (const { input, json } of CASES) assertEquals(jsonString(input), json);
});

/** Whether a string has a character that does anything but stand there. */
function isHarmless(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0)!;
    const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0);
    const isBidirectional = code === 0x061c || code === 0x200e || code === 0x200f ||
      (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    const endsLine = code === 0x2028 || code === 0x2029;
    const isSurrogate = code >= 0xd800 && code < 0xe000;
    if (isControl || isBidirectional || endsLine || isSurrogate) return false;
  }
  return true;
}

Deno.test("escapeText leaves nothing that acts on a terminal and stays one to one", () => {
  fc.assert(
    fc.property(anyText(), (input) => {
      const text = escapeText(input);
      assert(isHarmless(text));
      const back = text.replace(
        /\\(?:\\|u\{([0-9a-f]+)\})/g,
        (_, hex) => hex ? String.fromCodePoint(parseInt(hex, 16)) : "\\",
      );
      assertEquals(back, input);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("jsonString leaves nothing that acts on a terminal and parses back", () => {
  fc.assert(
    fc.property(anyText(), (input) => {
      const json = jsonString(input);
      assert(isHarmless(json));
      assertEquals(JSON.parse(json), input);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("escapeText and jsonString escape each of the code points that act", () => {
  for (let code = 0; code <= 0xffff; code++) {
    const character = String.fromCharCode(code);
    if (isHarmless(character)) continue;
    assertEquals(escapeText(character), `\\u{${code.toString(16)}}`);
    assert(isHarmless(jsonString(character)), code.toString(16));
  }
});

Deno.test("jsonText escapes every string of a value, which is read back as it was", () => {
  fc.assert(fc.property(fc.dictionary(anyText(), fc.array(anyText())), (value) => {
    const text = jsonText(value);
    assertEquals(JSON.parse(text), JSON.parse(JSON.stringify(value)));
    assert(!/[\p{C}\p{Zl}\p{Zp}]/u.test(text));
  }));
});
