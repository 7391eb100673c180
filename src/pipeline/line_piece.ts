/**
 * What goes between the thread that reads records and one that decodes them: a piece of bytes, and the rows
 * of its lines, in memory that both see. It is decoded by the thread that claims it first.
 *
 * @module
 */
import type { RowMemory, RowsWritten } from "../record/recorded_row.ts";

/** Bytes of a piece at most: as many as are read of a file at once. */
export const PIECE_LENGTH = 1 << 18;
/** Numbers for its rows: those of usual records need half of them. */
const NUMBERS = 1 << 16;
/** Units for the texts that are new in it. */
const UNITS = 1 << 15;

/** Characters of why it failed. */
const REASON_MAX = 200;

/**
 * How far it is: held by the first thread, which fills or reads it; offered to both; claimed by one, which
 * decodes it; decoded; or failed, because who claimed it has ended.
 */
const STATES = ["held", "offered", "claimed", "decoded", "failed"] as const;
/** One of {@link STATES}. */
type State = typeof STATES[number];

// What is counted of a piece. In the word of its state, its number stands above how far it is.
const STATE = 0;
const LENGTH = 1;
const ROW_NUMBERS = 2;
const TEXT_UNITS = 3;
const TEXTS_ARE_FIRST = 4;
const COUNTS = 5;
const STATE_BITS = 3;
const NUMBER_MAX = 2 ** (31 - STATE_BITS) - 1;

/** The memory of a piece. */
export interface PieceMemory extends RowMemory {
  readonly bytes: Uint8Array;
  readonly counts: Int32Array;
}

/** Makes the memory of a piece. */
export function makePieceMemory(): PieceMemory {
  const shared = (length: number) => new SharedArrayBuffer(length);
  return {
    bytes: new Uint8Array(shared(PIECE_LENGTH)),
    rows: new Float64Array(shared(NUMBERS * Float64Array.BYTES_PER_ELEMENT)),
    texts: new Uint16Array(shared(UNITS * Uint16Array.BYTES_PER_ELEMENT)),
    counts: new Int32Array(shared(COUNTS * Int32Array.BYTES_PER_ELEMENT)),
  };
}

/** A piece, as one of the threads has it. */
export class LinePiece {
  /** Where its rows are. */
  readonly memory: PieceMemory;

  /** @param memory That of the other thread, or new. */
  constructor(memory: PieceMemory) {
    this.memory = memory;
  }

  /** How far it is. */
  get state(): State {
    return STATES[this.#word & (1 << STATE_BITS) - 1];
  }

  /** Which of all pieces it is: later ones have greater numbers. */
  get number(): number {
    return this.#word >> STATE_BITS;
  }

  get #word(): number {
    return Atomics.load(this.memory.counts, STATE);
  }

  /** Its bytes. */
  get bytes(): Uint8Array {
    return this.memory.bytes.subarray(0, this.memory.counts[LENGTH]);
  }

  /** Offers some bytes, of which it has a copy, at most {@link PIECE_LENGTH}, to both threads. */
  offer(bytes: Uint8Array, number: number): void {
    const { memory } = this;
    memory.bytes.set(bytes);
    memory.counts[LENGTH] = bytes.length;
    Atomics.store(memory.counts, STATE, wordOf("offered", number & NUMBER_MAX));
  }

  /**
   * Claims what is offered, to decode it.
   *
   * @param number Only this one. @returns Whether it was still offered.
   */
  claim(number = this.number): boolean {
    const offered = wordOf("offered", number);
    const claimed = wordOf("claimed", number);
    return Atomics.compareExchange(this.memory.counts, STATE, offered, claimed) === offered;
  }

  /** Tells the other thread, which may wait for it, that what was claimed is decoded. */
  finish({ numbers, units, areFirst }: RowsWritten): void {
    const { counts } = this.memory;
    counts[ROW_NUMBERS] = numbers;
    counts[TEXT_UNITS] = units;
    counts[TEXTS_ARE_FIRST] = Number(areFirst);
    this.#move("decoded");
  }

  /** Tells the other thread that nothing more is decoded. @param reason In a few words. */
  fail(reason: string): void {
    const { counts, texts } = this.memory;
    const told = [...reason].slice(0, REASON_MAX).join("");
    for (let at = 0; at < told.length; at++) texts[at] = told.charCodeAt(at);
    counts[TEXT_UNITS] = told.length;
    this.#move("failed");
  }

  /** Why it failed. */
  get failure(): string {
    const { counts, texts } = this.memory;
    return String.fromCharCode(...texts.subarray(0, counts[TEXT_UNITS]));
  }

  #move(state: State): void {
    const { counts } = this.memory;
    Atomics.store(counts, STATE, wordOf(state, this.number));
    Atomics.notify(counts, STATE);
  }

  /** What its rows are, where it is decoded. */
  get written(): RowsWritten {
    const { counts } = this.memory;
    return {
      numbers: counts[ROW_NUMBERS],
      units: counts[TEXT_UNITS],
      areFirst: counts[TEXTS_ARE_FIRST] === 1,
    };
  }

  /** Waits until what is claimed by the other thread is decoded or failed, so many milliseconds at most. */
  wait(maxMs: number): void {
    Atomics.wait(this.memory.counts, STATE, wordOf("claimed", this.number), maxMs);
  }

  /** Takes it back, whatever became of it. Only for the first thread. */
  hold(): void {
    Atomics.store(this.memory.counts, STATE, wordOf("held", 0));
  }
}

function wordOf(state: State, number: number): number {
  return number << STATE_BITS | STATES.indexOf(state);
}
