/**
 * What stands on a screen: lines of pieces of text, each with what it is. How that looks decides who
 * shows it.
 *
 * @module
 */
import { toAscii } from "../../text/ascii.ts";
import { clip, widthOf } from "../../text/width.ts";

/** What a piece of text is, which chooses its colour; the same names as those of an explanation. */
export type ScreenStyle =
  | "heading"
  | "aside"
  | "client"
  | "server"
  | "repeated"
  | "bad"
  | "good"
  | "unsure"
  | "inverse";

/** A piece of a line: printable text, see `escapeText`. */
export interface ScreenSpan {
  readonly text: string;
  /** Absent: as the terminal writes. */
  readonly style?: ScreenStyle;
}

/** A line of a screen. */
export type ScreenLine = readonly ScreenSpan[];

/** What a screen has room for and can show. */
export interface ScreenSize {
  columns: number;
  rows: number;
}

/** A line of one piece. */
export function plainLine(text: string, style?: ScreenStyle): ScreenLine {
  return [{ text, style }];
}

/** The places that a line takes at most. */
export function lineWidth(line: ScreenLine): number {
  return line.reduce((sum, { text }) => sum + widthOf(text), 0);
}

/** Cuts a line off where it would take more places, and marks it. */
export function clipLine(line: ScreenLine, width: number, ascii: boolean): ScreenLine {
  if (lineWidth(line) <= width) return line;
  const kept: ScreenSpan[] = [];
  let left = width;
  for (const span of line) {
    const taken = widthOf(span.text);
    if (taken < left) {
      kept.push(span);
      left -= taken;
      continue;
    }
    // One place is the mark's: what follows is cut off, if only a blank.
    const text = taken === left ? span.text + " " : span.text;
    if (left > 0) kept.push({ ...span, text: clip(text + " ".repeat(left), left, ascii) });
    break;
  }
  return kept;
}

/** Leaves out the first places of a line. */
export function skipPlaces(line: ScreenLine, places: number): ScreenLine {
  let left = places;
  return line.flatMap((span) => {
    if (left <= 0) return [span];
    let text = "";
    for (const character of span.text) {
      if (left <= 0) text += character;
      else left -= widthOf(character);
    }
    return text === "" ? [] : [{ ...span, text }];
  });
}

/** Fills a text up to a width, or cuts it off there. */
export function fit(
  text: string,
  width: number,
  align: "left" | "right",
  ascii: boolean,
): string {
  const clipped = clip(text, width, ascii);
  const blanks = " ".repeat(Math.max(0, width - widthOf(clipped)));
  return align === "right" ? blanks + clipped : clipped + blanks;
}

/** Makes lines ASCII, see {@link toAscii}, and no wider than the screen. */
export function fitScreen(
  lines: readonly ScreenLine[],
  { columns, rows }: ScreenSize,
  ascii: boolean,
): ScreenLine[] {
  return lines.slice(0, rows).map((line) => {
    const shown = ascii ? line.map((span) => ({ ...span, text: toAscii(span.text) })) : line;
    return clipLine(shown, columns, ascii);
  });
}
