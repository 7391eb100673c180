import { assertEquals } from "@std/assert";
import { TextLineStream } from "@std/streams";
import fc from "fast-check";

function lines(chunks: string[]): Promise<string[]> {
  return Array.fromAsync(ReadableStream.from(chunks).pipeThrough(new TextLineStream()));
}

const CASES: {
  name: string;
  input: string[];
  expected: string[];
}[] = [
  { name: "\\n", input: ["a\nb\n"], expected: ["a", "b"] },
  { name: "\\r\\n", input: ["a\r\nb\r\n"], expected: ["a", "b"] },
  { name: "a last line without an end", input: ["a\nb"], expected: ["a", "b"] },
  { name: "empty lines", input: ["\n\n\r\na\n"], expected: ["", "", "", "a"] },
  { name: "no text", input: [], expected: [] },
  { name: "empty chunks", input: ["", "a", "", "\n", ""], expected: ["a"] },
  { name: "a line over chunks", input: ["ab", "cd", "e\nf"], expected: ["abcde", "f"] },
  { name: "\\r\\n over chunks", input: ["a\r", "\nb"], expected: ["a", "b"] },
  { name: "a lone \\r as text", input: ["a\rb\r", "c\r"], expected: ["a\rb\rc\r"] },
];

for (const { name, input, expected } of CASES) {
  Deno.test(`TextLineStream divides ${name}`, async () => {
    assertEquals(await lines(input), expected);
  });
}

Deno.test("TextLineStream gives the same lines however the text is cut", async () => {
  const text = fc.array(fc.constantFrom("a", "b", "\n", "\r", "\r\n"), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.infiniteStream(fc.integer({ min: 1, max: 4 })),
      async (parts, cuts) => {
        const whole = parts.join("");
        const chunks: string[] = [];
        for (let at = 0; at < whole.length;) {
          const size = cuts.next().value;
          chunks.push(whole.slice(at, at + size));
          at += size;
        }
        assertEquals(await lines(chunks), await lines([whole]));
      },
    ),
  );
});
