/**
 * Ships a store: follows its segments, hands their records to a server, and goes on where that has
 * acknowledged them.
 *
 * @module
 */
import { messageOf } from "../../text/message.ts";
import { checkSchema } from "../clickhouse/check_schema.ts";
import type { ClickHouseServer } from "../clickhouse/client.ts";
import { TABLES } from "../clickhouse/schema.ts";
import { ServerError } from "../clickhouse/server_error.ts";
import { RECORD_VERSION } from "../../record/fields.ts";
import { SegmentLines } from "../follow/segment_lines.ts";
import { nameOf, StoreFollower } from "../follow/store_follower.ts";
import { folderReason, listSegments, type Segment } from "../store_folder.ts";
import { Backoff } from "./backoff.ts";
import { Batch, type BatchLimits } from "./batch.ts";
import { Cursor } from "./cursor.ts";
import {
  describeMissing,
  formatBytes,
  type Lag,
  noCounts,
  type ShipCounts,
} from "./ship_counts.ts";
import type { StateFile } from "./state_file.ts";

/** What is shipped, and where to. */
export interface ShipperOptions {
  /** The store. */
  folder: string;
  /** Any of them takes everything: the first that does is kept. */
  servers: readonly ClickHouseServer[];
  state: StateFile;
  limits: BatchLimits;
  /** How often it is looked for more, milliseconds: rows wait no longer. */
  intervalMs: number;
  /** Ends when all is shipped that is there; then a server may be away for so long, milliseconds. */
  once: { patienceMs: number } | undefined;
  /** Asks to end: waits are over, and what was read is tried once more. */
  ending: AbortSignal;
  /** Ends a try that is under way. */
  leaving: AbortSignal;
  /** Says one sentence. */
  onNote(sentence: string): void;
}

/** A store whose shipping cannot go on. Its message is one sentence. */
export class ShipError extends Error {}

/**
 * What a block that is inserted through a `Distributed` table asks for: to be acknowledged when each
 * server of the cluster has its part, not when this one has noted it down.
 */
const INSERT_SETTINGS = { insert_distributed_sync: 1 };
/** The first version with a bound of days in one insert, which a clock that jumps may pass. */
const BOUNDS_PARTITIONS = [20, 1] as const;
/** A server that asks for a longer wait is not given it (RFC 9110 section 10.2.3, Retry-After). */
const ASKED_WAIT_MAX_MS = 300_000;

/** Ships. */
export class Shipper {
  /** What was done. */
  readonly counts: ShipCounts = noCounts();
  readonly #options: ShipperOptions;
  readonly #backoff = new Backoff();
  readonly #ready = new Set<ClickHouseServer>();
  readonly #follower: StoreFollower<SegmentLines>;
  #cursor = new Cursor();
  #batch: Batch | undefined;
  #server = 0;
  /** When all that was written then had been acknowledged, milliseconds of Unix time. */
  #caughtUpMs: number | undefined;
  #failingSinceMs: number | undefined;
  /** What a record took on the disk. */
  #read = { rows: 0, bytes: 0 };
  #hasLooked = false;
  #saidState = false;
  #saidNewer = false;
  #saidMissing = 0;

  /** Does nothing yet. */
  constructor(options: ShipperOptions) {
    this.#options = options;
    const { folder, ending, onNote } = options;
    this.#follower = new StoreFollower({
      folder,
      progressOf: (name) => (this.#batch?.cursor ?? this.#cursor).of(name),
      isSettled: (name) => this.#cursor.of(name).isDone,
      isOver: () => ending.aborted,
      open: (segment, name) => SegmentLines.open(segment, this.#batch!.cursor.of(name).bytes),
      read: (reader, segment, name) => this.#readSegment(reader, segment, name),
      onReplaced: (name) => this.#beginAnew(name),
      onUnreadable: ({ path }, reason) =>
        onNote(
          `Cannot read "${path}": ${reason}; what is behind that is not shipped, all else is`,
        ),
      onRemoved: (name, unread) => this.#tellRemoved(name, unread),
    });
  }

  /** Whether the last try reached a server. */
  get isUp(): boolean {
    return this.#ready.size > 0 && this.#failingSinceMs === undefined;
  }

  /** Whether all that could be read was shipped. */
  get isComplete(): boolean {
    return !this.#follower.hasUnreadable && this.counts.removedSegments === 0;
  }

