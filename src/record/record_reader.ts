/**
 * Our own NDJSON, as bytes that come in any pieces → the handshakes of its lines.
 *
 * @module
 */
import type { Handshake } from "../match/handshake.ts";
import type { RecordedContext } from "./record_context.ts";
import { type DecodedHandshake, isNewer, LineDecoder } from "./record_decoder.ts";
import type { RowReader } from "./recorded_row.ts";

/**
 * Takes a handshake that was read back, with what its record says beyond it, and the record's version. The
 * handshake is filled anew for each; the context may be kept. Of one that is held back by the filter of the
 * decoder parts are missing.
 */
export type OnRecord = (
  handshake: Handshake,
  context: RecordedContext,
  isHeldBack: boolean,
  version: number,
) => void;

/** Takes a line of another kind: its `event` and all that it holds, which are untrusted. */
export type OnEvent = (event: string, members: Readonly<Record<string, unknown>>) => void;

/** Bytes of a line that is read; a record has about a thousand, statistics less than half of this. */
export const LINE_MAX = 1 << 20;
/** Kinds of other lines, and unknown fields, that are told by name. */
const NAMES_MAX = 16;
/** Characters of the name of another kind of line. */
const NAME_LENGTH_MAX = 64;
/** Where the kinds are counted that are too many. */
const OTHERS = "others";

const NEWLINE = "\n".charCodeAt(0);
/** U+FEFF in UTF-8, which some programs put before a text. */
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

/** What stands between JSON texts, but for the newline (RFC 8259 section 2). */
function isBlank(character: number): boolean {
  return character === 0x20 || character === 0x0d || character === 0x09;
}

function isBlankPart(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (!isBlank(bytes[at])) return false;
  return true;
}

function markLengthAt(bytes: Uint8Array, start: number): number {
  const isMarked = bytes[start] === BYTE_ORDER_MARK[0] &&
    bytes[start + 1] === BYTE_ORDER_MARK[1] && bytes[start + 2] === BYTE_ORDER_MARK[2];
  return isMarked ? BYTE_ORDER_MARK.length : 0;
}

/** Lines that are no record, by what is wrong with them. */
export interface RefusedLines {
  /** Longer than {@link LINE_MAX}. */
  too_long: number;
  /** No JSON, or no UTF-8. */
  no_json: number;
  /** JSON, but no record that this version can read. */
  no_record: number;
}

/** Takes bytes in their order. @param rows Records of some of their lines, where those were decoded already. */
export type TakeBytes = (bytes: Uint8Array, rows: RowReader | undefined) => void;

/** Has bytes decoded elsewhere: gives them back in their order, later and with what was made of them. */
export interface AheadDecoder {
  /** Takes the next bytes; nothing of the array is kept. @param give Gets what was taken, as far as that is due. */
  take(bytes: Uint8Array<ArrayBuffer>, give: TakeBytes): void;
  /** Gives back all that was taken. */
  giveAll(give: TakeBytes): void;
}

/** Reads records from bytes. Memory is bounded by the longest line that is read. */
export class RecordReader {
  /** Handshakes delivered. */
  handshakes = 0;
  /** Whether nothing follows. */
  hasEnded = false;
  /** Lines that are no record. */
  readonly refused: RefusedLines = { too_long: 0, no_json: 0, no_record: 0 };
  /** What was wrong with the first line that was refused, with its number; it holds nothing of the line. */
  firstRefused: string | undefined;
  /** Lines of other kinds, such as `summary`, by their `event`: untrusted text. */
  readonly events: Map<string, number> = new Map();
  /** Fields and values that this version does not know and skipped: untrusted text. */
  readonly unknown: Set<string> = new Set();
  /** The latest version of the record that was met, where it is later than this tool's. */
  newerVersion: number | undefined;
  readonly #onRecord: OnRecord;
  readonly #onEvent: OnEvent | undefined;
  readonly #decoder: LineDecoder;
  readonly #ahead: AheadDecoder | undefined;
  /** The start of a line whose end is still to come. */
  #begin: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #beginLength = 0;
  /** Whether the line that is to end was too long already. */
  #isSkipping = false;
  #lines = 0;

  /**
   * Reads nothing yet.
   *
   * @param decoder Decodes what is wanted of a line; absent: everything.
   * @param ahead Decodes the same of bytes before they are read; absent: nobody does.
   */
  constructor(
    onRecord: OnRecord,
    onEvent?: OnEvent,
    decoder: LineDecoder = new LineDecoder(),
    ahead?: AheadDecoder,
  ) {
    this.#decoder = decoder;
    this.#onRecord = onRecord;
    this.#onEvent = onEvent;
    this.#ahead = ahead;
  }

  /** Takes the next bytes, any number; nothing of the array is kept. */
  feed(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#ahead === undefined) this.#read(bytes);
    else this.#ahead.take(bytes, this.#readGiven);
  }

  /** Reads what was fed so far, where a part of it is decoded elsewhere. */
  catchUp(): void {
    this.#ahead?.giveAll(this.#readGiven);
  }

