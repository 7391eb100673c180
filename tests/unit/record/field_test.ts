import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ByteText } from "../../../src/text/byte_text.ts";
import { type FieldValue, LastingTexts } from "../../../src/record/field.ts";
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

Deno.test("LastingTexts.of returns one frozen list as long as the texts stay the same", () => {
  const lasting = new LastingTexts();
  const texts = ["ecn", "one_sided"];
  const list = lasting.of(texts);
  assertEquals(list, ["ecn", "one_sided"]);
  assert(Object.isFrozen(list));
  assertStrictEquals(lasting.of(["ecn", "one_sided"]), list);
  assertEquals(lasting.of([]), []);
});

for (
  const [name, other] of [
    ["fewer", ["ecn"]],
    ["more", ["ecn", "one_sided", "trace_ended"]],
    ["others", ["ecn", "mptcp"]],
    ["none", []],
  ] as const
) {
  Deno.test(`LastingTexts.of returns another list for ${name} texts, and keeps the one before`, () => {
    const lasting = new LastingTexts();
    const texts = ["ecn", "one_sided"];
    const before = lasting.of(texts);
    texts.splice(0, texts.length, ...other);
    const list = lasting.of(texts);
    assert(list !== before);
    assertEquals(list, [...other]);
    assertEquals(before, ["ecn", "one_sided"]);
  });
}
