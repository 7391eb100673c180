/**
 * Reads a store and goes on with what is written into it: by any number of tracers, hour after hour.
 *
 * @module
 */
import type { InputSource } from "../pipeline/input_source.ts";
import type { RecordReader } from "../record/record_reader.ts";
import { SegmentBytes } from "../store/follow/segment_bytes.ts";
import { nameOf, type Progress, StoreFollower } from "../store/follow/store_follower.ts";
import { folderReason, type HourRange, type Segment } from "../store/store_folder.ts";
import { sayNote } from "./process/terminal.ts";
import { TURN_MS } from "./reading.ts";

/** What is followed, and for whom. */
export interface StoreFollowing {
  folder: string;
  hours: HourRange;
  source: InputSource;
  /** Whether nothing more is to be read. */
  isOver(): boolean;
  /** Hands on what was reported, and waits for what was before. */
  handOn(): Promise<void>;
  /** Settles when all that was reported is written. */
  settle(): Promise<unknown>;
  /** Waits for something, or the end. */
  idle(coming: Promise<void>): Promise<unknown>;
}

/** How often is looked for more: looking takes at most a twentieth of the time. */
const POLL_MS = 100;
const POLL_MAX_MS = 5_000;
const TIMES_LOOKED = 20;
const PIECE_BYTES = 256 * 1024;

/** How far a segment is read. */
interface Reading extends Progress {
  /** Holds a line that has begun in it; undefined when it is done. */
  records: RecordReader | undefined;
}

/**
 * Reads until it is to end.
 *
 * @returns One sentence for the user where not all could be read.
 */
export async function followStore(following: StoreFollowing): Promise<string | undefined> {
  const { folder, source, isOver } = following;
  if (source.refusal !== undefined) return `Cannot read "${folder}": ${source.refusal}`;
  using store = new FollowedStore(following);
  try {
    if (store.look().length === 0) {
      sayNote(`"${folder}" has no segments yet, which trace --store writes; waiting for them`);
    }
    while (!isOver()) {
      const beginMs = performance.now();
      const segments = store.look();
      const lookedMs = performance.now() - beginMs;
      const isWhole = await store.pass(segments);
      await following.handOn();
      if (isOver() || !isWhole) continue;
      await following.settle();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const waitMs = Math.min(Math.max(POLL_MS, TIMES_LOOKED * lookedMs), POLL_MAX_MS);
      await following.idle(new Promise((resolve) => timer = setTimeout(resolve, waitMs)));
      clearTimeout(timer);
    }
  } catch (error) {
    const reason = folderReason(error);
    if (reason === undefined) throw error;
    return `Cannot read "${folder}": ${reason}`;
  }
  return store.end();
}

/** The segments of a store, read as records. */
class FollowedStore implements Disposable {
  readonly #following: StoreFollowing;
  readonly #follower: StoreFollower<SegmentBytes>;
  readonly #readings = new Map<string, Reading>();
  readonly #piece = new Uint8Array(PIECE_BYTES);
  #turnMs = performance.now();
  /** Segments that could not be read to their end, or hold what is no record; each was told. */
  #faults = 0;

  constructor(following: StoreFollowing) {
    this.#following = following;
    this.#follower = new StoreFollower({
      ...following,
      progressOf: (name) => this.#readings.get(name) ?? { bytes: 0, isDone: false },
      open: (segment, name) => SegmentBytes.open(segment, this.#readings.get(name)?.bytes ?? 0),
      read: (file, segment, name) => this.#read(file, segment, name),
      onReplaced: (name) => {
        this.#readings.get(name)?.records?.end();
        this.#readings.delete(name);
        sayNote(`"${name}" was replaced or cut short; it is read from its start`);
      },
      onUnreadable: ({ path }, reason) => this.#tellFault(`Cannot read "${path}": ${reason}`),
      onRemoved: (name) => sayNote(`"${name}" was removed before all of it was read`),
    });
  }

  /** See {@link StoreFollower.look}. */
  look(): Segment[] {
    const segments = this.#follower.look();
    const names = new Set(segments.map(nameOf));
    for (const [name, { records }] of this.#readings) {
      if (names.has(name) || this.#follower.isThere(name)) continue;
      records?.end();
      this.#readings.delete(name);
    }
    return segments;
  }

  /** See {@link StoreFollower.pass}. */
  async pass(segments: readonly Segment[]): Promise<boolean> {
    return await this.#follower.pass(segments);
  }

  async #read(file: SegmentBytes, { isSealed }: Segment, name: string): Promise<void> {
    const { source, isOver, handOn } = this.#following;
    const reading = this.#readings.get(name) ?? { records: undefined, bytes: 0, isDone: false };
    this.#readings.set(name, reading);
    const records = reading.records ??= await source.beginRecords();
    while (!isOver()) {
      const isTurn = performance.now() - this.#turnMs >= TURN_MS;
      if (isTurn) {
        await handOn();
        this.#turnMs = performance.now();
      }
      const count = await file.read(this.#piece, isTurn);
      if (count === 0) {
        if (isSealed) this.#finish(reading, records, name);
        return;
      }
      reading.bytes += count;
      records.feed(this.#piece.subarray(0, count));
    }
  }

  #finish(reading: Reading, records: RecordReader, name: string): void {
    records.end();
    reading.isDone = true;
    reading.records = undefined;
    this.#tellRefused(records, name);
  }

  #tellRefused(records: RecordReader | undefined, name: string): void {
    const refused = records?.describeRefused();
    if (refused !== undefined) this.#tellFault(`Cannot read all of "${name}": ${refused}`);
  }

  #tellFault(sentence: string): void {
    this.#faults++;
    sayNote(sentence);
  }

  /** Tells what is wrong with those that have not ended. @returns One sentence, where anything was. */
  end(): string | undefined {
    for (const [name, { records }] of this.#readings) this.#tellRefused(records, name);
    if (this.#faults === 0) return undefined;
    return `Cannot read all of "${this.#following.folder}": ${this.#faults} of its segments, see above`;
  }

  [Symbol.dispose](): void {
    this.#follower[Symbol.dispose]();
  }
}
