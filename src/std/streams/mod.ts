/**
 * Stand-in for the published `@std/streams`: what this program uses of `TextLineStream`, with the
 * same names, types and behaviour, built on web streams.
 *
 * @example
 * ```ts
 * import { TextLineStream } from "@std/streams";
 *
 * const lines = ReadableStream.from(["a\nb", "c\n"]).pipeThrough(new TextLineStream());
 * console.log(await Array.fromAsync(lines)); // [ "a", "bc" ]
 * ```
 *
 * @module
 */
export * from "./text_line_stream.ts";
