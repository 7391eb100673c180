import { assertEquals } from "@std/assert";
import { toText } from "@std/streams";

Deno.test("toText joins strings", async () => {
  assertEquals(await toText(ReadableStream.from(["a", "", "b\n"])), "ab\n");
});

Deno.test("toText decodes UTF-8 that is cut inside a character", async () => {
  const bytes = new TextEncoder().encode("aé€");
  const chunks = Array.from(bytes, (byte) => Uint8Array.of(byte));
  assertEquals(await toText(ReadableStream.from(chunks)), "aé€");
});

Deno.test("toText marks a character that never ends", async () => {
  assertEquals(await toText(ReadableStream.from([Uint8Array.of(0x61, 0xc3)])), "a\ufffd");
});
