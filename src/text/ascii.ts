/** A unit behind its number: elsewhere the character is one of a name. */
const MICROSECONDS = /(?<=\d )µs\b/g;
// Colours stay.
const NOT_ASCII = /[^\n\x20-\x7e]/gu;

/** Writes a text of lines in ASCII alone: the unit `µs` as `us`, anything else as `\u{hex}`. */
export function toAscii(text: string): string {
  return text.replace(MICROSECONDS, "us").replace(
    NOT_ASCII,
    (character) =>
      character === "\x1b" ? character : `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}
