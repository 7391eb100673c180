import { assertEquals } from "@std/assert";
import { mentions, splitWords } from "../../../../src/output/top/filter_text.ts";
import { CONTEXT } from "../../record/sample_handshakes.ts";
import { sampleHandshake } from "./sample_top.ts";

Deno.test("splitWords cuts as a shell does, also what is not complete yet", () => {
  const cases: [string, string[]][] = [
    ["", []],
    ["  --port 443  ", ["--port", "443"]],
    [`--comm "a b" --comm='c d'`, ["--comm", "a b", "--comm=c d"]],
    [`--comm "a b`, ["--comm", "a b"]],
    [`""`, [""]],
  ];
  for (const [text, words] of cases) assertEquals(splitWords(text), words, text);
});

Deno.test("mentions looks into every name, and at the outcome", () => {
  const handshake = sampleHandshake({ comm: "Curl", outcome: "refused", reason: "ECONNREFUSED" });
  const found = (text: string) => mentions(handshake, CONTEXT, text);
  assertEquals(
    ["10.0.0.1", ":443", "cur", "econn", "refus", "user-1000", "nginx", "44 3"].map(found),
    [true, true, true, true, true, true, false, false],
  );
});
