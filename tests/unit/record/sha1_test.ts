import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { SHA1_ONE_BLOCK_MAX_BYTES, sha1OfOneBlock } from "../../../src/record/sha1.ts";

function sha1(message: Uint8Array): string {
  const digest = new DataView(new ArrayBuffer(20));
  sha1OfOneBlock(new DataView(message.slice().buffer), digest);
  return new Uint8Array(digest.buffer).toHex();
}

Deno.test("sha1OfOneBlock gives the digests of the standards", () => {
  const cases = [
    // RFC 3174 section 7.3, and the empty message.
    { input: "abc", expected: "a9993e364706816aba3e25717850c26c9cd0d89d" },
    { input: "", expected: "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
  ];
  for (const { input, expected } of cases) {
    assertEquals(sha1(new TextEncoder().encode(input)), expected);
  }
});

Deno.test("sha1OfOneBlock agrees with node:crypto on messages of every length it takes", () => {
  for (let length = 0; length <= SHA1_ONE_BLOCK_MAX_BYTES; length++) {
    const bytes = fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(bytes, (message) => {
        assertEquals(sha1(message), createHash("sha1").update(message).digest("hex"));
      }),
      { numRuns: 10 },
    );
  }
});

Deno.test("sha1OfOneBlock keeps nothing of the message before", () => {
  const short = new Uint8Array([1]);
  const first = sha1(short);
  sha1(new Uint8Array(SHA1_ONE_BLOCK_MAX_BYTES).fill(0xff));
  assertEquals(sha1(short), first);
});
