import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { formatLessonText } from "../../../src/explain/lesson_text.ts";
import { anyStory } from "./arbitrary_story.ts";
import { CONVERSATIONS, storyOf, WORKED_EXAMPLE } from "./build_conversation.ts";

const PLAIN = { color: false, ascii: false, header: false };

/** Takes away the colours that the tool itself writes, and no other sequence. */
function withoutColors(text: string): string {
  const [first, ...rest] = text.split("\x1b");
  const kept = rest.map((part) => {
    const color = /^\[(?:0|1|2|3[1-6])m/.exec(part)?.[0];
    return color === undefined ? "\x1b" + part : part.slice(color.length);
  });
  return first + kept.join("");
}

Deno.test("formatLessonText shows the three relations with their numbers", () => {
  const text = formatLessonText(storyOf(WORKED_EXAMPLE), PLAIN);
  for (
    const line of [
      "  0x4ce45750 + 1 = 0x4ce45751 ✓  the SYN-ACK's Ack is the SYN's Seq + 1\n",
      "  0x4ce45750 + 1 = 0x4ce45751 ✓  the ACK's Seq is the SYN's Seq + 1\n",
      "  0xc112f693 + 1 = 0xc112f694 ✓  the ACK's Ack is the SYN-ACK's Seq + 1\n",
      "  client RTT  10.231000 ms  SYN (packet 1) to SYN-ACK (packet 2)",
      "  server RTT   0.041000 ms  SYN-ACK (packet 2) to ACK (packet 3)",
    ]
  ) assertStringIncludes(text, line);
});

Deno.test("formatLessonText marks what failed", () => {
  const story = storyOf(CONVERSATIONS.wrongNumbers);
  assertStringIncludes(formatLessonText(story, PLAIN), "0x5e5e0000 + 1 = 0x5e5e0001 ✗  the ACK's");
  const ascii = formatLessonText(story, { ...PLAIN, ascii: true });
  assertStringIncludes(ascii, "0x5e5e0000 + 1 = 0x5e5e0001 NO  the ACK's");
});

Deno.test("formatLessonText draws the headers only when asked to", () => {
  const story = storyOf(WORKED_EXAMPLE);
  assert(!formatLessonText(story, PLAIN).includes("Header of"));
  const text = formatLessonText(story, { ...PLAIN, header: true });
  assertEquals(text.match(/^Header of the .*$/gm), [
    "Header of the SYN (packet 1)",
    "Header of the SYN-ACK (packet 2)",
    "Header of the ACK (packet 3)",
  ]);
});

Deno.test("formatLessonText has nothing that acts on a terminal but its own colours", () => {
  fc.assert(fc.property(anyStory(), fc.boolean(), fc.boolean(), (story, ascii, color) => {
    const text = formatLessonText(story, { ascii, color, header: true });
    const plain = withoutColors(text);
    assert(!/[\p{C}\p{Zl}\p{Zp}]/u.test(plain.replaceAll("\n", "")), JSON.stringify(plain));
    if (ascii) assert(/^[\n\x20-\x7e]*$/.test(plain), plain);
    if (!color) assertEquals(text, plain);
    assert(text.endsWith("\n"));
  }));
});

Deno.test("formatLessonText is the same text with and without colours", () => {
  for (const conversation of Object.values(CONVERSATIONS)) {
    const story = storyOf(conversation);
    const colored = formatLessonText(story, { ...PLAIN, color: true });
    assert(colored !== formatLessonText(story, PLAIN));
    const strip = (text: string) => withoutColors(text).replace(/ +$/gm, "");
    assertEquals(strip(colored), strip(formatLessonText(story, PLAIN)));
  }
});
