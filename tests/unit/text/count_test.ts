import { assertEquals } from "@std/assert";
import { countOf, withCommas } from "../../../src/text/count.ts";

Deno.test("countOf says one in the singular and all else in the plural", () => {
  assertEquals([0, 1, 2].map((count) => countOf(count, "record")), [
    "0 records",
    "1 record",
    "2 records",
  ]);
});

Deno.test("countOf takes the words of both, and how the number is written", () => {
  const words = ["process runs", "processes run"] as const;
  assertEquals(countOf(1, ...words), "1 process runs");
  assertEquals(countOf(1_000, ...words, () => "1,000"), "1,000 processes run");
});

Deno.test("withCommas writes large numbers in threes", () => {
  assertEquals([0, 999, 1_000, 1_234_567].map(withCommas), ["0", "999", "1,000", "1,234,567"]);
});
