/**
 * A file of lines, read as `read` does, → lines as this version writes them, and what was left out.
 *
 * @module
 */
import { CaptureInput } from "../../files/capture_input.ts";
import type { Wanted } from "../../record/line_scanner.ts";
import { LineDecoder } from "../../record/record_decoder.ts";
import { encodeHandshake } from "../../record/ndjson.ts";
import { LINE_MAX, RecordReader } from "../../record/record_reader.ts";
import { Buffer } from "node:buffer";
import { zstdCompressSync } from "node:zlib";
import { lineForm } from "./line_form.ts";

/** What the reader of records says of a file's lines. */
export interface LineFacts {
  /** Lines that are no records, or were torn: they are left out. */
  refused: number;
  /** Which, as the end of a sentence that holds nothing of them; absent: none. */
  told?: string;
}

/** Of a file all of whose lines are ours. */
export const ALL_SOUND: LineFacts = { refused: 0 };

const ROOM_BYTES = 256 * 1024;
const NEWLINE = "\n".charCodeAt(0);
const NOTHING: Wanted = { fields: new Set() };
/** Characters of lines that are written at once. */
const WRITTEN_AT_ONCE = 1 << 20;
const HALF_PAIR = /(?<=(?:^|[^\\])(?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;
const VERSION = /^\{"v":\d+/;

/**
 * What a file's lines are: all of the form that this version writes or of another kind, which are the same to
 * DuckDB; all taken by the reader of records; or not all.
 */
export type Soundness = "ours" | "taken" | "refused";

/**
 * Looks at the lines of a file, whatever DuckDB makes of them.
 *
 * @param isOver Whether nobody asks any more: then "refused", as at the first line that is.
 * @throws {InputError} It cannot be read.
 */
export async function judgeLines(path: string, isOver = () => false): Promise<Soundness> {
  using input = await CaptureInput.open(path);
  let others = 0;
  const reader = new RecordReader(() => others++, undefined, new LineDecoder(NOTHING));
  const form = lineForm();
  const room = Buffer.alloc(LINE_MAX + ROOM_BYTES);
  /** Bytes of a line without its end, which begin the room. */
  let begun = 0;
  while (begun <= LINE_MAX && reader.refusedCount === 0 && !isOver()) {
    const count = await input.read(room.subarray(begun, begun + ROOM_BYTES), true);
    const end = begun + count;
    if (count === 0) {
      reader.feed(room.subarray(0, end));
      reader.end();
      if (reader.refusedCount > 0) break;
      return others === 0 ? "ours" : "taken";
    }
    const behind = room.subarray(0, end).lastIndexOf(NEWLINE) + 1;
    const lines = room.toString("latin1", 0, behind);
    for (let at = 0; at < behind;) {
      form.lastIndex = at;
      const isOurs = form.test(lines) && form.lastIndex - at <= LINE_MAX;
      const next = isOurs ? form.lastIndex : lines.indexOf("\n", at) + 1;
      if (!isOurs) reader.feed(room.subarray(at, next));
      at = next;
    }
    room.copyWithin(0, behind, end);
    begun = end - behind;
  }
  return "refused";
}

/**
 * Writes a copy of a file, compressed by zstd, with the lines that are records and those of other kinds.
 *
 * @throws {InputError} It cannot be read. @throws {Error} The copy cannot be written.
 */
export async function writeSoundLines(path: string, copy: string): Promise<LineFacts> {
  using input = await CaptureInput.open(path);
  using output = await Deno.open(copy, { write: true, create: true, truncate: true });
  let lines = "";
  const reader = new RecordReader(
    (handshake, context, _, version) => {
      const line = encodeHandshake(handshake, context);
      lines += wellFormed(line.replace(VERSION, `{"v":${version}`));
    },
    (_, members) => lines += otherLine(members),
  );
  const room = new Uint8Array(ROOM_BYTES);
  for (;;) {
    const count = await input.read(room);
    if (count === 0) reader.end();
    else reader.feed(room.subarray(0, count));
    if (count === 0 || lines.length >= WRITTEN_AT_ONCE) {
      await writeFrame(output, lines);
      lines = "";
    }
    if (count === 0) break;
  }
  const told = reader.describeRefused();
  return { refused: reader.refusedCount, ...told !== undefined && { told } };
}

/** A line of another kind; what is nested so deep that it cannot be written is none that is asked. */
function otherLine(members: Readonly<Record<string, unknown>>): string {
  try {
    return wellFormed(`${JSON.stringify(members)}\n`);
  } catch (error) {
    if (error instanceof RangeError) return "";
    throw error;
  }
}

/** DuckDB takes no half of a surrogate pair: where a text has one, it stands in the line as an escape. */
function wellFormed(line: string): string {
  return line.includes("\\ud") ? line.replace(HALF_PAIR, "\\ufffd") : line;
}

async function writeFrame(output: Deno.FsFile, lines: string): Promise<void> {
  const frame = new Uint8Array(zstdCompressSync(lines));
  for (let at = 0; at < frame.length;) at += await output.write(frame.subarray(at));
}
