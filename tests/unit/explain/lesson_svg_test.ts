import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { formatLessonSvg } from "../../../src/explain/lesson_svg.ts";
import { anyStory } from "./arbitrary_story.ts";
import { CONVERSATIONS, storyOf, WORKED_EXAMPLE } from "./build_conversation.ts";

const ELEMENTS = ["svg", "title", "desc", "style", "rect", "text", "path", "circle"];
const ATTRIBUTES = ["xmlns", "width", "height", "viewBox", "xml:space", "role", "aria-labelledby"]
  .concat("id", "class", "x", "y", "text-anchor", "d", "cx", "cy", "r");
const TOKEN =
  /<(\/?)([a-z]+)((?: [\w:-]+="[^"<&]*")*)(\/?)>|((?:[^<>&]|&(?:amp|lt|gt|quot|apos);)+)/gy;

/** Reads XML of these elements alone. @returns Their names in order. Fails where it is not well formed. */
function readXml(text: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  let at = 0;
  for (const token of text.matchAll(TOKEN)) {
    const [whole, closes, name, attributes, isEmpty] = token;
    at += whole.length;
    if (name === undefined) continue;
    assert(ELEMENTS.includes(name), name);
    if (closes) {
      assertEquals(open.pop(), name);
      continue;
    }
    names.push(name);
    for (const [, attribute] of attributes.matchAll(/ ([\w:-]+)=/g)) {
      assert(ATTRIBUTES.includes(attribute), attribute);
    }
    if (!isEmpty) open.push(name);
  }
  assertEquals([at, open], [text.length, []], text.slice(at, at + 80));
  return names;
}

Deno.test("formatLessonSvg draws an arrow for each packet and a title for who does not see it", () => {
  const text = formatLessonSvg(storyOf(WORKED_EXAMPLE), { header: false });
  const names = readXml(text);
  assertEquals(names.slice(0, 3), ["svg", "title", "desc"]);
  // An arrow is a line and a head; the bars are lines.
  assertEquals(names.filter((name) => name === "path").length, 3 * 2 + 2);
  assertStringIncludes(text, "client to server [SYN] Seq=0x4ce45750 (0)");
  assertStringIncludes(text, ">0xc112f693 + 1 = 0xc112f694</text>");
  assertStringIncludes(text, "prefers-color-scheme:dark");
});

Deno.test("formatLessonSvg needs nothing from outside", () => {
  for (const conversation of Object.values(CONVERSATIONS)) {
    const text = formatLessonSvg(storyOf(conversation), { header: true });
    assert(!/href|url\(|@import|<script|<image|<foreignObject/i.test(text));
    assertEquals(text.match(/\w+:\/\/[^"]*/g), ["http://www.w3.org/2000/svg"]);
  }
});

Deno.test("formatLessonSvg is well formed and quiet, whatever the story", () => {
  fc.assert(fc.property(anyStory(), fc.boolean(), (story, header) => {
    const text = formatLessonSvg(story, { header });
    readXml(text);
    assert(!/[\p{C}\p{Zl}\p{Zp}]/u.test(text.replaceAll("\n", "")), JSON.stringify(text));
  }));
});

Deno.test("formatLessonSvg draws within its page", () => {
  for (const conversation of [WORKED_EXAMPLE, ...Object.values(CONVERSATIONS)]) {
    const text = formatLessonSvg(storyOf(conversation), { header: true });
    const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(text)!.map(Number);
    for (const [, x, y, inside] of text.matchAll(/<text x="(.*?)" y="(.*?)" class="\w+">(.*?)</g)) {
      const { length } = inside.replace(/&\w+;/g, "?");
      assert(Number(x) + length * 8.4 < width && Number(y) < height, `${x} ${y} ${inside}`);
    }
  }
});
