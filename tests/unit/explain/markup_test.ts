import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { escapeMarkdown, escapeXml, fence } from "../../../src/explain/markup.ts";

Deno.test("escapeXml gives back the text when its entities are read", () => {
  const entities = new Map([["amp", "&"], ["lt", "<"], ["gt", ">"], ["quot", '"'], ["apos", "'"]]);
  fc.assert(fc.property(fc.string(), (text) => {
    const escaped = escapeXml(text);
    assert(!/[<>"']/.test(escaped), escaped);
    assertEquals(escaped.replace(/&(\w+);/g, (_, name) => entities.get(name)!), text);
  }));
});

const MARKDOWN: { text: string; expected: string }[] = [
  { text: "the SYN's Seq + 1", expected: "the SYN's Seq + 1" },
  { text: "192.0.2.1:443", expected: "192.0.2.1:443" },
  { text: "*a* _b_ `c`", expected: "\\*a\\* \\_b\\_ \\`c\\`" },
  { text: "[x](y)<b>&lt;", expected: "\\[x\\](y)\\<b\\>\\&lt;" },
  { text: "a|b\\c", expected: "a\\|b\\\\c" },
  { text: "http://e.org", expected: "http\\://e.org" },
  { text: "WWW.e.org @me", expected: "WWW\\.e.org \\@me" },
];

for (const { text, expected } of MARKDOWN) {
  Deno.test(`escapeMarkdown writes ${text} so that it means itself`, () => {
    assertEquals(escapeMarkdown(text), expected);
  });
}

Deno.test("fence is longer than any run of backticks inside", () => {
  assertEquals(fence("a\n"), "```text\na\n```");
  assertEquals(fence("````\n"), "`````text\n````\n`````");
});
