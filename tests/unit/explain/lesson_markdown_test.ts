import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { formatLessonMarkdown } from "../../../src/explain/lesson_markdown.ts";
import { tellStory } from "../../../src/explain/story.ts";
import { makeHandshake } from "../record/sample_handshakes.ts";
import { anyStory } from "./arbitrary_story.ts";
import { CLIENT, SERVER, storyOf, WORKED_EXAMPLE } from "./build_conversation.ts";

const OPTIONS = { ascii: false, header: false };

/** What stands outside of code blocks. */
function prose(markdown: string): string {
  return markdown.replace(/^(`{3,})text\n[^]*?^\1$/gm, "");
}

Deno.test("formatLessonMarkdown has the ladder as code and the relations as a table", () => {
  const text = formatLessonMarkdown(storyOf(WORKED_EXAMPLE), OPTIONS);
  assertStringIncludes(text, "\n```text\n");
  assertStringIncludes(
    text,
    "\n| `0xc112f693 + 1 = 0xc112f694` | ✓ | the ACK's Ack is the SYN-ACK's Seq + 1 |\n",
  );
  assertStringIncludes(text, "\n| client RTT | 10.231000 ms | SYN (packet 1) to SYN-ACK");
});

Deno.test("formatLessonMarkdown lets a name mean nothing but itself", () => {
  const process = { pid: 1, comm: "`<b>*|[a](b)@x", uid: 0, cgroup: 1 };
  const handshake = makeHandshake({ client: { ...CLIENT, process }, server: SERVER, wire: true });
  const story = tellStory(handshake, {
    packets: [],
    complete: true,
    interfaceName: () => undefined,
  });
  const text = formatLessonMarkdown(story, OPTIONS);
  assertStringIncludes(text, "\\`\\<b\\>\\*\\|\\[a\\](b)\\@x (process 1, user 0)");
});

Deno.test("formatLessonMarkdown leaves no markup to names, whatever the story", () => {
  fc.assert(fc.property(anyStory(), fc.boolean(), (story, ascii) => {
    const text = formatLessonMarkdown(story, { ascii, header: true });
    assert(!/[\p{C}\p{Zl}\p{Zp}]/u.test(text.replaceAll("\n", "")), JSON.stringify(text));
    if (ascii) assert(/^[\n\x20-\x7e]*$/.test(text), text);
    const rest = prose(text).replaceAll(/\\[!-~]/g, "").replaceAll(/`0x[^`]*`/g, "");
    assert(!/[`<>[\]_]|https?:/.test(rest), rest);
    const cells = rest.split("\n").filter((line) => line.startsWith("|"))
      .map((line) => line.split("|").length);
    assertEquals(new Set(cells), new Set([5]));
  }));
});
