/**
 * What a shipper has done and how far it is behind, as sentences for people.
 *
 * @module
 */
import { countOf } from "../../text/count.ts";
import type { ReadCounts } from "./batch.ts";

/** What was done since the start. */
export interface ShipCounts extends ReadCounts {
  /** Rows that a server has acknowledged. */
  acknowledged: number;
  /** Of these rows, as they were sent. */
  bytes: number;
  batches: number;
  /** Tries that failed. */
  failures: number;
  /** Segments that were removed before all of them was shipped, and what they had left on the disk. */
  removedSegments: number;
  removedBytes: number;
}

/** Counts of nothing yet. */
export function noCounts(): ShipCounts {
  return {
    ...{ rows: 0, refused: 0, others: 0, missing: 0, newestVersion: 0 },
    ...{ acknowledged: 0, bytes: 0, batches: 0, failures: 0 },
    ...{ removedSegments: 0, removedBytes: 0 },
  };
}

/** How far a shipper is behind. */
export interface Lag {
  /** Records that were read and that no server has acknowledged. */
  pendingRecords: number;
  /** Of the segments, as they lie on the disk, that no server has acknowledged. */
  bytes: number;
  /** Records in these bytes, by what those before took; undefined where there were none. */
  records: number | undefined;
  /** How long ago all that was written then had been acknowledged; undefined: nothing ever was. */
  seconds: number | undefined;
}

/** Says what was done, in one sentence. */
export function describeShipped({ acknowledged, bytes }: ShipCounts): string {
  return `shipped ${countOf(acknowledged, "record")} (${formatBytes(bytes)})`;
}

/** Says how far it is behind, in one sentence. */
export function describeLag({ bytes, records, seconds }: Lag): string {
  if (bytes === 0) return "nothing waits";
  const about = records === undefined ? "" : `about ${countOf(records, "record")}, `;
  const since = seconds === undefined ? "" : `, ${Math.round(seconds)} s behind`;
  return `${about}${formatBytes(bytes)} wait${since}`;
}

/** Says what was left out or lost, a sentence each. */
export function describeLosses(counts: ShipCounts): string[] {
  const { refused, others, missing, removedSegments, removedBytes } = counts;
  const sentences: string[] = [];
  if (refused > 0) {
    sentences.push(`left out: ${countOf(refused, "line")}, torn or no records`);
  }
  if (others > 0) sentences.push(`left out: ${countOf(others, "line")} of other kinds`);
  if (missing > 0) sentences.push(describeMissing(missing));
  if (removedSegments > 0) {
    sentences.push(
      `lost: ${countOf(removedSegments, "segment")} removed before all of ${
        removedSegments === 1 ? "it" : "them"
      } was shipped, ` +
        `with ${formatBytes(removedBytes)} left`,
    );
  }
  return sentences;
}

/** Says how many records are gone. */
export function describeMissing(records: number): string {
  return `lost: ${
    countOf(
      records,
      "record that was removed from the store before it was shipped",
      "records that were removed from the store before they were shipped",
    )
  }`;
}

/** Bytes for people: `14.2 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
