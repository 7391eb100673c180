/**
 * A handshake explained as a picture: SVG that needs nothing from outside, readable on light and dark.
 *
 * @module
 */
import { type Style, UNICODE } from "./appearance.ts";
import { drawHeader } from "./header_figure.ts";
import { type Ladder, type LadderPen, layLadder } from "./ladder.ts";
import {
  CHARACTER,
  drawLadder,
  LINE,
  MARGIN,
  placeBars,
  roundPixels as round,
} from "./ladder_figure.js";
import { escapeXml } from "./markup.ts";
import { formatExact } from "./numbers.ts";
import type { RoundTrip } from "./round_trips.ts";
import { nameStep } from "./step.ts";
import type { Story } from "./story.ts";
import { legendOf, NUMBERING, NUMBERS_HEADING, ROUND_TRIPS_HEADING } from "./words.ts";
import { wrap } from "../text/wrap.ts";

/** Characters of a line of prose. */
const TEXT_WIDTH = 84;

const LIGHT: Palette = {
  page: "#ffffff",
  ink: "#1f2328",
  aside: "#57606a",
  client: "#0550ae",
  server: "#8250df",
  repeated: "#7d4e00",
  bad: "#cf222e",
  good: "#116329",
};
const DARK: Palette = {
  page: "#0d1117",
  ink: "#e6edf3",
  aside: "#9198a1",
  client: "#79c0ff",
  server: "#d2a8ff",
  repeated: "#e3b341",
  bad: "#ff7b72",
  good: "#7ee787",
};

type Palette = Readonly<Record<"page" | "ink" | Exclude<Style, "heading">, string>>;
type Class = keyof Palette | "heading";

/** How to draw an explanation. */
export interface SvgOptions {
  /** With the header of each packet. */
  header: boolean;
}

/** Draws a story as an SVG document. */
export function formatLessonSvg(story: Story, { header }: SvgOptions): string {
  const canvas = new Canvas(story);
  canvas.write(0, story.title, "heading");
  canvas.down(1.5);
  for (const { name, text } of story.facts) {
    for (const [index, row] of wrap(text, TEXT_WIDTH - 9).entries()) {
      if (index === 0) canvas.write(0, name, "aside");
      canvas.write(9, row, "ink");
      canvas.down(1);
    }
  }
  canvas.down(1);
  canvas.ladder();
  canvas.down(1);
  canvas.paragraph(legendOf(story), "aside");
  drawRelations(canvas, story);
  drawRoundTrips(canvas, story);
  canvas.heading("Outcome");
  for (const text of [story.outcome, ...story.remarks]) {
    canvas.paragraph(text, "ink");
    canvas.down(0.5);
  }
  if (header) {
    for (const step of story.steps) {
      if (step.kind !== "packet") continue;
      canvas.heading(`Header of the ${nameStep(step)}`);
      for (const line of drawHeader(step, story)) canvas.paragraph(line, "ink", false);
    }
  }
  return canvas.document(story);
}

function drawRelations(canvas: Canvas, { relations }: Story): void {
  const { held, failed, unknown } = UNICODE;
  canvas.heading(NUMBERS_HEADING);
  for (const { claim, verdict, sum, comment } of relations) {
    const mark = verdict === undefined ? unknown : verdict ? held : failed;
    const style = verdict === undefined ? "aside" : verdict ? "good" : "bad";
    const left = sum === undefined ? "" : sum + " ";
    if (sum !== undefined) canvas.write(0, sum, "ink");
    canvas.write(left.length, mark, style);
    canvas.write(left.length + 2, claim, "ink");
    canvas.down(1);
    if (comment !== "") canvas.paragraph(comment, "aside");
  }
  canvas.down(0.5);
  canvas.paragraph(NUMBERING, "aside");
}

