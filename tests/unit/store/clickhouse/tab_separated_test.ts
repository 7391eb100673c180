import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ServerError } from "../../../../src/store/clickhouse/server_error.ts";
import { TabSeparatedReader } from "../../../../src/store/clickhouse/tab_separated.ts";

const HEAD = "name\tcount\twide\tseen\nString\tUInt32\tNullable(Int64)\tArray(String)\n";

function read(text: string, pieceBytes = 1 << 20) {
  const reader = new TabSeparatedReader();
  const bytes = new TextEncoder().encode(text);
  const rows = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    rows.push(...reader.take(bytes.subarray(at, at + pieceBytes)));
  }
  reader.end();
  return { rows, columns: reader.columns };
}

Deno.test("TabSeparatedReader gives values by the types of their columns", () => {
  assertEquals(read(`${HEAD}a\\tb\\n\\\\\\'ü\t7\t9223372036854775807\t['x']\n\\N\t0\t\\N\t[]\n`), {
    columns: [
      { name: "name", type: "String" },
      { name: "count", type: "UInt32" },
      { name: "wide", type: "Nullable(Int64)" },
      { name: "seen", type: "Array(String)" },
    ],
    rows: [["a\tb\n\\'ü", 7, "9223372036854775807", "['x']"], [null, 0, null, "[]"]],
  });
});

Deno.test("TabSeparatedReader takes a share of nothing for nothing", () => {
  assertEquals(read("a\tb\tc\nFloat64\tFloat64\tFloat64\nnan\t-inf\t0.25\n").rows, [[
    null,
    null,
    0.25,
  ]]);
});

Deno.test("TabSeparatedReader does not care what pieces the bytes come in", () => {
  const text = `${HEAD}ü€𝄞\\tx\t1\t-2\t['ü']\n`.repeat(1) + "y\t2\t\\N\t[]\n";
  fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), (pieceBytes) => {
    assertEquals(read(text, pieceBytes), read(text));
  }));
});

Deno.test("TabSeparatedReader refuses what is cut, and what is no table", () => {
  for (
    const [text, says] of [
      ["", "The answer ends in the middle"],
      ["a\tb\n", "The answer ends in the middle"],
      [`${HEAD}a\t1\t2\t[]`, "The answer ends in the middle"],
      [`${HEAD}a\t1\n`, "Cannot read the answer: a row has 2 values, not 4"],
    ]
  ) assertThrows(() => read(text), ServerError, says);
});

Deno.test("TabSeparatedReader holds no row without an end", () => {
  const reader = new TabSeparatedReader();
  const piece = new TextEncoder().encode("x".repeat(1 << 20));
  assertThrows(
    () => {
      for (let nth = 0; nth < 8; nth++) reader.take(piece);
    },
    ServerError,
    "Cannot read a row of more than 4194304 characters",
  );
});
