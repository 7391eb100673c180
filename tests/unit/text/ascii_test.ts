import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { toAscii } from "../../../src/text/ascii.ts";

Deno.test("toAscii writes microseconds with u, and escapes what ASCII has not", () => {
  assertEquals(toAscii("1.00 µs é 😀\n"), "1.00 us \\u{e9} \\u{1f600}\n");
  assertEquals(toAscii("client 41.0 µs, µtorrent/7"), "client 41.0 us, \\u{b5}torrent/7");
  assertEquals(toAscii("\x1b[31m✗\x1b[39m\t"), "\x1b[31m\\u{2717}\x1b[39m\\u{9}");
});

Deno.test("toAscii leaves ASCII as it is and nothing else", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const ascii = toAscii(text);
    assert(/^[\n -~]*$/.test(ascii.replaceAll("\x1b", "")));
    assertEquals(toAscii(ascii), ascii);
  }));
});
