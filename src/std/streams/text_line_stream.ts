/**
 * Divides text into lines at `\n` or `\r\n`. The line ends are not part of the lines; a last line
 * without an end is a line; nothing follows a last line with one.
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
  /** Makes the stream. */
  constructor() {
    let rest = "";
    super({
      transform(chunk, controller) {
        const lines = (rest + chunk).split("\n");
        // A `\r` at its end may be the first half of `\r\n`: it waits for the next chunk.
        rest = lines.pop()!;
        for (const line of lines) {
          controller.enqueue(line.endsWith("\r") ? line.slice(0, -1) : line);
        }
      },
      flush(controller) {
        if (rest !== "") controller.enqueue(rest);
      },
    });
  }
}
