/// <reference lib="deno.worker" />
/**
 * Makes lines of NDJSON on a thread of its own; see `LineThread`. What ends it is an answer: an error that
 * left it would be printed as well.
 *
 * @module
 */
import type { LineAnswer, LineRequest, LineSettings } from "./line_thread.ts";

const answer = (message: LineAnswer) => self.postMessage(message);

function fail(error: unknown): void {
  answer({ failed: error instanceof Error ? error.message : String(error) });
  self.close();
}

self.onmessage = async ({ data: settings }: MessageEvent<LineSettings>) => {
  try {
    // Also that this cannot be loaded is told.
    const { makeLines }: typeof import("./made_lines.ts") = await import(
      import.meta.resolve("./made_lines.ts")
    );
    const make = makeLines(settings);
    self.onmessage = ({ data: request }: MessageEvent<LineRequest>) => {
      try {
        answer(make(request));
      } catch (error) {
        fail(error);
      }
    };
    answer("begun");
  } catch (error) {
    fail(error);
  }
};
