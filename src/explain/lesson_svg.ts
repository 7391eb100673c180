/**
 * A handshake explained as a picture: SVG that needs nothing from outside, readable on light and dark.
 *
 * @module
 */
import { type Style, UNICODE } from "./appearance.ts";
import { drawHeader } from "./header_figure.ts";
import { escapeXml } from "./markup.ts";
import { formatExact } from "./numbers.ts";
import type { RoundTrip } from "./round_trips.ts";
import { type Arrow, type KernelStep, nameStep } from "./step.ts";
import type { Story } from "./story.ts";
import { LEGEND, NUMBERING, NUMBERS_HEADING, ROUND_TRIPS_HEADING } from "./words.ts";
import { wrap } from "../text/wrap.ts";

/** Advance of a character of the monospaced font, and the height of a line; pixels. */
const CHARACTER = 8.4;
const LINE = 20;
const MARGIN = 24;
/** Characters of a line of prose. */
const TEXT_WIDTH = 84;
/** Characters between the bars beyond the longest label. */
const LABEL_EXTRA = 6;
const INNER_MIN = 58;
const HEAD_LENGTH = 9;
const DOT_RADIUS = 4;

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
  canvas.text(0, story.title, "heading");
  canvas.down(1.5);
  for (const { name, text } of story.facts) {
    for (const [index, row] of wrap(text, TEXT_WIDTH - 9).entries()) {
      if (index === 0) canvas.text(0, name, "aside");
      canvas.text(9, row, "ink");
      canvas.down(1);
    }
  }
  canvas.down(1);
  drawLadder(canvas, story);
  canvas.down(1);
  canvas.paragraph(LEGEND, "aside");
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

function drawLadder(canvas: Canvas, story: Story): void {
  const { clientX, serverX } = canvas;
  canvas.textAt(clientX, "client", "heading");
  canvas.textAt(serverX, "server", "heading", "end");
  canvas.down(1);
  canvas.textAt(clientX, story.client, "ink");
  if ((story.client.length + story.server.length + 2) * CHARACTER > serverX - clientX) {
    canvas.down(1);
  }
  canvas.textAt(serverX, story.server, "ink", "end");
  canvas.down(0.5);
  const top = canvas.y;
  canvas.down(1);
  for (const step of story.steps) {
    const time = step.timeNs === undefined ? "-" : formatExact(step.timeNs, story.unit);
    if (step.kind !== "kernel") drawPacket(canvas, step, time);
    else drawEvent(canvas, step, time);
  }
  for (const x of [clientX, serverX]) canvas.line(x, top, x, canvas.y, "aside");
}

function drawPacket(canvas: Canvas, step: Arrow, time: string): void {
  const { clientX, serverX } = canvas;
  const style = step.tone === "usual" ? step.from : step.tone;
  canvas.textAt(clientX + 2 * CHARACTER, step.label, style);
  canvas.down(0.5);
  // Time and number stand at the height of the arrow.
  canvas.textAt(MARGIN, String(step.number), "aside", "start", 5);
  canvas.textAt(clientX - CHARACTER, time, "ink", "end", 5);
  const [fromX, toX] = step.from === "client" ? [clientX, serverX] : [serverX, clientX];
  canvas.arrow(fromX, toX, style);
  canvas.down(1);
  for (const remark of step.remarks) {
    for (const row of wrap(remark, canvas.inner - 4)) {
      canvas.textAt(clientX + 3 * CHARACTER, row, step.tone === "bad" ? "bad" : "aside");
      canvas.down(1);
    }
  }
  canvas.down(0.5);
}

function drawEvent(canvas: Canvas, { at, text, tone }: KernelStep, time: string): void {
  const { clientX, serverX } = canvas;
  const style = tone === "usual" ? "aside" : "bad";
  const anchor = at === "server" ? "end" : "start";
  const x = at === "server" ? serverX - 2 * CHARACTER : clientX + 2 * CHARACTER;
  canvas.textAt(clientX - 2 * CHARACTER, time, "ink", "end");
  if (at !== undefined) canvas.dot(at === "server" ? serverX : clientX, style);
  for (const row of wrap(text, canvas.inner - 4)) {
    canvas.textAt(x, row, style, anchor);
    canvas.down(1);
  }
  canvas.down(0.5);
}