  /**
   * Ships until it is to end.
   *
   * @throws {ShipError} It cannot go on. What was not acknowledged stays where it is.
   */
  async run(): Promise<void> {
    const { state, ending, once, intervalMs } = this.#options;
    // The state usually lies in the folder: that there is none is told as such.
    this.#readFolder(() => listSegments(this.#options.folder));
    using _lock = asShipError(() => state.lock());
    this.#cursor = asShipError(() => state.read());
    if (this.#look().length === 0) {
      this.#options.onNote(
        `"${this.#options.folder}" has no segments yet, which trace --store writes`,
      );
    }
    asShipError(() => state.write(this.#cursor));
    try {
      await this.#try((server) => this.#begin(server));
      while (!ending.aborted) {
        const beginMs = Date.now();
        const isWhole = await this.#pass();
        if (ending.aborted || once !== undefined && isWhole) return;
        if (isWhole) this.#caughtUpMs = beginMs;
        if (once === undefined) await pause(intervalMs, ending);
      }
    } finally {
      this.#follower[Symbol.dispose]();
    }
  }

  /** Ships what there is now. @returns Whether that was all, see {@link StoreFollower.pass}. */
  async #pass(): Promise<boolean> {
    this.#beginBatch();
    const isWhole = await this.#follower.pass(this.#look());
    await this.#shipBatch();
    return isWhole;
  }

  async #readSegment(reader: SegmentLines, { isSealed }: Segment, name: string): Promise<void> {
    while (!this.#options.ending.aborted) {
      const before = { rows: this.counts.rows, left: reader.left };
      const lines = await reader.next();
      if (lines === undefined) {
        if (isSealed) this.#finishSegment(reader, name);
        return;
      }
      this.#batch!.take(name, lines);
      this.#read.rows += this.counts.rows - before.rows;
      this.#read.bytes += before.left - reader.left;
      if (this.#batch!.isFull) await this.#shipBatch();
    }
  }

