/**
 * One line of our own NDJSON → the handshake that it was written of.
 *
 * @module
 */
import { Handshake } from "../match/handshake.ts";
import { RECORD_VERSION } from "./fields.ts";
import { readRow, ROW_LENGTH, writeRow } from "./handshake_row.ts";
import { LineScanner, type Wanted } from "./line_scanner.ts";
import { RecordedContext } from "./record_context.ts";
import { isObject, RECORD, takeLevel, type Target } from "./record_members.ts";

const NEWLINE = "\n".charCodeAt(0);
const encoder = new TextEncoder();
const everything = new LineScanner();

/** A line that is the record of a handshake. */
export interface DecodedHandshake {
  /** What it is. */
  kind: "handshake";
  /** As the matcher reported it, but for what a record does not say. */
  handshake: Handshake;
  /** What the record says beyond it. */
  context: RecordedContext;
  /** Fields and values that this version does not know and skipped: untrusted text. */
  unknown: readonly string[];
  /** Version of the record. */
  version: number;
}

/** What a line turned out to be. */
export type DecodedLine =
  | DecodedHandshake
  | {
    /** A line of another kind, such as `summary`. */
    kind: "event";
    /** Its `event`: untrusted text. */
    event: string;
    /** All that it holds, as it stands there. */
    members: Readonly<Record<string, unknown>>;
  }
  | {
    kind: "refused";
    /** What is wrong with it: not JSON at all, or JSON that is no record. */
    fault: "json" | "record";
    /** In words, which hold nothing of the line. */
    reason: string;
  };

/**
 * Decodes a line of NDJSON that this tool wrote, or a later version of it: `encodeHandshake` of the
 * handshake and context gives the same line again. What the line has that this version does not
 * know is skipped and told.
 *
 * @example
 * ```ts
 * import { decodeLine } from "./record_decoder.ts";
 *
 * decodeLine('{"v":1,"event":"summary"}').kind; // event
 * ```
 *
 * @param line Without its newline.
 */
export function decodeLine(line: string): DecodedLine {
  const bytes = encoder.encode(line);
  const target = newTarget();
  const version = everything.scan(bytes, 0, target);
  return version === undefined || everything.end < bytes.length
    ? decodeAnyLine(line)
    : decoded(target, version);
}

/** What takes what lines hold, one after another. */
export class LineDecoder {
  /** Whether the filter does not want the handshake of the last line, of which then parts are missing. */
  isHeldBack = false;
  readonly #wanted: Wanted;
  readonly #scanner: LineScanner;
  readonly #target = newTarget();
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  /** @param wanted What of a record is wanted, at least that is decoded. Absent: everything. */
  constructor(wanted: Wanted = {}) {
    this.#wanted = wanted;
    this.#scanner = new LineScanner(wanted);
  }

  /** Where the record ends that {@link decodeFrom} found last. */
  get end(): number {
    return this.#scanner.end;
  }

  /**
   * Decodes what is wanted of a line whose end nobody looked for, if it is a record as this tool writes it.
   *
   * @param start Where it begins. @returns As {@link decode}; undefined where it is any other line, or
   * its newline is not there.
   */
  decodeFrom(bytes: Uint8Array<ArrayBuffer>, start: number): DecodedHandshake | undefined {
    const record = this.#scan(bytes, start);
    return bytes[this.end] === NEWLINE ? record : undefined;
  }

  /**
   * Decodes what is wanted of a line, which is judged as {@link decodeLine} does.
   *
   * @param bytes They may be overwritten afterwards. @param start Where it begins, blanks and marks left out.
   * @param end Where it ends, before its newline.
   * @returns Of a handshake it is valid until the next call; its context may be kept.
   */
  decode(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): DecodedLine {
    const record = this.#scan(bytes, start);
    return record !== undefined && this.end === end ? record : this.decodeOther(bytes, start, end);
  }

  /** The same of a line that {@link decodeFrom} leaves. */
  decodeOther(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): DecodedLine {
    let line: string;
    try {
      line = this.#decoder.decode(bytes.subarray(start, end));
    } catch {
      return { kind: "refused", fault: "json", reason: "it is no UTF-8" };
    }
    const any = decodeAnyLine(line);
    const { filter } = this.#wanted;
    this.isHeldBack = any.kind === "handshake" && filter !== undefined &&
      !filter.passes(any.handshake, any.context);
    return any;
  }

  #scan(bytes: Uint8Array<ArrayBuffer>, start: number): DecodedHandshake | undefined {
    const target = this.#target;
    clear(target.handshake);
    target.unknown.length = 0;
    target.context = new RecordedContext();
    const version = this.#scanner.scan(bytes, start, target);
    this.isHeldBack = this.#scanner.isHeldBack;
    return version === undefined ? undefined : decoded(target, version);
  }
}

function newTarget(): Target {
  return { handshake: new Handshake(), context: new RecordedContext(), unknown: [] };
}

const BLANK = new Float64Array(ROW_LENGTH);
writeRow(new Handshake(), BLANK, 0);

/** Makes a handshake as new: what no row holds first. */
function clear(handshake: Handshake): void {
  const it = handshake;
  it.client.process =
    it.server.process =
    it.reason =
    it.translated =
    it.icmp =
      undefined;
  it.dropCount =
    it.dropReason =
    it.dropPacket =
    it.dropQueue =
    it.resetReason =
      undefined;
  readRow(BLANK, 0, it);
}

/** Decodes a line of any form: members in another order, unknown ones, escapes. */
export function decodeAnyLine(line: string): DecodedLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { kind: "refused", fault: "json", reason: "it is no JSON" };
  }
  if (!isObject(value)) return refuse("it is no object");
  const { v: version, event } = value;
  if (!Number.isInteger(version) || Number(version) < 1) return refuse("it has no version (v)");
  if (typeof event !== "string") return refuse("it has no event");
  if (event !== "handshake") return { kind: "event", event, members: value };
  const target = newTarget();
  const reason = takeLevel(RECORD, value, target);
  if (reason !== undefined) return refuse(reason);
  return decoded(target, Number(version));
}

function decoded({ handshake, context, unknown }: Target, version: number): DecodedHandshake {
  // One half of a pair says nothing.
  if (handshake.dropQueue?.length === undefined || handshake.dropQueue.limit === undefined) {
    handshake.dropQueue = undefined;
  }
  return { kind: "handshake", handshake, context, unknown, version };
}

/** Whether a version of the record is later than this tool's. */
export function isNewer(version: number): boolean {
  return version > RECORD_VERSION;
}

function refuse(reason: string): DecodedLine {
  return { kind: "refused", fault: "record", reason };
}
