import { assertEquals } from "@std/assert";
import { messageOf } from "../../../src/text/message.ts";

Deno.test("messageOf says what was thrown, error or not", () => {
  for (const thrown of [new TypeError("a"), "a", { toString: () => "a" }]) {
    assertEquals(messageOf(thrown), "a");
  }
  assertEquals(messageOf(undefined), "undefined");
});
