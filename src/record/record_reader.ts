/**
 * Our own NDJSON, as bytes that come in any pieces → the handshakes of its lines.
 *
 * @module
 */
import type { Handshake } from "../match/handshake.ts";
import type { RecordedContext } from "./record_context.ts";
import { decodeLineAt, isNewer } from "./record_decoder.ts";

/** Takes a handshake that was read back, a new object for each, with what its record says beyond it. */
export type OnRecord = (handshake: Handshake, context: RecordedContext) => void;

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
/** Bytes that are made text at once: of each line alone that would be a tenth of the work. */
const TEXT_BYTES = 64 * 1024;
const BYTE_ORDER_MARK = 0xfeff;

/** What stands between JSON texts, but for the newline (RFC 8259 section 2). */
function isBlank(character: number): boolean {
  return character === 0x20 || character === 0x0d || character === 0x09;
}

function isBlankPart(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (!isBlank(text.charCodeAt(at))) return false;
  return true;
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
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** The start of a line whose end is still to come. */
  #begin: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #beginLength = 0;
  /** Whether the line that is to end was too long already. */
  #isSkipping = false;
  #lines = 0;

  /** Reads nothing yet. */
  constructor(onRecord: OnRecord, onEvent?: OnEvent) {
    this.#onRecord = onRecord;
    this.#onEvent = onEvent;
  }

  /** Takes the next bytes, any number; nothing of the array is kept. */
  feed(bytes: Uint8Array): void {
    let start = 0;
    while (start < bytes.length) {
      const window = bytes.subarray(start, start + TEXT_BYTES);
      const hasBegun = this.#beginLength > 0 || this.#isSkipping;
      const last = hasBegun ? -1 : window.lastIndexOf(NEWLINE);
      if (last >= 0) {
        this.#takeLines(window.subarray(0, last + 1));
        start += last + 1;
        continue;
      }
      const end = bytes.indexOf(NEWLINE, start);
      if (end < 0) break;
      this.#takeLine(bytes.subarray(start, end));
      start = end + 1;
    }
    this.#keep(bytes.subarray(start));
  }

  /** Takes whole lines, the newline of the last included: none is too long. */
  #takeLines(bytes: Uint8Array): void {
    let text: string;
    try {
      text = this.#decoder.decode(bytes);
    } catch {
      // Which of them it is tells each alone.
      for (let start = 0; start < bytes.length;) {
        const end = bytes.indexOf(NEWLINE, start);
        this.#takeLine(bytes.subarray(start, end));
        start = end + 1;
      }
      return;
    }
    for (let start = 0; start < text.length;) {
      const end = text.indexOf("\n", start);
      this.#lines++;
      this.#takeText(text, start, end);
      start = end + 1;
    }
  }

  /** Tells that nothing follows: a last line without its newline is taken. */
  end(): void {
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

  #takeLine(rest: Uint8Array): void {
    this.#lines++;
    const isTooLong = this.#isSkipping || this.#beginLength + rest.length > LINE_MAX;
    let line = rest;
    if (!isTooLong && this.#beginLength > 0) {
      this.#keep(rest);
      line = this.#begin.subarray(0, this.#beginLength);
    }
    this.#beginLength = 0;
    this.#isSkipping = false;
    if (isTooLong) this.#refuse("too_long", `it has more than ${LINE_MAX} bytes`);
    else this.#decode(line);
  }

  #decode(bytes: Uint8Array): void {
    let line: string;
    try {
      line = this.#decoder.decode(bytes);
    } catch {
      this.#refuse("no_json", "it is no UTF-8");
      return;
    }
    this.#takeText(line, 0, line.length);
  }

  /** Takes a line. @param start Where it begins in a text. @param end Where it ends, before its newline. */
  #takeText(text: string, start: number, end: number): void {
    if (isBlankPart(text, start, end)) return;
    const begin = text.charCodeAt(start) === BYTE_ORDER_MARK ? start + 1 : start;
    const decoded = decodeLineAt(text, begin, end);
    switch (decoded.kind) {
      case "event":
        this.#countEvent(decoded.event);
        this.#onEvent?.(decoded.event, decoded.members);
        break;
      case "refused":
        this.#refuse(decoded.fault === "json" ? "no_json" : "no_record", decoded.reason);
        break;
      case "handshake": {
        const { handshake, context, unknown, version } = decoded;
        for (const name of unknown) {
          if (this.unknown.size < NAMES_MAX) this.unknown.add(name);
        }
        if (isNewer(version)) this.newerVersion = Math.max(version, this.newerVersion ?? 0);
        this.handshakes++;
        this.#onRecord(handshake, context);
      }
    }
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
