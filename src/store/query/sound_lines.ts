/**
 * A file of lines, read as `read` does, → lines as this version writes them, and what was left out.
 *
 * @module
 */
import { CaptureInput } from "../../files/capture_input.ts";
import { LineDecoder } from "../../record/record_decoder.ts";
import { encodeHandshake } from "../../record/ndjson.ts";
import { LINE_MAX, RecordReader } from "../../record/record_reader.ts";
import { zstdCompressSync } from "node:zlib";

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
/** Characters of lines that are written at once. */
const WRITTEN_AT_ONCE = 1 << 20;
const HALF_PAIR = /(?<=(?:^|[^\\])(?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;
const VERSION = /^\{"v":\d+/;

/** What of a file is read by the reader of records in any case: a line that is too long may be among it. */
const BEGIN_BYTES = 2 * LINE_MAX;

/**
 * Whether nothing is refused of what a file begins with, of all of it where it is short: what another program
 * wrote is found there, whatever DuckDB would make of it.
 *
 * @throws {InputError} It cannot be read.
 */
export async function beginsSound(path: string): Promise<boolean> {
  using input = await CaptureInput.open(path);
  const reader = new RecordReader(() => {}, undefined, new LineDecoder({ fields: new Set() }));
  const room = new Uint8Array(ROOM_BYTES);
  for (let length = 0; length < BEGIN_BYTES && reader.refusedCount === 0;) {
    const count = await input.read(room);
    if (count === 0) {
      reader.end();
      break;
    }
    reader.feed(room.subarray(0, count));
    length += count;
  }
  return reader.refusedCount === 0;
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
