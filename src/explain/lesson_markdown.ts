/**
 * A handshake explained as Markdown (CommonMark, with the tables of GitHub).
 *
 * @module
 */
import { toAscii } from "../text/ascii.ts";
import { ASCII, type Line, paint, UNICODE } from "./appearance.ts";
import { drawHeader } from "./header_figure.ts";
import { drawLadder } from "./ladder_text.ts";
import { escapeMarkdown, fence } from "./markup.ts";
import { formatExact } from "./numbers.ts";
import { nameStep } from "./step.ts";
import type { Story } from "./story.ts";
import { legendOf, NUMBERING, NUMBERS_HEADING, ROUND_TRIPS_HEADING } from "./words.ts";

/** How to write an explanation as Markdown. */
export interface MarkdownOptions {
  /** In ASCII alone. */
  ascii: boolean;
  /** With the header of each packet. */
  header: boolean;
}

/** Writes a story as a Markdown document. */
export function formatLessonMarkdown(story: Story, { ascii, header }: MarkdownOptions): string {
  const glyphs = ascii ? ASCII : UNICODE;
  const blocks = [
    `# ${escapeMarkdown(story.title)}`,
    story.facts.map(({ name, text }) => `- **${name}**: ${escapeMarkdown(text)}`).join("\n"),
    codeBlock(drawLadder(story, glyphs)),
    escapeMarkdown(legendOf(story)),
    `## ${escapeMarkdown(NUMBERS_HEADING)}`,
    table(
      ["sum", "", "what must hold"],
      story.relations.map(({ sum, verdict, claim, comment }) => [
        sum === undefined ? "" : `\`${sum}\``,
        verdict === undefined ? glyphs.unknown : verdict ? glyphs.held : glyphs.failed,
        escapeMarkdown(comment === "" ? claim : `${claim}. ${comment}`),
      ]),
    ),
    escapeMarkdown(NUMBERING),
    `## ${escapeMarkdown(ROUND_TRIPS_HEADING)}`,
    table(
      ["", "time", "between"],
      story.roundTrips.map(({ name, ns, text }) => [
        escapeMarkdown(name),
        ns === undefined ? "-" : formatExact(ns, story.unit),
        escapeMarkdown(text),
      ]),
    ),
    "## Outcome",
    escapeMarkdown(story.outcome),
    ...story.remarks.map(escapeMarkdown),
    ...(header ? headerBlocks(story) : []),
  ];
  const text = blocks.join("\n\n") + "\n";
  return ascii ? toAscii(text) : text;
}

function codeBlock(lines: readonly Line[]): string {
  return fence(paint(lines, { color: false, ascii: false }));
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heads, heads.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function headerBlocks(story: Story): string[] {
  return story.steps.flatMap((step) =>
    step.kind !== "packet" ? [] : [
      `## Header of the ${nameStep(step)}`,
      codeBlock(drawHeader(step, story).map((text) => [{ text }])),
    ]
  );
}
