/**
 * Breaks a text into lines at its spaces, and inside of a word that is longer than a line.
 *
 * @param width Characters a line at most, at least 2.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((whole) => breakWord(whole, width))) {
    if (line === "") line = word;
    else if (line.length + 1 + word.length <= width) line += " " + word;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

/** Pieces of a word, no character cut in two (UTF-16 surrogates). */
function breakWord(word: string, width: number): string[] {
  const pieces: string[] = [];
  let at = 0;
  while (word.length - at > width) {
    const cutsPair = word.codePointAt(at + width - 1)! > 0xffff;
    const end = at + width - (cutsPair ? 1 : 0);
    pieces.push(word.slice(at, end));
    at = end;
  }
  return [...pieces, word.slice(at)];
}