  #finishSegment(reader: SegmentLines, name: string): void {
    const rest = reader.rest();
    if (rest !== undefined) this.#batch!.take(name, rest);
    this.#batch!.finish(name);
  }

  #beginAnew(name: string): void {
    this.#batch!.cursor.segments.delete(name);
    this.#options.onNote(
      `"${name}" was replaced or cut short: it is shipped from its start, and counts once there`,
    );
  }

  /** @throws {ShipError} The folder cannot be read. */
  #readFolder(read: () => Segment[]): Segment[] {
    try {
      return read();
    } catch (error) {
      const reason = folderReason(error) ?? messageOf(error);
      throw new ShipError(`Cannot read the store "${this.#options.folder}": ${reason}`);
    }
  }

  /** Lists the segments, and tells of those that were removed before they were shipped. */
  #look(): Segment[] {
    const segments = this.#readFolder(() => this.#follower.look());
    const names = new Set(segments.map(nameOf));
    if (!this.#hasLooked) this.#tellGone(names);
    this.#hasLooked = true;
    this.#cursor.forget(names);
    this.#batch?.cursor.forget(names);
    return segments;
  }

  #tellRemoved(name: string, unread: number): void {
    this.counts.removedSegments++;
    this.counts.removedBytes += unread;
    this.#options.onNote(
      `"${name}" was removed before all of it was shipped: ${formatBytes(unread)} of it are lost`,
    );
  }

  /** Tells of those that went before this began: of them one does not know. */
  #tellGone(names: ReadonlySet<string>): void {
    for (const [name, { isDone }] of this.#cursor.segments) {
      if (isDone || names.has(name)) continue;
      this.#options.onNote(
        `"${name}" was removed while nobody shipped: whether all of it had been is not known`,
      );
    }
  }

  async #shipBatch(): Promise<void> {
    const batch = this.#batch!;
    if (batch.isEmpty) return;
    const sent = await this.#try(async (server) => {
      await this.#prepare(server);
      return await this.#insert(server, batch);
    });
    // Nobody acknowledged it: it is shipped when this begins again.
    if (sent === undefined) return;
    this.counts.bytes += sent;
    this.counts.acknowledged += batch.rows;
    if (batch.rows > 0) this.counts.batches++;
    this.#sayNewer();
    this.#sayMissing();
    this.#cursor = batch.cursor;
    this.#beginBatch();
    this.#keepState();
  }

  /** Whatever the one before has is acknowledged, or read again. */
  #beginBatch(): void {
    this.#batch = new Batch(this.#cursor, this.#options.limits, this.counts, this.#batch);
  }

  /** @returns Bytes that were sent. */
  async #insert(server: ClickHouseServer, batch: Batch): Promise<number> {
    let sent = 0;
    for (const { name } of TABLES) {
      const rows = batch.body(name);
      if (rows === undefined) continue;
      sent += rows.length;
      await server.insert(name, rows, {
        settings: {
          ...INSERT_SETTINGS,
          ...server.isAtLeast(...BOUNDS_PARTITIONS) && { max_partitions_per_insert_block: 0 },
        },
        signal: this.#options.leaving,
      });
    }
    return sent;
  }

  #keepState(): void {
    try {
      this.#options.state.write(this.#cursor);
      this.#saidState = false;
    } catch (error) {
      if (!this.#saidState) this.#options.onNote(`${messageOf(error)}; it is tried again`);
      this.#saidState = true;
    }
  }

  /** Says where to once that is known, so that who looks sees that it works. */
  async #begin(server: ClickHouseServer): Promise<void> {
    await this.#prepare(server);
    const { folder, once, onNote } = this.#options;
    if (once === undefined) onNote(`shipping "${folder}" to ${server.where}`);
  }

  async #prepare(server: ClickHouseServer): Promise<void> {
    if (this.#ready.has(server)) return;
    const state = await checkSchema(server, this.#options.leaving);
    if (state.kind === "other") throw new ShipError(state.sentence);
    if (state.kind === "absent") {
      throw new ShipError(
        `The database "${server.database}" of ${server.where} has no tables for this: ` +
          "give --apply, which makes them",
      );
    }
    this.#ready.add(server);
  }

  /**
   * Does something with a server, and again with the next one while that may help.
   *
   * @returns Undefined where it is to end before that.
   * @throws {ShipError} It cannot help.
   */
  async #try<T>(work: (server: ClickHouseServer) => Promise<T>): Promise<T | undefined> {
    const { servers, ending, onNote } = this.#options;
    for (;;) {
      const server = servers[this.#server];
      const beganMs = performance.now();
      let askedMs = 0;
      try {
        const done = await work(server);
        if (this.#failingSinceMs !== undefined) onNote(`shipping to ${server.where} again`);
        this.#failingSinceMs = undefined;
        this.#backoff.reset();
        return done;
      } catch (error) {
        if (!(error instanceof ServerError)) throw error;
        this.counts.failures++;
        if (!this.#mayPass(error, server)) throw new ShipError(error.message);
        const isNews = this.#failingSinceMs === undefined;
        this.#failingSinceMs ??= beganMs;
        askedMs = error.retryAfterMs ?? 0;
        if (isNews && !ending.aborted) {
          onNote(`${error.message}; nothing is lost, it is tried again`);
        }
        if (this.#patienceLeftMs() <= 0) {
          throw new ShipError(`${error.message}; what was not shipped waits in the store`);
        }
      }
      if (ending.aborted) return undefined;
      this.#server = (this.#server + 1) % servers.length;
      const waitMs = Math.max(this.#backoff.next(), Math.min(askedMs, ASKED_WAIT_MAX_MS));
      // The last try is made when its time is over, not up to half a minute later.
      const leftMs = Math.max(0, this.#patienceLeftMs());
      if (this.#server === 0) await pause(Math.min(waitMs, leftMs), ending);
      this.#look();
    }
  }

  /** How long all servers may still be away. */
  #patienceLeftMs(): number {
    const { once } = this.#options;
    if (once === undefined || this.#failingSinceMs === undefined) return Infinity;
    return this.#failingSinceMs + once.patienceMs - performance.now();
  }

  #mayPass({ mayPass, fault }: ServerError, server: ClickHouseServer): boolean {
    // What stands before a server, such as a proxy, answers in its place while that is away.
    return mayPass || fault === "cancelled" || fault === "foreign" && this.#ready.has(server);
  }

  /** How far it is behind now. */
  lag(): Lag {
    try {
      this.#look();
    } catch {
      // That is told where it is read.
    }
    const bytes = this.#follower.left((name) => this.#cursor.of(name));
    const { rows, bytes: readBytes } = this.#read;
    const pending = this.#batch?.rows ?? 0;
    const nowMs = Date.now();
    const oldest = this.#batch?.oldestSeconds;
    const caughtUpMs = this.#caughtUpMs ?? (oldest === undefined ? undefined : oldest * 1_000);
    return {
      pendingRecords: pending,
      bytes,
      records: bytes === 0
        ? 0
        : rows === 0 || readBytes === 0
        ? undefined
        : Math.max(pending, Math.round(bytes * rows / readBytes)),
      seconds: bytes === 0 ? 0 : caughtUpMs && Math.max(0, (nowMs - caughtUpMs) / 1_000),
    };
  }

  /** Tells of records that are gone when they are known to be, and not at the end alone. */
  #sayMissing(): void {
    const { missing } = this.counts;
    if (missing === this.#saidMissing) return;
    this.#options.onNote(describeMissing(missing - this.#saidMissing));
    this.#saidMissing = missing;
  }

  #sayNewer(): void {
    const { newestVersion } = this.counts;
    if (newestVersion <= RECORD_VERSION || this.#saidNewer) return;
    this.#saidNewer = true;
    this.#options.onNote(
      `records of version ${newestVersion} are there: what this version does not know is left out`,
    );
  }
}

function asShipError<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new ShipError(messageOf(error));
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