function drawRelations(canvas: Canvas, { relations }: Story): void {
  const { held, failed, unknown } = UNICODE;
  canvas.heading(NUMBERS_HEADING);
  for (const { claim, verdict, sum, comment } of relations) {
    const mark = verdict === undefined ? unknown : verdict ? held : failed;
    const style = verdict === undefined ? "aside" : verdict ? "good" : "bad";
    const left = sum === undefined ? "" : sum + " ";
    if (sum !== undefined) canvas.text(0, sum, "ink");
    canvas.text(left.length, mark, style);
    canvas.text(left.length + 2, claim, "ink");
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
    canvas.text(0, name, "aside");
    canvas.text(nameWidth + valueWidth - values[index].length, values[index], "ink");
    for (const row of wrap(text, TEXT_WIDTH - textAt)) {
      canvas.text(textAt, row, "ink");
      canvas.down(1);
    }
  }
}

/** Elements gathered from top to bottom; all text is escaped here. */
class Canvas {
  /** Baseline of the line being drawn. */
  y: number = MARGIN + LINE;
  /** Where the bars stand, and the characters between them. */
  readonly clientX: number;
  readonly serverX: number;
  readonly inner: number;
  readonly #elements: string[] = [];
  #right: number;

  constructor({ steps, unit }: Story) {
    const times = steps.map(({ timeNs }) => timeNs === undefined ? "-" : formatExact(timeNs, unit));
    const labels = steps.map((step) => step.kind === "kernel" ? 0 : step.label.length);
    const timeWidth = Math.max(...times.map(({ length }) => length), 1);
    this.inner = Math.max(...labels, INNER_MIN) + LABEL_EXTRA;
    this.clientX = MARGIN + (timeWidth + 5) * CHARACTER;
    this.serverX = this.clientX + this.inner * CHARACTER;
    this.#right = Math.max(this.serverX, MARGIN + TEXT_WIDTH * CHARACTER);
  }

  down(lines: number): void {
    this.y += lines * LINE;
  }

  /** Writes at a column of characters. */
  text(column: number, text: string, style: Class): void {
    this.textAt(MARGIN + column * CHARACTER, text, style);
  }

  textAt(x: number, text: string, style: Class, anchor = "start", below = 0): void {
    if (text === "") return;
    const isStart = anchor === "start";
    if (isStart) this.#right = Math.max(this.#right, x + text.length * CHARACTER);
    const end = isStart ? "" : ` text-anchor="${anchor}"`;
    this.#elements.push(
      `<text x="${round(x)}" y="${round(this.y + below)}" class="${style}"${end}>${
        escapeXml(text)
      }</text>`,
    );
  }

  heading(text: string): void {
    this.down(1);
    this.text(0, text, "heading");
    this.down(1.25);
  }

  paragraph(text: string, style: Class, isProse = true): void {
    for (const row of isProse ? wrap(text, TEXT_WIDTH) : [text]) {
      this.text(0, row, style);
      this.down(1);
    }
  }

  line(x1: number, y1: number, x2: number, y2: number, style: Class): void {
    const [ax, ay, bx, by] = [x1, y1, x2, y2].map(round);
    this.#elements.push(`<path d="M${ax} ${ay}L${bx} ${by}" class="line ${style}"/>`);
  }

  arrow(fromX: number, toX: number, style: Class): void {
    const back = toX > fromX ? -HEAD_LENGTH : HEAD_LENGTH;
    const { y } = this;
    this.line(fromX, y, toX + back, y, style);
    const [tip, base, above, under] = [toX, toX + back, y - 4.5, y + 4.5].map(round);
    this.#elements.push(
      `<path d="M${tip} ${round(y)}L${base} ${above}L${base} ${under}Z" class="${style}"/>`,
    );
  }

  dot(x: number, style: Class): void {
    this.#elements.push(
      `<circle cx="${round(x)}" cy="${round(this.y - 5)}" r="${DOT_RADIUS}" class="${style}"/>`,
    );
  }

  document(story: Story): string {
    const width = round(this.#right + MARGIN);
    const height = round(this.y + MARGIN);
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
    return `${at}${way} ${step.label}`;
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

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}
