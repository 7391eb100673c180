/**
 * Waiting for what a process prints without asking again and again: the one processor of a guest is
 * emulated, and every question takes time from what is waited for.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";

/** How many lines an error repeats. */
const LAST = 20;

/** The lines that a process prints, kept, with a way to wait for what they say. */
export class Lines {
  /** All so far. */
  readonly all: string[] = [];
  readonly #waiting = new Set<() => void>();
  #ended = false;

  /** Reads one or more outputs of a process to their ends. */
  constructor(...streams: ReadableStream<Uint8Array<ArrayBuffer>>[]) {
    Promise.all(streams.map((stream) => this.#read(stream))).then(() => {
      this.#ended = true;
      this.#tell();
    });
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    const text = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    for await (const line of text) {
      this.all.push(line);
      this.#tell();
    }
  }

  #last(): string {
    return this.all.slice(-LAST).join("\n");
  }

  #tell(): void {
    for (const ask of this.#waiting) ask();
  }

  /**
   * Waits until the lines fulfil a condition, asked with every new one.
   *
   * @throws {Error} With the lines, when they do not before the deadline or before they end.
   */
  async until(
    what: string,
    holds: (lines: readonly string[]) => boolean,
    deadlineMs: number,
  ): Promise<void> {
    if (holds(this.all)) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (how: string) =>
      reject(new Error(`Cannot go on: ${what}: ${how}; it said last:\n${this.#last()}`));
    const ask = () => {
      if (holds(this.all)) resolve();
      else if (this.#ended) fail("its output ended");
    };
    this.#waiting.add(ask);
    const timer = setTimeout(() => fail(`not within ${deadlineMs / 1000} s`), deadlineMs);
    ask();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(ask);
    }
  }
}
