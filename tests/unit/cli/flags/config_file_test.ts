import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  ConfigError,
  type ConfigValue,
  parseConfig,
} from "../../../../src/cli/flags/config_file.ts";

/** The keys of a text with their values. */
function valuesOf(text: string): [string, ConfigValue][] {
  return parseConfig(`[t]\n${text}`).map(({ key, value }) => [key, value]);
}

Deno.test("parseConfig reads tables, keys, values and comments, with their lines", () => {
  const text = [
    "# services\r",
    "[ trace ] # of the unit",
    "",
    'port = ["443", "8000-8999", 80,]',
    "comm='C:\\x'\t# as it is",
    'host = "a\\"b\\\\\\u00e4\\U0001F600\\t"',
    "failed = true",
    "count=-1.5",
    "list = []",
    "[read]",
    "failed = false",
  ].join("\n");
  assertEquals(parseConfig(text), [
    { table: "trace", key: "port", value: ["443", "8000-8999", 80], line: 4 },
    { table: "trace", key: "comm", value: "C:\\x", line: 5 },
    { table: "trace", key: "host", value: 'a"b\\ä\u{1F600}\t', line: 6 },
    { table: "trace", key: "failed", value: true, line: 7 },
    { table: "trace", key: "count", value: -1.5, line: 8 },
    { table: "trace", key: "list", value: [], line: 9 },
    { table: "read", key: "failed", value: false, line: 11 },
  ]);
});

for (
  const { text, reason } of [
    { text: "port", reason: 'the line ends too soon: after the key "port" comes = and its value' },
    { text: "port =", reason: "the line ends too soon: give a" },
    { text: "port = 443 x", reason: "at x: behind it only a comment may stand" },
    { text: "port = 0443", reason: "at 0443: give a" },
    { text: "port = 1_000", reason: "at 1_000: give a" },
    { text: "port = 0x1f", reason: "at 0x1f: give a" },
    { text: "port = 1e5", reason: "at 1e5: give a" },
    { text: "port = 99999999999999999999", reason: "is too large" },
    { text: "since = 2026-11-23", reason: "at 2026-11-23: give a" },
    { text: "failed = yes", reason: "at yes: give a" },
    { text: "failed = truely", reason: "at truely: give a" },
    { text: 'comm = """curl"""', reason: "a string stands on one line" },
    { text: "comm = '''curl'''", reason: "a string stands on one line" },
    { text: 'comm = "curl', reason: 'at "curl: give a' },
    { text: 'comm = "a\\q"', reason: '"\\q" means nothing in a string' },
    { text: 'comm = "\\ud800"', reason: '"\\ud800" is no character' },
    { text: 'comm = "\u0007"', reason: "give a" },
    { text: "port = [80", reason: "a list is written [one, other] on one line" },
    { text: "port = [[80]]", reason: "at [80]]: give a" },
    { text: "port = {a = 1}", reason: "at {a = 1}: give a" },
    { text: "trace.port = 80", reason: "at .port = 80: after the key" },
    { text: '"port" = 80', reason: 'at "port" = 80: give a key' },
    { text: "[[trace]]", reason: "at [trace]]: give a table's name" },
    { text: "[trace", reason: "the line ends too soon: a table is written [name]" },
    { text: "[a.b]", reason: "at .b]: a table is written [name]" },
    { text: "\ufeff[trace]", reason: "give a key" },
  ]
) {
  Deno.test(`parseConfig refuses ${JSON.stringify(text)} with the number of its line`, () => {
    const error = assertThrows(() => parseConfig(`[t]\n${text}\n`), ConfigError, reason);
    assertEquals(error.line, 2);
  });
}

Deno.test("parseConfig refuses a key or a table that stands there twice", () => {
  const key = assertThrows(() => parseConfig("[t]\na = 1\na = 2"), ConfigError, "twice");
  assertEquals(key.line, 3);
  const table = assertThrows(() => parseConfig("[a]\n[b]\n[a]"), ConfigError, "twice");
  assertEquals(table.line, 3);
});

const text = fc.string({ unit: "binary" }).filter((value) => value.isWellFormed());
const number = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -999, max: 999 }).map((n) => n / 8));
const scalar = fc.oneof(text, number);
const value: fc.Arbitrary<ConfigValue> = fc.oneof(scalar, fc.boolean(), fc.array(scalar));

/** A value in TOML: JSON's escapes are those of TOML, and control characters are escaped here. */
function write(value: ConfigValue): string {
  if (Array.isArray(value)) return `[ ${value.map(write).join(" , ")} ]`;
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value).replace(
    /\p{Cc}/gu,
    (character) => "\\u00" + character.charCodeAt(0).toString(16),
  );
}

Deno.test("parseConfig reads back whatever is written", () => {
  fc.assert(fc.property(fc.array(value), (values) => {
    const written = values.map((each, at) => `key-${at} = ${write(each)} # "]`).join("\n");
    // A number that is no integer keeps its sign.
    const expected = values.map((each, at) => [`key-${at}`, each]);
    assertEquals(JSON.stringify(valuesOf(written)), JSON.stringify(expected));
  }));
});

Deno.test("parseConfig reads or refuses any text, and names a line of it", () => {
  const pieces = fc.constantFrom(
    ...["[", "]", "=", '"', "'", "\\", ",", "#", "\n", "\r", " ", "a", "trace", "1", ".", "true"],
    ...['"""', "\\u00", "\0", "-", "+", "é"],
  );
  const any = fc.oneof(fc.string(), fc.array(pieces).map((parts) => parts.join("")));
  fc.assert(fc.property(any, (text) => {
    try {
      parseConfig(text);
    } catch (error) {
      assert(error instanceof ConfigError, String(error));
      assert(error.line >= 1 && error.line <= text.split("\n").length);
    }
  }));
});
