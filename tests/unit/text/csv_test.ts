import { assertEquals } from "@std/assert";
import { csvCell } from "../../../src/text/csv.ts";

for (
  const [value, expected] of [
    [undefined, ""],
    [null, ""],
    [0, "0"],
    [-5, "-5"],
    [true, "true"],
    ["a b", "a b"],
    ["a,b", '"a,b"'],
    ['a"b', '"a""b"'],
    ["a\\x2db", "a\\x2db"],
    ["a\nb", "a\\u{a}b"],
    ["a\r\n=1", "a\\u{d}\\u{a}=1"],
    ["\t=1", "\\u{9}=1"],
    ["\ufeff=1", "\\u{feff}=1"],
    ["\x1b[2J\0", "\\u{1b}[2J\\u{0}"],
    ["\u009b31m\u202e", "\\u{9b}31m\\u{202e}"],
    ["für 東京", "für 東京"],
    ["=cmd|'/c'!A0", "'=cmd|'/c'!A0"],
    ["+1,2", '"\'+1,2"'],
    ["-1", "'-1"],
    ["@x", "'@x"],
  ] as const
) {
  Deno.test(`csvCell writes ${JSON.stringify(value)} as ${JSON.stringify(expected)}`, () => {
    assertEquals(csvCell(value), expected);
  });
}
