/**
 * What decodes pieces of records, on whichever thread it is.
 *
 * @module
 */
import type { Wanted } from "../record/line_scanner.ts";
import { LineDecoder } from "../record/record_decoder.ts";
import { RowWriter } from "../record/recorded_row.ts";
import { messageOf } from "../text/message.ts";
import { type HandshakeFilter, passes } from "./filter.ts";
import { LinePiece, makePieceMemory, PIECE_LENGTH } from "./line_piece.ts";

const NEWLINE = "\n".charCodeAt(0);
/** What the bell says when nothing more will be offered. */
export const OVER = -1;

/** What of records is wanted, as it can be told another thread; see {@link Wanted}. */
export interface WantedParts {
  /** Paths of the fields; undefined: all of them. */
  fields: readonly string[] | undefined;
  /** Undefined: all records. */
  filter: { parts: HandshakeFilter; reads: readonly string[] } | undefined;
}

/** What is wanted, with the filter asked here. */
export function toWanted({ fields, filter }: WantedParts): Wanted {
  return {
    fields: fields && new Set(fields),
    filter: filter && {
      reads: new Set(filter.reads),
      passes: (handshake, context) => passes(filter.parts, handshake, context),
    },
  };
}

/** Decodes the lines of pieces that are written as this tool does. */
export class PieceDecoder {
  readonly #decoder: LineDecoder;
  readonly #rows = new RowWriter();
  /** Bytes that others may see make a text of nothing, and are slower to read. */
  readonly #copy = new Uint8Array(PIECE_LENGTH);

  /** @param wanted What is decoded of a record. */
  constructor(wanted: Wanted) {
    this.#decoder = new LineDecoder(wanted);
  }

  /** Makes the rows of a piece that was claimed. */
  decode(piece: LinePiece): void {
    const rows = this.#rows;
    const decoder = this.#decoder;
    const bytes = this.copyOf(piece);
    rows.begin(piece.memory);
    const last = bytes.lastIndexOf(NEWLINE);
    for (let start = 0; start <= last;) {
      const record = decoder.decodeFrom(bytes, start);
      const { end } = decoder;
      if (record !== undefined) {
        if (!rows.write(record, start, end, decoder.isHeldBack) && rows.isFull) break;
        start = end + 1;
      } else start = bytes.indexOf(NEWLINE, start) + 1;
    }
    piece.finish(rows.written);
  }

  /** The bytes of a piece, valid until the next call. */
  copyOf(piece: LinePiece): Uint8Array<ArrayBuffer> {
    const { bytes } = piece;
    this.#copy.set(bytes);
    return this.#copy.subarray(0, bytes.length);
  }
}

/** How often some bytes are decoded until V8 has made fast code of it: 70 ms, the first time alone 23. */
const REHEARSALS = 8;

/** Decodes some bytes for nothing, so that nobody waits for slow code later. */
export function rehearse(wanted: Wanted, bytes: Uint8Array): void {
  const decoder = new PieceDecoder(wanted);
  const piece = new LinePiece(makePieceMemory());
  for (let time = 0; time < REHEARSALS; time++) {
    piece.offer(bytes.subarray(0, PIECE_LENGTH), time);
    piece.claim();
    decoder.decode(piece);
  }
}

/** Claims the piece that was offered first of those that are; undefined: none is. */
export function claimFirst(pieces: readonly LinePiece[]): LinePiece | undefined {
  for (;;) {
    let first: LinePiece | undefined;
    let number = Infinity;
    for (const piece of pieces) {
      const its = piece.number;
      if (piece.state !== "offered" || its >= number) continue;
      first = piece;
      number = its;
    }
    if (first === undefined || first.claim(number)) return first;
  }
}

/** Decodes pieces as they are offered, until the bell says that it is over. */
export function decodeOffered(
  pieces: readonly LinePiece[],
  bell: Int32Array,
  decoder: PieceDecoder,
): void {
  for (;;) {
    const heard = Atomics.load(bell, 0);
    if (heard === OVER) return;
    const piece = claimFirst(pieces);
    if (piece === undefined) Atomics.wait(bell, 0, heard);
    else {
      try {
        decoder.decode(piece);
      } catch (error) {
        piece.fail(messageOf(error));
        throw error;
      }
    }
  }
}
