import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type Column,
  columnWidths,
  formatColumns,
  formatShare,
  padCells,
} from "../../../src/output/columns.ts";

const COLUMNS: readonly Column[] = [
  { heading: "NAME", align: "left" },
  { heading: "N", align: "right" },
  { heading: "REST", align: "left" },
];

Deno.test("formatColumns aligns each column as it says, without spaces at the end", () => {
  assertEquals(
    formatColumns(COLUMNS, [["a", "1", "x y"], ["longer", "100", ""]]),
    "NAME      N  REST\n" +
      "a         1  x y\n" +
      "longer  100\n",
  );
});

Deno.test("formatColumns writes headings alone where there is no row", () => {
  assertEquals(formatColumns(COLUMNS, []), "NAME  N  REST\n");
});

Deno.test("padCells leaves a cell whole that is longer than its column", () => {
  assertEquals(padCells(COLUMNS, ["abcdef", "1234", "z"], [4, 2, 3]), ["abcdef", "1234", "z  "]);
});

Deno.test("columnWidths are such that every row ends its columns at the same place", () => {
  const word = fc.stringMatching(/^[!-~]{0,12}$/);
  fc.assert(fc.property(fc.array(fc.tuple(word, word, word)), (rows) => {
    const widths = columnWidths(COLUMNS, rows);
    for (const cells of rows) {
      const padded = padCells(COLUMNS, cells, widths);
      assertEquals(padded.map((cell) => cell.length), widths);
      assertEquals(padded.map((cell) => cell.trim()), cells);
    }
    const longest = COLUMNS.map(({ heading }, at) =>
      [heading, ...rows.map((cells) => cells[at])].some((cell) => cell.length === widths[at])
    );
    assert(longest.every((isReached) => isReached));
  }));
});

const SHARES: { part: number; whole: number; expected: string }[] = [
  { part: 0, whole: 0, expected: "-" },
  { part: 0, whole: 7, expected: "0.0 %" },
  { part: 7, whole: 7, expected: "100.0 %" },
  { part: 1, whole: 3, expected: "33.3 %" },
  { part: 1, whole: 1000, expected: "0.1 %" },
  { part: 1, whole: 1001, expected: "<0.1 %" },
  { part: 999, whole: 1000, expected: "99.9 %" },
  { part: 9999, whole: 10_000, expected: ">99.9 %" },
];

for (const { part, whole, expected } of SHARES) {
  Deno.test(`formatShare writes ${part} of ${whole} as ${expected}`, () => {
    assertEquals(formatShare(part, whole), expected);
  });
}
