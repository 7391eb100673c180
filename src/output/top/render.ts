/**
 * Lines of a screen → what a terminal is sent.
 *
 * @module
 */
import { widthOf } from "../../text/width.ts";
import type { ScreenLine, ScreenStyle } from "./screen_line.ts";

/** Parameters of SGR (ECMA-48 section 8.3.117): sixteen colours. */
const SGR: Readonly<Record<ScreenStyle, number>> = {
  heading: 1,
  aside: 2,
  inverse: 7,
  bad: 31,
  good: 32,
  unsure: 33,
  repeated: 33,
  server: 35,
  client: 36,
};
/** From here on the parameters are colours. */
const FIRST_COLOUR = 30;

/** DEC private mode 2026: a terminal that knows it shows all that is between at once. */
const BEGIN_UPDATE = "\x1b[?2026h";
const END_UPDATE = "\x1b[?2026l";

/** What every terminal shows in one place: ASCII, and what is drawn with (see `widthOf`). */
const SURE = /^[ -~µ…✓✗→▲▼►◄●\u2500-\u259f]*$/;

/**
 * Encodes a line, from its first place on. Behind text of which terminals do not agree how many places
 * it takes, the cursor is put where it belongs.
 */
export function encodeLine(line: ScreenLine, colour: boolean): string {
  let encoded = "";
  let column = 0;
  for (const { text, style } of line) {
    column += widthOf(text);
    const parameter = style === undefined ? 0 : SGR[style];
    const isStyled = parameter !== 0 && (colour || parameter < FIRST_COLOUR);
    encoded += isStyled ? `\x1b[${parameter}m${text}\x1b[m` : text;
    if (!SURE.test(text)) encoded += `\x1b[${column + 1}G`;
  }
  return encoded;
}

/** Remembers what a terminal shows, so that it is sent what changed alone. */
export class ScreenRenderer {
  readonly #colour: boolean;
  #shown: string[] = [];

  /** @param colour Whether colours are wanted. */
  constructor(colour: boolean) {
    this.#colour = colour;
  }

  /** Forgets what is shown: all of it is sent the next time. */
  forget(): void {
    this.#shown = [];
  }

  /** What has the terminal show these lines; "" where it does already. */
  render(lines: readonly ScreenLine[]): string {
    const isNew = this.#shown.length !== lines.length;
    const encoded = lines.map((line) => encodeLine(line, this.#colour));
    let changes = isNew ? "\x1b[m\x1b[2J" : "";
    encoded.forEach((line, at) => {
      if (isNew ? line === "" : line === this.#shown[at]) return;
      // Erased before it is written: behind a full line the cursor still stands on its last place.
      changes += `\x1b[${at + 1};1H\x1b[2K${line}`;
    });
    this.#shown = encoded;
    return changes === "" ? "" : BEGIN_UPDATE + changes + END_UPDATE;
  }
}
