import { assertEquals } from "@std/assert";
import { SentLines } from "../../../src/files/sent_lines.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("SentLines takes back what was not read, from the start of its first line on", () => {
  const cases: [parts: string[], unread: number, expected: string][] = [
    [[], 0, ""],
    [["a\n", "bc\n"], 0, ""],
    [["a\n", "bc\n"], 1, "bc\n"],
    [["a\n", "bc\n"], 3, "bc\n"],
    [["a\n", "bc\n"], 4, "a\nbc\n"],
    [["a\n", "bc\n"], 5, "a\nbc\n"],
    [["a\n", "bc\n"], 9, "a\nbc\n"],
    // The start of a line whose rest waits.
    [["a\n", "bc"], 0, "bc"],
    [["a\n", "b", "", "c"], 1, "bc"],
  ];
  for (const [parts, unread, expected] of cases) {
    const sent = new SentLines();
    for (const part of parts) sent.add(encode(part));
    assertEquals(decode(sent.take(unread)), expected, JSON.stringify([parts, unread]));
    assertEquals(decode(sent.take(unread)), "");
  }
});

Deno.test("SentLines keeps a copy, of what a pipe can hold", () => {
  const sent = new SentLines();
  const line = encode("x".repeat(65_535) + "\n");
  for (let count = 0; count < 40; count++) sent.add(line);
  line.fill(0);
  const pipe = 1 << 20;
  const taken = sent.take(pipe);
  assertEquals([taken.length, taken.at(-1), taken[0]], [pipe, 10, 120]);
});
