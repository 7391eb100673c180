/**
 * A thread that decodes records when a test has it do so, on the thread of the test.
 *
 * @module
 */
import { claimFirst, PieceDecoder, toWanted } from "../../../src/pipeline/decode_pieces.ts";
import {
  type DecodingAnswer,
  type DecodingOptions,
  type DecodingSettings,
  DecodingThread,
  type Thread,
} from "../../../src/pipeline/decoding_thread.ts";
import { LinePiece } from "../../../src/pipeline/line_piece.ts";

/** What a worker is to `DecodingThread`. */
export class SteppedDecoding implements Thread {
  onmessage: Thread["onmessage"] = null;
  onerror: Thread["onerror"] = null;
  hasEnded = false;
  /** Pieces decoded so far. */
  decoded = 0;
  #pieces: readonly LinePiece[] = [];
  #decoder: PieceDecoder | undefined;

  postMessage({ pieces, wanted }: DecodingSettings): void {
    // What goes to another thread is copied.
    this.#decoder = new PieceDecoder(toWanted(structuredClone(wanted)));
    this.#pieces = pieces.map((memory) => new LinePiece(memory));
    this.say("begun");
  }

  terminate(): void {
    this.hasEnded = true;
  }

  say(data: DecodingAnswer): void {
    this.onmessage?.(new MessageEvent("message", { data }));
  }

  /** Decodes what was offered first, if anything is. */
  step(): void {
    const piece = this.claim();
    if (piece === undefined) return;
    this.#decoder!.decode(piece);
    this.decoded++;
  }

  /** Claims what was offered first. */
  claim(): LinePiece | undefined {
    return this.hasEnded ? undefined : claimFirst(this.#pieces);
  }

  /** Ends. @param says Whether it says so itself. */
  fail(message: string, says: boolean): void {
    if (says) this.say({ failed: message });
    else this.onerror?.(new ErrorEvent("error", { message, cancelable: true }));
  }
}

/** What was opened, and why it ended by itself. */
export interface OpenedDecoding {
  thread: SteppedDecoding;
  decoding: DecodingThread;
  ended: string[];
}

/** Opens one. @param options Absent: everything is decoded. */
export async function openStepped(
  options: DecodingOptions = {
    wanted: { fields: undefined, filter: undefined },
    sample: new Uint8Array(0),
    isOver: () => false,
  },
): Promise<OpenedDecoding> {
  const thread = new SteppedDecoding();
  const ended: string[] = [];
  const decoding = await DecodingThread.open(thread, options, (reason) => ended.push(reason));
  return { thread, decoding, ended };
}
