import { assertEquals } from "@std/assert";
import { shorten } from "../../../src/text/shorten.ts";

Deno.test("shorten leaves what is short, and cuts what is long", () => {
  assertEquals(shorten("curl", 4), "curl");
  assertEquals(shorten("curls", 4), "curl…");
});

Deno.test("shorten leaves no half of a character that could be printed", () => {
  assertEquals(shorten("abc😀", 4), "abc\ufffd…");
});
