/**
 * A handshake explained as text for a terminal.
 *
 * @module
 */
import {
  ASCII,
  type Glyphs,
  type Line,
  paint,
  type Span,
  type Style,
  UNICODE,
} from "./appearance.ts";
import { drawHeader } from "./header_figure.ts";
import { drawLadder } from "./ladder_text.ts";
import { formatExact } from "./numbers.ts";
import type { Relation } from "./relations.ts";
import type { RoundTrip } from "./round_trips.ts";
import { nameStep } from "./step.ts";
import type { Fact, Story } from "./story.ts";
import { legendOf, NUMBERING, NUMBERS_HEADING, ROUND_TRIPS_HEADING } from "./words.ts";
import { wrap } from "../text/wrap.ts";

/** How to write an explanation as text. */
export interface TextOptions {
  /** With colours of a terminal. */
  color: boolean;
  /** In ASCII alone. */
  ascii: boolean;
  /** With the header of each packet. */
  header: boolean;
}

const WIDTH = 80;
const INDENT = "  ";

/** Writes a story as text, its last line with a newline too. */
export function formatLessonText(story: Story, options: TextOptions): string {
  return paint(drawLesson(story, options), options);
}

/** Draws a story as lines, before they have colours. */
export function drawLesson(
  story: Story,
  options: Pick<TextOptions, "ascii" | "header">,
): Line[] {
  const glyphs = options.ascii ? ASCII : UNICODE;
  return [
    heading(story.title),
    [],
    ...factLines(story.facts),
    [],
    ...drawLadder(story, glyphs),
    [],
    ...paragraph(legendOf(story), "aside"),
    [],
    heading(NUMBERS_HEADING),
    [],
    ...story.relations.flatMap((relation) => relationLines(relation, glyphs)),
    [],
    ...paragraph(NUMBERING, "aside"),
    [],
    heading(ROUND_TRIPS_HEADING),
    [],
    ...tripLines(story),
    [],
    heading("Outcome"),
    [],
    ...paragraph(story.outcome),
    ...story.remarks.flatMap((remark) => [[], ...paragraph(remark)]),
    ...(options.header ? headerLines(story) : []),
  ];
}

function heading(text: string): Line {
  return [{ text, style: "heading" }];
}

function paragraph(text: string, style?: Style): Line[] {
  return wrap(text, WIDTH - INDENT.length).map((row) => [{ text: INDENT + row, style }]);
}

/** Names in a column, texts beside them. */
function factLines(facts: readonly Fact[]): Line[] {
  const width = Math.max(...facts.map(({ name }) => name.length)) + 2;
  return facts.flatMap(({ name, text }) =>
    wrap(text, WIDTH - INDENT.length - width).map((row, index) => [
      { text: INDENT },
      { text: (index === 0 ? name : "").padEnd(width), style: "aside" as const },
      { text: row },
    ])
  );
}

function relationLines({ claim, verdict, sum, comment }: Relation, glyphs: Glyphs): Line[] {
  const { held, failed, unknown } = glyphs;
  const mark = verdict === undefined ? unknown : verdict ? held : failed;
  const style = verdict === undefined ? "aside" : verdict ? "good" : "bad";
  const first = INDENT + (sum === undefined ? "" : sum + " ");
  // A long sum, such as one that wraps, stands alone.
  const isAlone = first.length + mark.length + 2 + claim.length > WIDTH;
  const rows = [
    ...(isAlone ? wrap(claim, WIDTH - 2 * INDENT.length) : []).map((text): Span => ({ text })),
    ...(comment === "" ? [] : wrap(comment, WIDTH - 2 * INDENT.length))
      .map((text): Span => ({ text, style: "aside" })),
  ];
  return [
    [{ text: first }, { text: mark, style }, { text: isAlone ? "" : `  ${claim}` }],
    ...rows.map((span): Line => [{ text: INDENT + INDENT }, span]),
  ];
}

function tripLines({ roundTrips, unit }: Story): Line[] {
  const values = roundTrips.map(({ ns }: RoundTrip) =>
    ns === undefined ? "-" : formatExact(ns, unit)
  );
  const nameWidth = Math.max(...roundTrips.map(({ name }) => name.length)) + 2;
  const valueWidth = Math.max(...values.map((value) => value.length));
  const textWidth = WIDTH - INDENT.length - nameWidth - valueWidth - 2;
  return roundTrips.flatMap(({ name, text }, trip) =>
    wrap(text, textWidth).map((row, index): Line => [
      { text: INDENT },
      { text: (index === 0 ? name : "").padEnd(nameWidth), style: "aside" },
      { text: (index === 0 ? values[trip] : "").padStart(valueWidth) + "  " },
      { text: row },
    ])
  );
}

function headerLines(story: Story): Line[] {
  return story.steps.flatMap((step) =>
    step.kind !== "packet" ? [] : [
      [],
      heading(`Header of the ${nameStep(step)}`),
      [],
      ...drawHeader(step, story).map((text): Line => [{ text }]),
    ]
  );
}
