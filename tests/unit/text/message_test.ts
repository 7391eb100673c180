import { assertEquals } from "@std/assert";
import { causeOf, messageOf } from "../../../src/text/message.ts";

Deno.test("messageOf says what was thrown, error or not", () => {
  for (const thrown of [new TypeError("a"), "a", { toString: () => "a" }]) {
    assertEquals(messageOf(thrown), "a");
  }
  assertEquals(messageOf(undefined), "undefined");
});

Deno.test("messageOf says what to do where the limit on open files is too low", () => {
  const tooMany = Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" });
  assertEquals(
    messageOf(tooMany),
    "Too many open files (os error 24), raise the limit on open files (ulimit -n)",
  );
  assertEquals(messageOf(Object.assign(new Error("a"), { code: "ENOENT" })), "a");
});

Deno.test("causeOf says in one line what the system said behind an error", () => {
  const system = new Error("tcp connect error: Connection refused (os error 111)");
  const fetched = new TypeError("error sending request", {
    cause: new Error("client error (Connect)", { cause: system }),
  });
  assertEquals(causeOf(fetched), "Connection refused (os error 111)");
  const url = "http://user:secret@collector.test:4318/v1?(token)=secret";
  const sending = `error sending request for url (${url}): client error (Connect): `;
  for (
    const [message, expected] of [
      ["dns error: failed to lookup address information", undefined],
      ["received corrupt message of type InvalidContentType", undefined],
      [
        "tcp connect error: Network is unreachable (os error 101)",
        "Network is unreachable (os error 101)",
      ],
    ]
  ) {
    const failed = new TypeError("fetch failed", { cause: new Error(sending + message) });
    assertEquals(causeOf(failed), expected ?? message);
  }
  assertEquals(
    causeOf(new TypeError("Fetch failed: Requests to port 1 are blocked")),
    "Requests to port 1 are blocked",
  );
  assertEquals(causeOf(new Error("one\ntwo")), "one");
  assertEquals(causeOf("a"), "a");
});