function drawRoundTrips(canvas: Canvas, { roundTrips, unit }: Story): void {
  canvas.heading(ROUND_TRIPS_HEADING);
  const values = roundTrips.map(({ ns }: RoundTrip) =>
    ns === undefined ? "-" : formatExact(ns, unit)
  );
  const nameWidth = Math.max(...roundTrips.map(({ name }) => name.length)) + 2;
  const valueWidth = Math.max(...values.map(({ length }) => length));
  const textAt = nameWidth + valueWidth + 2;
  for (const [index, { name, text }] of roundTrips.entries()) {
    canvas.write(0, name, "aside");
    canvas.write(nameWidth + valueWidth - values[index].length, values[index], "ink");
    for (const row of wrap(text, TEXT_WIDTH - textAt)) {
      canvas.write(textAt, row, "ink");
      canvas.down(1);
    }
  }
}

/** Elements gathered from top to bottom; all text is escaped here. */
class Canvas implements LadderPen {
  /** Baseline of the line being drawn. */
  #y = MARGIN + LINE;
  readonly #ladder: Ladder;
  readonly #elements: string[] = [];
  #right: number;

  constructor(story: Story) {
    this.#ladder = layLadder(story);
    this.#right = Math.max(placeBars(this.#ladder).rightX, MARGIN + TEXT_WIDTH * CHARACTER);
  }

  down(lines: number): void {
    this.#y += lines * LINE;
  }

  /** Draws the ladder. */
  ladder(): void {
    this.#y = drawLadder(this, this.#ladder, this.#y);
  }

  /** Writes at a column of characters. */
  write(column: number, text: string, style: Class): void {
    this.text(MARGIN + column * CHARACTER, this.#y, text, style, "start");
  }

  text(x: number, y: number, text: string, style: Class, anchor: "start" | "end"): void {
    if (text === "") return;
    const isStart = anchor === "start";
    if (isStart) this.#right = Math.max(this.#right, x + text.length * CHARACTER);
    const end = isStart ? "" : ` text-anchor="${anchor}"`;
    this.#elements.push(
      `<text x="${round(x)}" y="${round(y)}" class="${style}"${end}>${escapeXml(text)}</text>`,
    );
  }

  heading(text: string): void {
    this.down(1);
    this.write(0, text, "heading");
    this.down(1.25);
  }

  paragraph(text: string, style: Class, isProse = true): void {
    for (const row of isProse ? wrap(text, TEXT_WIDTH) : [text]) {
      this.write(0, row, style);
      this.down(1);
    }
  }

  path(d: string, style: Class, isLine: boolean): void {
    this.#elements.push(`<path d="${d}" class="${isLine ? "line " : ""}${style}"/>`);
  }

  circle(x: number, y: number, radius: number, style: Class): void {
    this.#elements.push(
      `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" class="${style}"/>`,
    );
  }

  document(story: Story): string {
    const width = round(this.#right + MARGIN);
    const height = round(this.#y + MARGIN);
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}" xml:space="preserve" role="img" ` +
      'aria-labelledby="synsnoop-title synsnoop-desc">',
      `<title id="synsnoop-title">${escapeXml(story.title)}</title>`,
      `<desc id="synsnoop-desc">${escapeXml(describe(story))}</desc>`,
      `<style>${styleSheet()}</style>`,
      `<rect width="${width}" height="${height}" class="page"/>`,
      ...this.#elements,
      "</svg>\n",
    ].join("\n");
  }
}

/** The picture in words, for who does not see it. */
function describe(story: Story): string {
  const steps = story.steps.map((step) => {
    const at = step.timeNs === undefined ? "" : `${formatExact(step.timeNs, story.unit)}: `;
    if (step.kind === "kernel") return `${at}${step.at ? `${step.at}: ` : ""}${step.text}`;
    const way = step.from === "client" ? "client to server" : "server to client";
    return `${at}${way} ${step.label}${step.isLost ? ", lost on the way" : ""}`;
  });
  return [`${story.client} to ${story.server}`, ...steps, story.outcome].join(". ");
}

function styleSheet(): string {
  const colors = (palette: Palette) =>
    Object.entries(palette).map(([name, color]) => `.${name}{color:${color}}`).join("") +
    `.heading{color:${palette.ink}}`;
  return 'text{font:14px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;' +
    "white-space:pre}text,path,circle,rect{fill:currentColor}.heading{font-weight:bold}" +
    ".line{fill:none;stroke:currentColor;stroke-width:1.5}" +
    `${colors(LIGHT)}@media(prefers-color-scheme:dark){${colors(DARK)}}`;
}
