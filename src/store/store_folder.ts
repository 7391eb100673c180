/**
 * The folder of a store, and the segments that are in it.
 *
 * @module
 */
import { InputError } from "../files/input_error.ts";
import type { Moment } from "../text/time.ts";
import {
  endOfHourMs,
  hourMs,
  parseSegmentName,
  SEALED,
  type SegmentName,
  toldOf,
  twinOf,
} from "./segment_name.ts";

/** A segment on the disk. */
export interface Segment extends SegmentName {
  /** Its path: of the compressed file where it is sealed. */
  path: string;
  /** Its path as it was written, which names it whatever became of it. */
  plainPath: string;
  /** Whether it is compressed, and so complete. */
  isSealed: boolean;
  /** The paths of what DuckDB made for it, of what is there. */
  madePaths: readonly string[];
}

/** Which hours are meant: those in which something of a time may have been written. */
export interface HourRange {
  /** From when on handshakes are asked for. */
  since?: Pick<Moment, "seconds">;
  /** Up to when. */
  until?: Pick<Moment, "seconds">;
}

/** How much later than its time a handshake is written at most: one that is never answered. */
const LATE_MS = 15 * 60_000;

/**
 * Lists the segments of a store, oldest first. Of one that is being sealed at this moment the compressed
 * file counts, which is whole as soon as it has its name.
 *
 * @throws {Deno.errors} The folder cannot be read.
 */
export function listSegments(folder: string, range: HourRange = {}): Segment[] {
  const base = folder.endsWith("/") ? folder : `${folder}/`;
  const files = new Set([...Deno.readDirSync(folder)].map(({ name }) => name));
  const segments: Segment[] = [];
  for (const file of files) {
    const name = parseSegmentName(file);
    if (name === undefined || !mayHold(name.hour, range)) continue;
    const { plain, isSealed } = name;
    if (!isSealed && files.has(plain + SEALED)) continue;
    const twin = twinOf(plain);
    const made = [twin, toldOf(twin)].filter((each) => files.has(each));
    segments.push({
      hour: name.hour,
      host: name.host,
      tracer: name.tracer,
      path: base + file,
      plainPath: base + plain,
      isSealed,
      madePaths: made.map((each) => base + each),
    });
  }
  return segments.sort((one, other) => one.plainPath < other.plainPath ? -1 : 1);
}

function mayHold(hour: string, { since, until }: HourRange): boolean {
  const sinceMs = (since?.seconds ?? -Infinity) * 1_000;
  const untilMs = (until?.seconds ?? Infinity) * 1_000;
  return endOfHourMs(hour) > sinceMs && hourMs(hour) - LATE_MS <= untilMs;
}

/**
 * The segments of a store that are to be read, oldest first.
 *
 * @throws {InputError} It has none, of that time or at all, or may not be read.
 */
export function storeSegments(folder: string, range: HourRange): Segment[] {
  try {
    const segments = listSegments(folder, range);
    if (segments.length > 0) return segments;
    if (listSegments(folder).length > 0) throw new InputError("it has no hour of that time");
  } catch (error) {
    throw error instanceof Deno.errors.PermissionDenied
      ? new InputError("permission denied")
      : error;
  }
  throw new InputError(
    "it is a folder without segments, which trace --store writes (DATE.HOST.TRACER.ndjson)",
  );
}

/** Why the folder of a store cannot be read, for the end of a sentence; undefined: it is no such error. */
export function folderReason(error: unknown): string | undefined {
  if (error instanceof Deno.errors.NotFound) return "there is no such folder";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotADirectory) {
    return "it is no folder; give the one that trace --store writes";
  }
  return undefined;
}
