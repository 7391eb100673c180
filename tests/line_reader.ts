/**
 * What a program says, line by line. A part of a pipe is no message: a program may write a line and its
 * end apart (Python does where PYTHONUNBUFFERED is set), and two lines may come at once.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";

/** Reads the lines of an output one by one. What is not read may hold the program up, or stay unread. */
export function lineReader(
  output: ReadableStream<Uint8Array<ArrayBuffer>>,
): ReadableStreamDefaultReader<string> {
  return output.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream()).getReader();
}
