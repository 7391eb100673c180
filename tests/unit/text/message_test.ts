import { assertEquals } from "@std/assert";
import { causeOf, messageOf } from "../../../src/text/message.ts";

Deno.test("messageOf says what was thrown, error or not", () => {
  for (const thrown of [new TypeError("a"), "a", { toString: () => "a" }]) {
    assertEquals(messageOf(thrown), "a");
  }
  assertEquals(messageOf(undefined), "undefined");
});

Deno.test("causeOf says in one line what the system said behind an error", () => {
  const system = new Error("tcp connect error: Connection refused (os error 111)");
  const fetched = new TypeError("error sending request", {
    cause: new Error("client error (Connect)", { cause: system }),
  });
  assertEquals(causeOf(fetched), "Connection refused (os error 111)");
  assertEquals(causeOf(new Error("one\ntwo")), "one");
  assertEquals(causeOf("a"), "a");
});
