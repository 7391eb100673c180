import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { ASCII, paint, UNICODE } from "../../../src/explain/appearance.ts";
import { drawLadder } from "../../../src/explain/ladder_text.ts";
import { anyStory } from "./arbitrary_story.ts";
import { CONVERSATIONS, storyOf, WORKED_EXAMPLE } from "./build_conversation.ts";

const PLAIN = { color: false, ascii: false };

Deno.test("drawLadder draws an arrow each way and lines up both bars", () => {
  const text = paint(drawLadder(storyOf(WORKED_EXAMPLE), ASCII), PLAIN);
  const arrows = text.split("\n").filter((line) => line.includes("["));
  assertEquals(arrows.map((line) => line.slice(0, 22)), [
    " 1   0.000000 ms  |-- ",
    " 2  10.231000 ms  |<--",
    " 3  10.272000 ms  |-- ",
  ]);
  assertEquals(arrows.map((line) => line.slice(-3)), ["->|", "--|", "->|"]);
  assertEquals(new Set(arrows.map((line) => line.length)).size, 1);
});

Deno.test("drawLadder keeps its bars in their columns, whatever the story", () => {
  fc.assert(fc.property(anyStory(), fc.constantFrom(ASCII, UNICODE), (story, glyphs) => {
    const lines = drawLadder(story, glyphs).map((line) => line.map(({ text }) => text).join(""));
    const heads = lines.findIndex((line) => line.trimEnd().endsWith(glyphs.bar));
    const [left, right] = [lines[heads].indexOf(glyphs.bar), lines[heads].lastIndexOf(glyphs.bar)];
    for (const line of lines.slice(heads)) {
      assert([glyphs.bar, glyphs.fromClient, glyphs.event].includes(line[left]), line);
      assertEquals(line.length, right + 1);
      assert([glyphs.bar, glyphs.fromServer, glyphs.event].includes(line[right]), line);
    }
  }));
});

Deno.test("drawLadder has the heads on two lines where addresses are long", () => {
  const story = storyOf(WORKED_EXAMPLE);
  const address = "[2001:db8:1111:2222:3333:4444:5555:6666]:65535";
  const text = paint(drawLadder({ ...story, client: address, server: address }, ASCII), PLAIN);
  const lines = text.split("\n").filter((line) => line.includes(address));
  assertEquals(lines.map((line) => line.indexOf(address)), [18, 31]);
});

Deno.test("drawLadder puts remarks between the bars", () => {
  const text = paint(drawLadder(storyOf(CONVERSATIONS.ambiguous), UNICODE), PLAIN);
  assertStringIncludes(text, "│   Sent again: the same Seq as packet 1.   ");
});
