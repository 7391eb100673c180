/**
 * Up to where each segment was shipped: what a server has acknowledged, and no byte more.
 *
 * @module
 */
import type { Progress } from "../follow/store_follower.ts";
import { parseSegmentName } from "../segment_name.ts";

/** What one tracer says that it wrote, and what of it was read: the difference was removed before. */
export interface Ledger {
  /** Records of it that were read. */
  read: number;
  /** Records that it wrote and that are known to be lost. */
  lost: number;
  /** Whether all that it wrote from its start on is in one of both. */
  isWhole: boolean;
}

const FORMAT = 1;
/** Segments and tracers that a cursor may name: eleven years of hours. */
const ENTRIES_MAX = 100_000;

/** Where a shipper stands. */
export class Cursor {
  /** By the names of segments as they were written. */
  readonly segments: Map<string, Progress>;
  /** By host and tracer, as the names of their segments have them. */
  readonly ledgers: Map<string, Ledger>;
  /**
   * When it was begun, milliseconds of Unix time; undefined: that is not known. Of a tracer that began
   * later all is to be shipped.
   */
  readonly sinceMs: number | undefined;

  /** Stands before everything. */
  constructor(
    segments: Map<string, Progress> = new Map(),
    ledgers: Map<string, Ledger> = new Map(),
    sinceMs?: number,
  ) {
    this.segments = segments;
    this.ledgers = ledgers;
    this.sinceMs = sinceMs;
  }

  /** A copy that goes its own way. */
  clone(): Cursor {
    const copied = <T extends object>(map: Map<string, T>) =>
      new Map(Array.from(map, ([name, value]) => [name, { ...value }]));
    return new Cursor(copied(this.segments), copied(this.ledgers), this.sinceMs);
  }

  /** How far a segment is. */
  of(name: string): Progress {
    return this.segments.get(name) ?? { bytes: 0, isDone: false };
  }

  /** Forgets what the folder has no longer. @param names The segments that it has. */
  forget(names: ReadonlySet<string>): void {
    const tracers = new Set(Array.from(names, tracerKey));
    for (const name of this.segments.keys()) if (!names.has(name)) this.segments.delete(name);
    for (const key of this.ledgers.keys()) if (!tracers.has(key)) this.ledgers.delete(key);
  }
}

/** Which run of the tool wrote a segment. */
export function tracerKey(name: string): string {
  const { host, tracer } = parseSegmentName(name)!;
  return `${host}.${tracer}`;
}

/** Writes a cursor. @param destination Where what it stands for was shipped to. */
export function formatCursor(
  { segments, ledgers, sinceMs }: Cursor,
  destination: string,
): string {
  const text = {
    format: FORMAT,
    destination,
    ...sinceMs !== undefined && { since_ms: sinceMs },
    segments: Object.fromEntries(
      Array.from(segments, ([name, { bytes, isDone }]) => [name, { bytes, done: isDone }]),
    ),
    tracers: Object.fromEntries(
      Array.from(
        ledgers,
        ([key, { read, lost, isWhole }]) => [key, { read, lost, whole: isWhole }],
      ),
    ),
  };
  return JSON.stringify(text, null, 1) + "\n";
}

/**
 * Reads a cursor.
 *
 * @throws {Error} It is none, for the end of a sentence.
 */
export function parseCursor(text: string): { cursor: Cursor; destination: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("it is no JSON");
  }
  if (!isObject(value)) throw new Error("it is no cursor");
  const { format, destination, since_ms: sinceMs, segments, tracers } = value;
  if (typeof format === "number" && format > FORMAT) {
    throw new Error(`it is of format ${format}, which a later synsnoop wrote`);
  }
  if (format !== FORMAT || typeof destination !== "string") throw new Error("it is no cursor");
  // Those of before have none.
  if (sinceMs !== undefined && !isCount(sinceMs)) throw new Error("it is no cursor");
  const cursor = new Cursor(
    readMap(segments, ({ bytes, done }, name) => {
      const isOne = isCount(bytes) && typeof done === "boolean";
      if (!isOne || parseSegmentName(name)?.plain !== name) return undefined;
      return { bytes, isDone: done };
    }),
    readMap(tracers, ({ read, lost, whole }) => {
      if (!isCount(read) || !isCount(lost) || typeof whole !== "boolean") return undefined;
      return { read, lost, isWhole: whole };
    }),
    sinceMs,
  );
  return { cursor, destination };
}

function readMap<T>(
  value: unknown,
  read: (members: Record<string, unknown>, name: string) => T | undefined,
): Map<string, T> {
  if (!isObject(value)) throw new Error("it is no cursor");
  const entries = Object.entries(value);
  if (entries.length > ENTRIES_MAX) throw new Error(`it names more than ${ENTRIES_MAX} segments`);
  return new Map(entries.map(([name, members]) => {
    const entry = isObject(members) ? read(members, name) : undefined;
    if (entry === undefined) throw new Error("an entry of it cannot be read");
    return [name, entry];
  }));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
