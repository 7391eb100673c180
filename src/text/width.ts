/** From here on a character may take two places of a terminal (Unicode Standard Annex #11). */
const MAY_BE_WIDE = 0x1100;
/** Stands for what was cut off, and where only ASCII may be shown. */
const MARK = "…";
const ASCII_MARK = "~";
/** What the tool writes itself, which takes one place: beside these, lines and blocks. */
const NARROW = "…✓✗→▲▼►◄●";
/** Unicode's Box Drawing and Block Elements. */
const DRAWN_FIRST = 0x2500;
const DRAWN_LAST = 0x259f;

/** The places that a text takes on a terminal at most; of printable text, see `escapeText`. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    const isDrawn = code >= DRAWN_FIRST && code <= DRAWN_LAST;
    width += code < MAY_BE_WIDE || isDrawn || NARROW.includes(character) ? 1 : 2;
  }
  return width;
}

/** Cuts a text off where it would take more places than that, and marks it: `ACCEPT_QUEUE_F…`. */
export function clip(text: string, width: number, ascii = false): string {
  if (text.length * 2 <= width || widthOf(text) <= width) return text;
  let taken = 1;
  let kept = "";
  for (const character of text) {
    taken += widthOf(character);
    if (taken > width) break;
    kept += character;
  }
  return kept.trimEnd() + (ascii ? ASCII_MARK : MARK);
}

/** Leaves out the middle of an ASCII text that is longer: `[2001:db8:…:ffff:2]:80`. */
export function clipMiddle(text: string, width: number, ascii = false): string {
  if (text.length <= width) return text;
  const tail = Math.floor((width - 1) / 2);
  const head = width - 1 - tail;
  return text.slice(0, head) + (ascii ? ASCII_MARK : MARK) + text.slice(text.length - tail);
}
