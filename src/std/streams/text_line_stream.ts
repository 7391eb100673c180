/** Options of {@linkcode TextLineStream}. */
export interface TextLineStreamOptions {
  /**
   * Also end a line at a lone `\r`.
   *
   * @default {false}
   */
  allowCR?: boolean;
}

// Both ends of a line are found in one pass over the text.
const LF_OR_CRLF = /\r?\n/g;
// A `\r` that ends the chunk may be the first half of `\r\n`: it waits for the next chunk.
const LF_CRLF_OR_CR = /\r?\n|\r(?!$)/g;

/**
 * Divides text into lines at `\n` or `\r\n` (and at `\r` with `allowCR`). The line ends are not part
 * of the lines; a last line without an end is a line; nothing follows a last line with one.
 *
 * @example
 * ```ts
 * import { TextLineStream } from "@std/streams";
 *
 * const lines = ReadableStream.from(["a\r", "\nb"]).pipeThrough(new TextLineStream());
 * console.log(await Array.fromAsync(lines)); // [ "a", "b" ]
 * ```
 */
export class TextLineStream extends TransformStream<string, string> {
  #rest = "";

  /**
   * Makes the stream.
   *
   * @param options Which characters end a line.
   */
  constructor(options: TextLineStreamOptions = {}) {
    const allowCR = options.allowCR ?? false;
    const lineEnd = allowCR ? LF_CRLF_OR_CR : LF_OR_CRLF;
    super({
      transform: (chunk, controller) => {
        const text = this.#rest + chunk;
        let start = 0;
        for (const end of text.matchAll(lineEnd)) {
          controller.enqueue(text.slice(start, end.index));
          start = end.index + end[0].length;
        }
        this.#rest = text.slice(start);
      },
      flush: (controller) => {
        if (this.#rest === "") return;
        const closed = allowCR && this.#rest.endsWith("\r");
        controller.enqueue(closed ? this.#rest.slice(0, -1) : this.#rest);
      },
    });
  }
}
