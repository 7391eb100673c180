/// <reference lib="deno.worker" />
/**
 * Decodes records on a thread of its own; see `DecodingThread`. What ends it is an answer: an error that
 * left it would be printed as well.
 *
 * @module
 */
import type { DecodingAnswer, DecodingSettings } from "./decoding_thread.ts";

const answer = (message: DecodingAnswer) => self.postMessage(message);

self.onmessage = async ({ data: settings }: MessageEvent<DecodingSettings>) => {
  const { pieces, bell, sample } = settings;
  try {
    // Also that these cannot be loaded is told.
    const { decodeOffered, PieceDecoder, rehearse, toWanted }: typeof import("./decode_pieces.ts") =
      await import(import.meta.resolve("./decode_pieces.ts"));
    const { LinePiece }: typeof import("./line_piece.ts") = await import(
      import.meta.resolve("./line_piece.ts")
    );
    const wanted = toWanted(settings.wanted);
    rehearse(wanted, sample);
    answer("begun");
    const all = pieces.map((memory) => new LinePiece(memory));
    decodeOffered(all, bell, new PieceDecoder(wanted));
  } catch (error) {
    answer({ failed: error instanceof Error ? error.message : String(error) });
  }
  self.close();
};
