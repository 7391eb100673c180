import { endOfHourMs } from "./segment_name.ts";

/** How much of a store is kept. */
export interface Keeping {
  /** How long after its hour a segment is kept, milliseconds; undefined: for ever. */
  ageMs?: number;
  /** Bytes of all segments of a host; undefined: as many as there are. */
  bytes?: number;
}

/** What is known of a segment for that. */
export interface Sized {
  hour: string;
  /** Bytes on the disk, its twin's included. */
  bytes: number;
}

/**
 * Chooses what is removed: what is too old, and then the oldest hours until the others have room. An
 * hour that is not over is always kept.
 *
 * @param segments Of one host, in any order. @param nowMs Now, milliseconds of Unix time.
 */
export function chooseRemoved<T extends Sized>(
  segments: readonly T[],
  { ageMs = Infinity, bytes = Infinity }: Keeping,
  nowMs: number,
): T[] {
  const oldestFirst = segments.toSorted((one, other) => one.hour < other.hour ? -1 : 1);
  let total = oldestFirst.reduce((sum, segment) => sum + segment.bytes, 0);
  const removed: T[] = [];
  for (const segment of oldestFirst) {
    const overMs = nowMs - endOfHourMs(segment.hour);
    if (overMs < 0) break;
    if (overMs < ageMs && total <= bytes) break;
    removed.push(segment);
    total -= segment.bytes;
  }
  return removed;
}