  readonly #readGiven: TakeBytes = (bytes, rows) => {
    if (rows === undefined) this.#read(bytes as Uint8Array<ArrayBuffer>);
    else this.#readDecoded(bytes, rows);
  };

  #read(bytes: Uint8Array<ArrayBuffer>): void {
    // What is read beyond the end of an array makes all reading slower.
    const last = bytes.lastIndexOf(NEWLINE);
    let start = 0;
    while (start <= last) {
      const isBegun = this.#beginLength > 0 || this.#isSkipping;
      // To look for its end first takes a twelfth of the time to read it.
      const behind = isBegun ? undefined : this.#takeRecord(bytes, start);
      if (behind !== undefined) {
        start = behind;
        continue;
      }
      const end = bytes.indexOf(NEWLINE, start);
      if (isBegun || end - start > LINE_MAX) this.#takeLine(bytes.subarray(start, end));
      else this.#decode(bytes, start, end, markLengthAt(bytes, start) === 0);
      start = end + 1;
    }
    this.#keep(bytes.subarray(start));
  }

  /** Reads bytes of which the records are rows; every line that has none is decoded here. */
  #readDecoded(bytes: Uint8Array, rows: RowReader): void {
    const last = bytes.lastIndexOf(NEWLINE);
    let start = 0;
    while (start <= last) {
      const isBegun = this.#beginLength > 0 || this.#isSkipping;
      const record = isBegun ? undefined : rows.read(start);
      if (record !== undefined) {
        this.#lines++;
        this.#takeHandshake(record, rows.isHeldBack);
        start = rows.end + 1;
        continue;
      }
      const end = bytes.indexOf(NEWLINE, start);
      // It copies the line: these bytes may be those of several threads.
      this.#takeLine(bytes.subarray(start, end));
      start = end + 1;
    }
    this.#keep(bytes.subarray(start));
  }

  /** Tells that nothing follows: a last line without its newline is taken. */
  end(): void {
    this.catchUp();
    if (this.#beginLength > 0 || this.#isSkipping) this.#takeLine(new Uint8Array(0));
    this.#begin = new Uint8Array(0);
    this.hasEnded = true;
  }

  /** Lines that were refused. */
  get refusedCount(): number {
    const { too_long, no_json, no_record } = this.refused;
    return too_long + no_json + no_record;
  }

  /** Which lines are no records, as the end of a sentence; undefined where all are. */
  describeRefused(): string | undefined {
    const { refused, refusedCount, firstRefused } = this;
    if (refusedCount === 0) return undefined;
    const kinds = [
      [refused.no_json, "no JSON"],
      [refused.no_record, "no record"],
      [refused.too_long, "too long"],
    ] as const;
    const list = kinds.filter(([count]) => count > 0).map(([count, kind]) => `${count} ${kind}`);
    const lines = refusedCount === 1
      ? "1 of its lines is no record"
      : `${refusedCount} of its lines are no records`;
    return `${lines} (${list.join(", ")}); ${firstRefused}`;
  }

  /** Takes a line that is a record as this tool writes it. @returns Where the next begins. */
  #takeRecord(bytes: Uint8Array<ArrayBuffer>, start: number): number | undefined {
    const record = this.#decoder.decodeFrom(bytes, start);
    const { end } = this.#decoder;
    if (record === undefined || end - start > LINE_MAX) return undefined;
    this.#lines++;
    this.#takeHandshake(record, this.#decoder.isHeldBack);
    return end + 1;
  }

  /** Takes the end of a line whose start was kept, or one that is too long. */
  #takeLine(rest: Uint8Array): void {
    const isTooLong = this.#isSkipping || this.#beginLength + rest.length > LINE_MAX;
    if (!isTooLong) this.#keep(rest);
    const length = this.#beginLength;
    this.#beginLength = 0;
    this.#isSkipping = false;
    if (!isTooLong) return this.#decode(this.#begin, 0, length);
    this.#lines++;
    this.#refuse("too_long", `it has more than ${LINE_MAX} bytes`);
  }

  /**
   * Takes a line.
   *
   * @param start Where it begins in some bytes. @param end Where it ends, before its newline.
   * @param isOther Whether it is known to be no record as this tool writes it.
   */
  #decode(bytes: Uint8Array<ArrayBuffer>, start: number, end: number, isOther = false): void {
    this.#lines++;
    if (isBlankPart(bytes, start, end)) return;
    const decoded = isOther
      ? this.#decoder.decodeOther(bytes, start, end)
      : this.#decoder.decode(bytes, start + markLengthAt(bytes, start), end);
    if (decoded.kind === "handshake") this.#takeHandshake(decoded, this.#decoder.isHeldBack);
    else if (decoded.kind === "refused") {
      this.#refuse(decoded.fault === "json" ? "no_json" : "no_record", decoded.reason);
    } else {
      this.#countEvent(decoded.event);
      this.#onEvent?.(decoded.event, decoded.members);
    }
  }

  #takeHandshake(
    { handshake, context, unknown, version }: DecodedHandshake,
    isHeldBack: boolean,
  ): void {
    for (const name of unknown) if (this.unknown.size < NAMES_MAX) this.unknown.add(name);
    if (isNewer(version)) this.newerVersion = Math.max(version, this.newerVersion ?? 0);
    this.handshakes++;
    this.#onRecord(handshake, context, isHeldBack, version);
  }

  #refuse(kind: keyof RefusedLines, reason: string): void {
    this.refused[kind]++;
    this.firstRefused ??= `line ${this.#lines}: ${reason}`;
  }

  #countEvent(event: string): void {
    const { events } = this;
    const name = event.slice(0, NAME_LENGTH_MAX);
    const key = events.has(name) || events.size < NAMES_MAX ? name : OTHERS;
    events.set(key, (events.get(key) ?? 0) + 1);
  }

  /** Keeps the start of a line, as long as it may become one. */
  #keep(bytes: Uint8Array): void {
    const length = this.#beginLength + bytes.length;
    if (this.#isSkipping || bytes.length === 0) return;
    if (length > LINE_MAX) {
      this.#isSkipping = true;
      this.#beginLength = 0;
      return;
    }
    if (length > this.#begin.length) {
      const begin = new Uint8Array(Math.min(LINE_MAX, 2 * length));
      begin.set(this.#begin.subarray(0, this.#beginLength));
      this.#begin = begin;
    }
    this.#begin.set(bytes, this.#beginLength);
    this.#beginLength = length;
  }
}
