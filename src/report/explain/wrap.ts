/**
 * Breaks a text into lines at its spaces; a word that is longer than a line stands alone on one.
 *
 * @param width Characters a line at most.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line === "") line = word;
    else if (line.length + 1 + word.length <= width) line += " " + word;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}
