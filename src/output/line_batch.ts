/**
 * What goes between the thread that reads and one that makes lines of NDJSON: many handshakes at a time,
 * in memory that both see.
 *
 * @module
 */
import { Handshake } from "../match/handshake.ts";
import type { Field } from "../record/field.ts";
import { fitsRow, readRow, ROW_LENGTH, writeRow } from "../record/handshake_row.ts";
import { RecordEncoder } from "../record/ndjson.ts";
import type { RecordContext } from "../record/record_context.ts";
import { ByteText } from "../text/byte_text.ts";

/** Handshakes in a batch. */
export const BATCH_ROWS = 256;
/** Room for their lines: of usual records twice as much as they need. */
export const LINES_LENGTH = BATCH_ROWS * 2_048;
/** Bytes of ready lines that are enough for a batch. */
const READY_BYTES_MAX = 256 * 1024;

/** Some handshakes, and their lines when those are made. */
export interface LineBatch {
  /** See `writeRow`; a row that begins with NaN stands for a ready line, of as many bytes as follows. */
  readonly rows: Float64Array;
  /** Where the lines are put, if they have room there. */
  readonly lines: Uint8Array;
  /** How many rows there are. */
  count: number;
  /** The ready lines, one after another. */
  ready: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** Makes an empty batch, in memory that threads share. */
export function makeBatch(): LineBatch {
  return {
    rows: new Float64Array(new SharedArrayBuffer(BATCH_ROWS * ROW_LENGTH * 8)),
    lines: new Uint8Array(new SharedArrayBuffer(LINES_LENGTH)),
    count: 0,
    ready: NOTHING,
  };
}

/** Puts handshakes into batches, as rows of numbers of which another thread makes the lines. */
export class BatchWriter {
  readonly #ready = new ByteText();
  readonly #encoder: RecordEncoder;
  #batch: LineBatch;

  /** @param batch The first, empty. @param fields What a line holds; undefined: everything. */
  constructor(batch: LineBatch, fields?: readonly Field[]) {
    this.#batch = batch;
    this.#encoder = new RecordEncoder(fields);
  }

  /** Whether there is nothing in the batch at hand. */
  get isEmpty(): boolean {
    return this.#batch.count === 0;
  }

  /** Whether there is no room for another handshake in it. */
  get isFull(): boolean {
    return this.#batch.count === BATCH_ROWS || this.#ready.length >= READY_BYTES_MAX;
  }

  /** Takes a handshake as a row, or as its line: where no row holds it, or that is asked for. */
  take(handshake: Handshake, context: RecordContext, asLine: boolean): void {
    const { rows, count } = this.#batch;
    const at = count * ROW_LENGTH;
    this.#batch.count++;
    if (!asLine && fitsRow(handshake)) {
      writeRow(handshake, rows, at);
      return;
    }
    const before = this.#ready.length;
    this.#encoder.write(this.#ready, handshake, context);
    rows[at] = NaN;
    rows[at + 1] = this.#ready.length - before;
  }

  /** Gives the batch away and goes on with another one; absent: with that one, when it is empty again. */
  exchange(next?: LineBatch): LineBatch {
    const batch = this.#batch;
    batch.ready = this.#ready.length === 0 ? NOTHING : this.#ready.take().slice();
    if (next !== undefined) this.#batch = next;
    return batch;
  }
}

/** Makes the lines of batches. */
export class BatchEncoder {
  readonly #encoder: RecordEncoder;
  readonly #context: RecordContext;
  readonly #handshake = new Handshake();
  readonly #lines = new ByteText(LINES_LENGTH);

  /** @param context What the lines tell beyond the handshakes. @param fields As of {@link BatchWriter}. */
  constructor(context: RecordContext, fields?: readonly Field[]) {
    this.#encoder = new RecordEncoder(fields);
    this.#context = context;
  }

  /** The lines of a batch, valid until the next call. */
  encode({ rows, count, ready }: LineBatch): Uint8Array<ArrayBuffer> {
    const handshake = this.#handshake;
    const lines = this.#lines;
    let readyAt = 0;
    for (let row = 0; row < count; row++) {
      const at = row * ROW_LENGTH;
      if (Number.isNaN(rows[at])) {
        lines.bytes(ready.subarray(readyAt, readyAt += rows[at + 1]));
        continue;
      }
      readRow(rows, at, handshake);
      this.#encoder.write(lines, handshake, this.#context);
    }
    return lines.take();
  }
}
