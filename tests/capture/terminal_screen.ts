/**
 * What stands on a terminal after some output, as far as a tool writes line by line: printable text,
 * newlines, returns, tabs left out, and of ECMA-48 erasing to the end of the line and colours.
 *
 * @param output What came out of the terminal.
 * @returns Its lines, without blanks at their ends.
 * @throws {Error} Some other control function.
 */
export function screenOf(output: string): string[] {
  const lines: string[][] = [[]];
  let column = 0;
  // A control character before a bracket is ESC: no other stands there.
  for (const [token] of output.matchAll(/\p{Cc}\[[\d;]*[A-Za-z]|[^]/gu)) {
    const line = lines.at(-1)!;
    if (token === "\n") {
      lines.push([]);
      column = 0;
    } else if (token === "\r") column = 0;
    else if (token === "\x1b[K") line.splice(column);
    else if (/^\p{Cc}\[[\d;]*m$/u.test(token)) continue;
    else if (token < " ") throw new Error(`Cannot show ${JSON.stringify(token)}`);
    else line[column++] = token;
  }
  return lines.map((line) => Array.from(line, (each) => each ?? " ").join("").trimEnd());
}
