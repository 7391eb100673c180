/**
 * How text looks on a terminal: colours, and the characters that lines are drawn with.
 *
 * @module
 */
import { toAscii } from "../text/ascii.ts";

/** What a piece of text is, which chooses its colour. */
export type Style = "heading" | "aside" | "client" | "server" | "repeated" | "bad" | "good";

/** A piece of a line. */
export interface Span {
  text: string;
  /** Absent: as the terminal writes. */
  style?: Style;
}

/** A line of text in pieces. */
export type Line = readonly Span[];

/** The characters that a ladder and its marks are drawn with. */
export interface Glyphs {
  bar: string;
  line: string;
  /** Where an arrow leaves the client's bar, the server's. */
  fromClient: string;
  fromServer: string;
  toServer: string;
  toClient: string;
  /** Where an arrow ends that came to nobody. */
  lost: string;
  event: string;
  held: string;
  failed: string;
  unknown: string;
}

/** The characters of a ladder where the locale is UTF-8. */
export const UNICODE: Glyphs = {
  bar: "│",
  line: "─",
  fromClient: "├",
  fromServer: "┤",
  toServer: "►",
  toClient: "◄",
  lost: "✗",
  event: "●",
  held: "✓",
  failed: "✗",
  unknown: "-",
};

/** For ASCII. */
export const ASCII: Glyphs = {
  bar: "|",
  line: "-",
  fromClient: "|",
  fromServer: "|",
  toServer: ">",
  toClient: "<",
  lost: "X",
  event: "o",
  held: "ok",
  failed: "NO",
  unknown: "-",
};

/** Parameters of SGR (ECMA-48 section 8.3.117). */
const SGR: Readonly<Record<Style, number>> = {
  heading: 1,
  aside: 2,
  client: 36,
  server: 35,
  repeated: 33,
  bad: 31,
  good: 32,
};

/**
 * Makes a text of lines, each with its newline.
 *
 * @param options Whether to colour it, and to write ASCII alone see {@linkcode toAscii}.
 */
export function paint(
  lines: readonly Line[],
  { color, ascii }: { color: boolean; ascii: boolean },
): string {
  const text = lines.map((line) => line.map((span) => paintSpan(span, color)).join("").trimEnd());
  const joined = text.map((line) => line + "\n").join("");
  return ascii ? toAscii(joined) : joined;
}

function paintSpan({ text, style }: Span, color: boolean): string {
  return color && style !== undefined && text.trim() !== ""
    ? `\x1b[${SGR[style]}m${text}\x1b[0m`
    : text;
}
