/**
 * Rows that are shipped together, and how far the segments are when they are.
 *
 * @module
 */
import type { Table } from "../clickhouse/schema.ts";
import type { Lines } from "../follow/segment_lines.ts";
import { hourOf, parseSegmentName } from "../segment_name.ts";
import { type Cursor, type Ledger, tracerKey } from "./cursor.ts";
import { flattenLine } from "./flatten.ts";
import { RowBytes } from "./row_bytes.ts";

/** When a batch is full. */
export interface BatchLimits {
  rows: number;
  /** Of all rows, as they are sent. */
  bytes: number;
}

/** What was read of lines, since the start. */
export interface ReadCounts {
  /** Rows of both tables. */
  rows: number;
  /** Lines that are no records, or were torn: they are left out. */
  refused: number;
  /** Lines of another kind, such as statistics. */
  others: number;
  /** Records that a tracer wrote and that were removed before they were read, by its own counts. */
  missing: number;
  /** The latest version of a record, where it is later than what this tool knows. */
  newestVersion: number;
}

type RowsOfTables = Readonly<Record<Table["name"], RowBytes>>;

/** The last moment that a date can be (ECMA-262, "Time Values and Time Range"). */
const DATE_MAX_MS = 8.64e15;

/** Gathers rows up to some bounds: what is over them is at most one piece of a segment. */
export class Batch {
  /** How far all is once this batch is acknowledged. */
  readonly cursor: Cursor;
  /** Rows in it. */
  rows = 0;
  /** When the oldest of them was, seconds of Unix time; undefined: there is none. */
  oldestSeconds: number | undefined;
  readonly #limits: BatchLimits;
  readonly #counts: ReadCounts;
  readonly #rows: RowsOfTables;
  #hasMoved = false;

  /**
   * @param cursor Where the one before ended. @param counts Counts on.
   * @param before Nobody needs the rows of any more: its memory is used again.
   */
  constructor(cursor: Cursor, limits: BatchLimits, counts: ReadCounts, before?: Batch) {
    this.cursor = cursor.clone();
    this.#limits = limits;
    this.#counts = counts;
    this.#rows = before === undefined
      ? { handshakes: new RowBytes(), status: new RowBytes() }
      : before.#rows;
    for (const rows of Object.values(this.#rows)) rows.clear();
  }

  /** Whether it is to be shipped before more is read. */
  get isFull(): boolean {
    const { handshakes, status } = this.#rows;
    return this.rows >= this.#limits.rows ||
      handshakes.length + status.length >= this.#limits.bytes;
  }

  /** Whether anything changes when it is acknowledged. */
  get isEmpty(): boolean {
    return !this.#hasMoved;
  }

  /** Takes the next lines of a segment. @param name Its name as it was written. */
  take(name: string, { lines, end }: Lines): void {
    const ledger = this.#ledgerOf(name);
    for (const line of lines) this.#takeLine(line, ledger);
    this.cursor.segments.set(name, { bytes: end, isDone: false });
    this.#hasMoved = true;
  }

  /** Nothing follows in a segment. */
  finish(name: string): void {
    this.cursor.segments.set(name, { ...this.cursor.of(name), isDone: true });
    this.#hasMoved = true;
  }

  /** What is read and lost of the tracer that wrote a segment. */
  #ledgerOf(name: string): Ledger {
    const { ledgers, sinceMs = Infinity } = this.cursor;
    const key = tracerKey(name);
    const { tracer, hour } = parseSegmentName(name)!;
    // Of a tracer that is met in the middle it is not known what there was before, but where it began
    // since: what of that is gone was removed unshipped.
    const startMs = Math.min(Number(tracer.split("-")[1]), DATE_MAX_MS);
    const isWhole = hourOf(startMs) === hour || startMs >= sinceMs;
    const ledger = ledgers.get(key) ?? { read: 0, lost: 0, isWhole };
    ledgers.set(key, ledger);
    return ledger;
  }

  #takeLine(line: string | undefined, ledger: Ledger): void {
    if (line?.trim() === "") return;
    const flat = line === undefined ? undefined : flattenLine(line);
    if (flat === undefined || flat.kind === "refused") {
      this.#counts.refused++;
      ledger.read++;
      return;
    }
    if (flat.kind === "other") {
      this.#counts.others++;
      return;
    }
    if (flat.table === "handshakes") ledger.read++;
    if (flat.written !== undefined) this.#compare(ledger, flat.written);
    this.#rows[flat.table].add(flat.json);
    this.rows++;
    this.#counts.rows++;
    this.#counts.newestVersion = Math.max(this.#counts.newestVersion, flat.version);
    this.oldestSeconds = Math.min(this.oldestSeconds ?? Infinity, flat.seconds);
  }

  /** Finds what a tracer had written and nobody has read. */
  #compare(ledger: Ledger, written: number): void {
    if (ledger.isWhole) {
      const missing = Math.max(0, written - ledger.read - ledger.lost);
      this.#counts.missing += missing;
      ledger.lost += missing;
    } else {
      Object.assign(ledger, { read: written, isWhole: true });
    }
  }

  /** The rows for a table, which the next batch writes over; undefined: none. */
  body(table: Table["name"]): Uint8Array<ArrayBuffer> | undefined {
    const rows = this.#rows[table];
    return rows.length === 0 ? undefined : rows.bytes();
  }
}
