import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ByteText, ConstantText } from "../../../src/text/byte_text.ts";

/** Well-formed text as it is written: without control characters. */
const printable = fc.string({ unit: "grapheme", maxLength: 40 })
  .filter((text) => !/\p{C}/u.test(text));

function textOf(append: (text: ByteText) => void): string {
  const text = new ByteText(0);
  append(text);
  return text.toString();
}

Deno.test("ByteText.integer writes any safe integer as String does", () => {
  const edges = [0, 9, 10, 99, 100, 999, 1e3, 1e6 - 1, 1e6, 1e9 - 1, 1e9, 1e12, 2 ** 31, 2 ** 32]
    .flatMap((value) => [value, -value]);
  for (const value of [...edges, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    assertEquals(textOf((text) => text.integer(value)), String(value));
  }
  const digits = fc.integer({ min: 0, max: 15 }).chain((count) =>
    fc.integer({ min: -(10 ** count), max: 10 ** count })
  );
  fc.assert(fc.property(fc.oneof(digits, fc.maxSafeInteger()), (value) => {
    assertEquals(textOf((text) => text.integer(value)), String(value));
  }));
});

Deno.test("ByteText.integer writes a number that JSON.parse reads where it is not safe", () => {
  const edges = [2 ** 53, 2 ** 59, 1e18 - 128, 1e18, 1.000001e18, 2 ** 63, 2 ** 64, 1e21];
  for (const value of edges.flatMap((edge) => [edge, -edge])) {
    assertEquals(JSON.parse(textOf((text) => text.integer(value))), value);
  }
});

Deno.test("ByteText.nineDigits writes leading zeros", () => {
  fc.assert(fc.property(fc.nat({ max: 999_999_999 }), (value) => {
    assertEquals(textOf((text) => text.nineDigits(value)), String(value).padStart(9, "0"));
  }));
});

Deno.test("ByteText holds what was appended, however it was, and grows", () => {
  const piece = fc.oneof(
    printable.map((text) => ({ kind: "text" as const, text })),
    printable.map((text) => ({ kind: "constant" as const, text })),
    printable.map((text) => ({ kind: "append" as const, text })),
    fc.constantFrom(..."aZ09{}").map((text) => ({ kind: "character" as const, text })),
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 30 }), fc.nat({ max: 50 }), (pieces, room) => {
    const whole = new ByteText(room);
    for (const { kind, text } of pieces) {
      switch (kind) {
        case "text":
          whole.text(text);
          break;
        case "constant":
          whole.constant(new ConstantText(text));
          break;
        case "append": {
          const other = new ByteText();
          other.text(text);
          whole.append(other);
          break;
        }
        case "character":
          whole.character(text.charCodeAt(0));
      }
    }
    const expected = pieces.map(({ text }) => text).join("");
    assertEquals(whole.toString(), expected);
    assertEquals(whole.take(), new TextEncoder().encode(expected));
    assertEquals(whole.toString(), "");
  }));
});

Deno.test("ByteText.textFrom gives what was appended from a place on", () => {
  const text = new ByteText(4);
  text.text("ngin\u00e9");
  const from = text.length;
  text.text("x: \u00e9");
  assertEquals(text.textFrom(from), "x: \u00e9");
  assertEquals(text.textFrom(text.length), "");
});

Deno.test("ConstantText keeps every byte that UTF-8 of printable text has", () => {
  // Each byte at each place of the eight that move at once, among them the place of a NaN's exponent.
  for (let code = 0x20; code < 0x3000; code++) {
    const character = String.fromCharCode(code);
    if (/\p{C}/u.test(character)) continue;
    const constant = new ConstantText(character.repeat(11));
    assertEquals(textOf((text) => text.constant(constant)), character.repeat(11));
  }
});

Deno.test("ByteText.bytes appends what is there already", () => {
  fc.assert(fc.property(fc.array(printable), (parts) => {
    const encoder = new TextEncoder();
    const joined = textOf((text) => parts.forEach((part) => text.bytes(encoder.encode(part))));
    assertEquals(joined, parts.join(""));
  }));
});
