/**
 * A line on standard error that is written over and over, for a person who waits.
 *
 * @module
 */

/** Return to the line's begin and erase it (ECMA-48 EL). */
const ERASE = "\r\x1b[K";

/** Shows nothing where standard error is no terminal. */
export class ProgressLine {
  readonly #isTerminal = Deno.stderr.isTerminal();
  readonly #encoder = new TextEncoder();
  #shown = false;

  /** Shows a short text instead of the one before. */
  show(text: string): void {
    if (!this.#isTerminal) return;
    this.#write(ERASE + text);
    this.#shown = true;
  }

  /** Takes the text away, so that other output can stand there. */
  clear(): void {
    if (!this.#shown) return;
    this.#write(ERASE);
    this.#shown = false;
  }

  #write(text: string): void {
    try {
      Deno.stderr.writeSync(this.#encoder.encode(text));
    } catch {
      // Whoever looked has gone.
    }
  }
}
