import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ByteText } from "../../../src/text/byte_text.ts";
import { jsonString } from "../../../src/text/escape.ts";
import type { FieldValue } from "../../../src/record/field.ts";
import { writeJsonValue } from "../../../src/record/json_value.ts";
import { anyText } from "./arbitrary_handshake.ts";

function json(value: FieldValue): string {
  const text = new ByteText();
  writeJsonValue(text, value);
  return text.toString();
}

Deno.test("writeJsonValue writes every kind of value", () => {
  const address = new ByteText();
  address.text("10.0.0.1");
  const cases: { input: FieldValue; expected: string }[] = [
    { input: 0, expected: "0" },
    { input: -52_000, expected: "-52000" },
    { input: true, expected: "true" },
    { input: false, expected: "false" },
    { input: null, expected: "null" },
    { input: "", expected: '""' },
    { input: "curl", expected: '"curl"' },
    { input: 'a"\x1b', expected: String.raw`"a\"\u001b"` },
    { input: address, expected: '"10.0.0.1"' },
    { input: [], expected: "[]" },
    { input: ["wire"], expected: '["wire"]' },
    { input: ["wire", 'a"b'], expected: String.raw`["wire","a\"b"]` },
  ];
  for (const { input, expected } of cases) assertEquals(json(input), expected);
});

Deno.test("writeJsonValue writes any string as jsonString, again and again", () => {
  fc.assert(fc.property(anyText(), (text) => {
    assertEquals([json(text), json(text)], [jsonString(text), jsonString(text)]);
    const long = text + "x".repeat(300);
    assertEquals([json(long), json(long)], [jsonString(long), jsonString(long)]);
  }));
});

Deno.test("writeJsonValue writes more strings than it keeps encoded", () => {
  const numbers = Array.from({ length: 3_000 }, (_, number) => `name-${number}`);
  for (const text of [...numbers, ...numbers]) assertEquals(json(text), `"${text}"`);
});
