import { assertEquals, assertStrictEquals } from "@std/assert";
import { RateLimit, Rendered } from "../../../src/http/rendered.ts";

Deno.test("Rendered makes a body once in its time, the same bytes for all", () => {
  let made = 0;
  const rendered = new Rendered(() => new Uint8Array([++made]), 1_000);
  const first = rendered.bytes(5_000);
  assertStrictEquals(rendered.bytes(5_999), first);
  assertEquals([...rendered.bytes(6_000)], [2]);
  assertEquals(made, 2);
});

Deno.test("RateLimit lets so many pass a second, and after a pause as many at once", () => {
  const limit = new RateLimit(20);
  const passed = (fromMs: number, untilMs: number) => {
    let count = 0;
    for (let ms = fromMs; ms < untilMs; ms++) if (limit.passes(ms)) count++;
    return count;
  };
  assertEquals(passed(0, 1_000), 39);
  assertEquals(passed(1_000, 2_000), 20);
  assertEquals(passed(60_000, 60_010), 10);
  assertEquals(passed(60_010, 61_010), 30);
});
