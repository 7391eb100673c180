/**
 * A line on standard error that is written over and over, for a person who waits.
 *
 * @module
 */
import type { LineOutput, Lines } from "../../files/stream_output.ts";
import { beforeSaying, outputSurface, show } from "./terminal.ts";

/** Return to the line's start and erase it (ECMA-48 EL). */
const ERASE = "\r\x1b[K";

/** Shows nothing where standard error is no terminal, or something else stands there. */
export class ProgressLine {
  readonly #isTerminal: boolean;
  #shown = false;

  /** @param isWanted Whether it may be shown at all. */
  constructor(isWanted = true) {
    this.#isTerminal = isWanted && Deno.stderr.isTerminal();
  }

  /** Shows a short text of ASCII instead of the one before, as much of it as fits one line. */
  show(text: string): void {
    if (!this.#isTerminal) return;
    // One more character would move some terminals to the next line, where it could not be erased.
    show(ERASE + text.slice(0, widthOfTerminal() - 1));
    this.#shown = true;
    beforeSaying(() => this.clear());
  }

  /** Takes the text away, so that other output can stand there. */
  clear(): void {
    if (!this.#shown) return;
    show(ERASE);
    this.#shown = false;
  }

  /** An output before whose lines the text is taken away, where both stand on a terminal. */
  before(output: LineOutput): LineOutput {
    if (!this.#isTerminal || !outputSurface().isTerminal) return output;
    return {
      write: (lines: Lines, records: number) => {
        this.clear();
        output.write(lines, records);
      },
      flush: () => output.flush(),
      hasten: () => output.hasten?.(),
      get rotatedAway() {
        return output.rotatedAway;
      },
      get lost() {
        return output.lost;
      },
    };
  }
}

function widthOfTerminal(): number {
  try {
    return Deno.consoleSize().columns || Infinity;
  } catch {
    return Infinity;
  }
}
