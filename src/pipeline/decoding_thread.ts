/**
 * A second thread that decodes records: most of the work of reading them.
 *
 * @module
 */
import type { AheadDecoder, TakeBytes } from "../record/record_reader.ts";
import { RowReader } from "../record/recorded_row.ts";
import { OVER, PieceDecoder, toWanted, type WantedParts } from "./decode_pieces.ts";
import { LinePiece, makePieceMemory, PIECE_LENGTH, type PieceMemory } from "./line_piece.ts";

/** What the thread is told, once: all that both see, what of records is wanted, and how some look. */
export interface DecodingSettings {
  pieces: readonly PieceMemory[];
  /** Rung when a piece is offered. */
  bell: Int32Array;
  wanted: WantedParts;
  sample: Uint8Array;
}

/** What it says: that it has begun; or, as the last, why it has ended. */
export type DecodingAnswer = "begun" | { failed: string };

/** What a `Worker` is to this module. */
export interface Thread {
  onmessage: ((event: MessageEvent<DecodingAnswer>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  postMessage(message: DecodingSettings): void;
  terminate(): void;
}

/** What is decoded. */
export interface DecodingOptions {
  wanted: WantedParts;
  /** Some bytes of records, with which the thread gets up to speed. */
  sample: Uint8Array;
  /** Whether nothing more is to be given back. */
  isOver(): boolean;
}

/** Pieces that there are: each thread decodes one, while one waits and one is filled. */
const PIECES = 4;
/**
 * A piece takes a few milliseconds. It is waited for many times in a row: where the process was stopped
 * meanwhile, one of these times has passed.
 */
const WAIT_MS = 100;
const WAITS_MAX = 50;

interface Pending {
  readonly piece: LinePiece;
  /** Whether it was this thread that decoded it. */
  isOwn: boolean;
}

/**
 * Has records decoded on another thread, and decodes some itself where it would wait for that. Where the
 * thread ends, it decodes all.
 */
export class DecodingThread implements AheadDecoder {
  readonly #thread: Thread;
  readonly #options: DecodingOptions;
  readonly #onEnd: (reason: string) => void;
  readonly #waitMs: number;
  readonly #bell: Int32Array;
  readonly #own: PieceDecoder;
  /** Each thread has numbers of its own for the texts in its rows. */
  readonly #ownRows = new RowReader();
  readonly #rows = new RowReader();
  readonly #free: LinePiece[];
  /** What was offered, in its order. */
  readonly #pending: Pending[] = [];
  #offered = 0;
  #hasEnded = false;

  private constructor(
    thread: Thread,
    options: DecodingOptions,
    settings: DecodingSettings,
    onEnd: (reason: string) => void,
    waitMs: number,
  ) {
    this.#onEnd = onEnd;
    this.#waitMs = waitMs;
    this.#thread = thread;
    this.#options = options;
    this.#bell = settings.bell;
    this.#own = new PieceDecoder(toWanted(options.wanted));
    this.#free = settings.pieces.map((memory) => new LinePiece(memory));
    thread.onmessage = ({ data }) => {
      if (typeof data === "object") this.#endEarly(data.failed);
    };
    thread.onerror = (event) => {
      event.preventDefault();
      this.#endEarly(event.message);
    };
  }

  /**
   * Waits until a thread has begun, and decodes at its speed: some 100 ms.
   *
   * @param thread It, just made.
   * @param onEnd Told, in a few words, why the thread has ended by itself: from then on all is done here.
   * @param waitMs Milliseconds in which a piece is surely decoded.
   * @throws {Error} It ended instead.
   */
  static async open(
    thread: Thread,
    options: DecodingOptions,
    onEnd: (reason: string) => void,
    waitMs = WAIT_MS,
  ): Promise<DecodingThread> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    thread.onmessage = ({ data }) => {
      if (typeof data === "object") reject(new Error(data.failed));
      else resolve();
    };
    thread.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    const settings: DecodingSettings = {
      pieces: Array.from({ length: PIECES }, makePieceMemory),
      bell: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
      wanted: options.wanted,
      sample: options.sample,
    };
    thread.postMessage(settings);
    await promise;
    return new DecodingThread(thread, options, settings, onEnd, waitMs);
  }

  /** See {@link AheadDecoder.take}. */
  take(bytes: Uint8Array<ArrayBuffer>, give: TakeBytes): void {
    if (this.#hasEnded || bytes.length > PIECE_LENGTH) {
      this.giveAll(give);
      if (!this.#options.isOver()) give(bytes, undefined);
      return;
    }
    const piece = this.#free.pop()!;
    piece.offer(bytes, this.#offered++);
    this.#pending.push({ piece, isOwn: false });
    Atomics.add(this.#bell, 0, 1);
    Atomics.notify(this.#bell, 0);
    // Those that are decoded stay until their room is needed, so that the thread always has some to do.
    if (this.#free.length === 0) this.#giveFirst(give);
  }

  /** See {@link AheadDecoder.giveAll}. */
  giveAll(give: TakeBytes): void {
    while (this.#pending.length > 0) this.#giveFirst(give);
  }

  #giveFirst(give: TakeBytes): void {
    const first = this.#pending[0];
    const { piece } = first;
    const isDecoded = this.#waitFor(piece);
    this.#pending.shift();
    if (!this.#options.isOver()) {
      if (!isDecoded) give(this.#own.copyOf(piece), undefined);
      else {
        const rows = first.isOwn ? this.#ownRows : this.#rows;
        rows.begin(piece.memory, piece.written);
        give(piece.bytes, rows);
      }
    }
    piece.hold();
    this.#free.push(piece);
  }

  /** Waits until the first piece is decoded. @returns False where it is not, and nobody else will do it. */
  #waitFor(piece: LinePiece): boolean {
    for (let waits = 0; !this.#hasEnded;) {
      if (piece.state === "decoded") return true;
      if (piece.claim()) return false;
      // The other thread has that one: meanwhile this one does a later one.
      const other = this.#pending.find(({ piece }) => piece.claim());
      if (other !== undefined) {
        other.isOwn = true;
        this.#own.decode(other.piece);
        continue;
      }
      if (piece.state === "failed") this.#endEarly(piece.failure);
      else if (waits++ === WAITS_MAX) this.#endEarly("it does not answer");
      else piece.wait(this.#waitMs);
    }
    return false;
  }

  #endEarly(reason: string): void {
    if (this.#hasEnded) return;
    this.end();
    this.#onEnd(reason);
  }

  /** Ends the thread; what was taken is decoded here. */
  end(): void {
    this.#hasEnded = true;
    this.#thread.onmessage = this.#thread.onerror = null;
    Atomics.store(this.#bell, 0, OVER);
    Atomics.notify(this.#bell, 0);
    this.#thread.terminate();
  }
}
