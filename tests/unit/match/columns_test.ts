import { assertEquals, assertThrows } from "@std/assert";
import { Columns } from "../../../src/match/columns.ts";

Deno.test("Columns gives columns of any kind, all zeros, none of which reaches into another", () => {
  const columns = new Columns(3, 1 + 4 + 8 + 2);
  const taken = [
    columns.take(Uint8Array, 3),
    columns.take(Float64Array, 3),
    columns.take(Int16Array, 3),
    columns.take(Uint32Array, 3),
  ];
  for (const [at, column] of taken.entries()) {
    assertEquals([...column], [0, 0, 0]);
    column.fill(at + 1);
  }
  assertEquals(taken.map((column) => [...column]), [1, 2, 3, 4].map((at) => [at, at, at]));
});

Deno.test("Columns has room for no more than was asked for", () => {
  const columns = new Columns(1_000, 8);
  columns.take(Float64Array, 1_000);
  assertThrows(() => columns.take(Uint32Array, 1_000), RangeError);
});
