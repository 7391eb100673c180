import { assertEquals } from "@std/assert";
import { ByteText } from "../../../src/text/byte_text.ts";
import type { FieldValue } from "../../../src/record/field.ts";
import { FIELDS } from "../../../src/record/fields.ts";
import { CONTEXT, HANDSHAKES } from "./sample_handshakes.ts";

function typeOf(value: FieldValue): string {
  if (value instanceof ByteText) return "string";
  if (Array.isArray(value)) return "strings";
  return Number.isSafeInteger(value) ? "integer" : value === null ? "null" : typeof value;
}

Deno.test("Field gives values of its type, and null only where it can be", () => {
  const given = new Set<string>();
  for (const handshake of HANDSHAKES) {
    for (const { path, type, values, nullable, get } of FIELDS) {
      const value = get(handshake, CONTEXT);
      if (value === undefined) continue;
      given.add(path);
      const expected = nullable && value === null ? "null" : type;
      assertEquals(typeOf(value), expected, path);
      if (values === undefined || value === null) continue;
      const texts = Array.isArray(value) ? value : [String(value)];
      assertEquals(texts.filter((text) => !values.includes(text)), [], path);
    }
  }
  assertEquals(given.size, FIELDS.length);
});
