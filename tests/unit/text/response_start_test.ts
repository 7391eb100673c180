import { assertEquals, assertRejects } from "@std/assert";
import { readResponseStart } from "../../../src/text/response_start.ts";

/** Answers piece by piece, and goes on without end. */
function endless(piece: string, onCancel: () => void): Response {
  const bytes = new TextEncoder().encode(piece);
  return new Response(
    new ReadableStream({ pull: (stream) => stream.enqueue(bytes), cancel: onCancel }),
  );
}

Deno.test("readResponseStart reads what is short whole, also where a character is cut", async () => {
  assertEquals(await readResponseStart(new Response("µs and ✓"), 100), "µs and ✓");
  assertEquals(await readResponseStart(new Response(null), 100), "");
  const [one, other] = [Uint8Array.of(0xc2), Uint8Array.of(0xb5)];
  const cut = ReadableStream.from([one, other]);
  assertEquals(await readResponseStart(new Response(cut), 100), "µ");
});

Deno.test("readResponseStart leaves what has no end", async () => {
  let cancelled = 0;
  const text = await readResponseStart(endless("abcd", () => cancelled++), 10);
  assertEquals([text, cancelled], ["abcdabcdabcd", 1]);
});

Deno.test("readResponseStart fails where the answer does", async () => {
  const broken = new ReadableStream({ pull: () => Promise.reject(new Error("gone")) });
  await assertRejects(() => readResponseStart(new Response(broken), 10), Error, "gone");
});
