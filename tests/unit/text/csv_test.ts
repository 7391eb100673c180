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
    ["a\nb", '"a\nb"'],
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
