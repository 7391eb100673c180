import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { hasWholeHead, parseRequestHead } from "../../../src/http/request_head.ts";

const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

Deno.test("parseRequestHead reads method, path and headers", () => {
  const head = parseRequestHead(
    bytesOf(
      "GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\naccept: text/plain\r\nAccept:\t*/* \r\n\r\nbody",
    ),
  );
  assertEquals(head?.method, "GET");
  assertEquals(head?.path, "/metrics");
  assertEquals([...head!.headers], [["host", "a"], ["accept", "text/plain, */*"]]);
  assertEquals(parseRequestHead(bytesOf("GET / HTTP/1.0\n\n"))?.path, "/");
});

for (
  const text of [
    "\r\n\r\n",
    "GET /\r\n\r\n",
    "GET  / HTTP/1.1\r\n\r\n",
    "GET metrics HTTP/1.1\r\n\r\n",
    "GET http://host/metrics HTTP/1.1\r\n\r\n",
    "GET / HTTP/2.0\r\n\r\n",
    "GET / HTTP/1.1\r\nno header\r\n\r\n",
    "GET / HTTP/1.1\r\nbad name: x\r\n\r\n",
    "GET /\x00 HTTP/1.1\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\n\n",
  ]
) {
  Deno.test(`parseRequestHead refuses ${JSON.stringify(text)}`, () => {
    assertEquals(parseRequestHead(bytesOf(text)), undefined);
  });
}

Deno.test("hasWholeHead waits for the empty line", () => {
  const text = "GET / HTTP/1.1\r\nA: b\r\n\r\n";
  for (let length = 0; length < text.length; length++) {
    assertEquals(hasWholeHead(bytesOf(text.slice(0, length))), false);
  }
  assertEquals(hasWholeHead(bytesOf(text)), true);
  assertEquals(hasWholeHead(bytesOf("GET / HTTP/1.1\n\nmore")), true);
});

Deno.test("parseRequestHead takes any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    hasWholeHead(bytes);
    const head = parseRequestHead(bytes);
    assertEquals(head === undefined || head.path.startsWith("/"), true);
  }));
});
