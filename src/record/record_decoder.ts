/**
 * One line of our own NDJSON → the handshake that it was written of.
 *
 * @module
 */
import { Handshake } from "../match/handshake.ts";
import { RECORD_VERSION } from "./fields.ts";
import { scanRecord } from "./line_scanner.ts";
import { RecordedContext } from "./record_context.ts";
import { isObject, RECORD, takeLevel, type Target } from "./record_members.ts";

/** What a line turned out to be. */
export type DecodedLine =
  | {
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
  return decodeLineAt(line, 0, line.length);
}

/**
 * The same of a line in a text.
 *
 * @param start Where it begins. @param end Where it ends, before its newline.
 */
export function decodeLineAt(text: string, start: number, end: number): DecodedLine {
  const target: Target = {
    handshake: new Handshake(),
    context: new RecordedContext(),
    unknown: [],
  };
  const version = scanRecord(text, start, end, target);
  return version === undefined ? decodeAnyLine(text.slice(start, end)) : decoded(target, version);
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
  const target: Target = {
    handshake: new Handshake(),
    context: new RecordedContext(),
    unknown: [],
  };
  const reason = takeLevel(RECORD, value, target);
  if (reason !== undefined) return refuse(reason);
  return decoded(target, Number(version));
}

function decoded({ handshake, context, unknown }: Target, version: number): DecodedLine {
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
