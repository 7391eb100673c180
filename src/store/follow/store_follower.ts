/**
 * Follows a store: which of its segments have more, one after another, whatever becomes of their files.
 *
 * @module
 */
import { InputError } from "../../files/input_error.ts";
import { fileAt } from "../../files/same_file.ts";
import { messageOf } from "../../text/message.ts";
import { SEALED } from "../segment_name.ts";
import { type HourRange, listSegments, type Segment } from "../store_folder.ts";
import { ShorterError } from "./segment_bytes.ts";

/** How far one segment was read. */
export interface Progress {
  /** Bytes of its lines, as they were before it was compressed: sealing changes none of them. */
  bytes: number;
  /** Whether there is nothing behind them, nor will be. */
  isDone: boolean;
}

/** What reads a segment, its file open. */
export interface SegmentReader extends Disposable {
  /** Bytes that are still to be read, as they lie on the disk. */
  readonly left: number;
  /** Whether a path leads to another file than the one that is read, or that was cut short. */
  isReplaced(path: string): boolean;
}

/** What is done with the segments; each is named as it was written. */
export interface StoreFollowerOptions<Reader extends SegmentReader> {
  folder: string;
  /** Which hours are followed; absent: all. */
  hours?: HourRange;
  /** How far a segment was read. */
  progressOf(name: string): Progress;
  /** Whether nothing is owed of a segment that was read; absent: when it is done. */
  isSettled?(name: string): boolean;
  /** Whether reading ends here, at any segment. */
  isOver(): boolean;
  /** Opens a segment where it was left. */
  open(segment: Segment, name: string): Promise<Reader>;
  /** Reads all that is there; of a sealed one nothing follows, and it is done. */
  read(reader: Reader, segment: Segment, name: string): Promise<void>;
  /** A segment was replaced or cut short: it is read from its start. */
  onReplaced(name: string): void;
  /** A segment cannot be read further. @param reason For the end of a sentence. */
  onUnreadable(segment: Segment, reason: string): void;
  /** A segment was removed before all of it was read. @param unread Bytes of it on the disk. */
  onRemoved(name: string, unread: number): void;
}

/** Files of segments that stay open from one look to the next: those that were opened last. */
const OPEN_MAX = 16;

/** The segments of a store that are being read. */
export class StoreFollower<Reader extends SegmentReader> {
  readonly #options: StoreFollowerOptions<Reader>;
  readonly #readers = new Map<string, Reader>();
  /** Those of which something is owed, with their bytes on the disk; undefined: it led to no file. */
  #waiting = new Map<string, { segment: Segment; size: number | undefined }>();
  readonly #unreadable = new Set<string>();
  /** Those that were not there any more when they were to be opened. */
  readonly #vanished = new Set<string>();
  /** The one that is being read: its file is open, whatever becomes of its name. */
  #reading: string | undefined;

  /** Looks at nothing yet. */
  constructor(options: StoreFollowerOptions<Reader>) {
    this.#options = options;
  }

  /** Whether there are segments that cannot be read. */
  get hasUnreadable(): boolean {
    return this.#unreadable.size > 0;
  }

  /**
   * Lists the segments in their order, and tells of those that were removed before they were read. One
   * that was removed while its file was open has all that there will be.
   *
   * @throws {Deno.errors} The folder cannot be read.
   */
  look(): Segment[] {
    const { folder, hours, progressOf } = this.#options;
    const segments = listSegments(folder, hours);
    const names = new Set(segments.map(nameOf));
    for (const [name, { segment, size }] of this.#waiting) {
      if (names.has(name) || progressOf(name).isDone) continue;
      const found = missedByListing(segment);
      if (found !== undefined) segments.push(found);
      else if (this.#readers.has(name)) segments.push({ ...segment, isSealed: true });
      else if (name !== this.#reading) this.#tellRemoved(name, segment, size);
    }
    segments.sort((one, other) => one.plainPath < other.plainPath ? -1 : 1);
    const { isSettled = (name: string) => progressOf(name).isDone } = this.#options;
    this.#waiting = new Map();
    for (const segment of segments) {
      const name = nameOf(segment);
      if (isSettled(name)) continue;
      this.#waiting.set(name, { segment, size: fileAt(segment.path)?.size });
    }
    for (const name of this.#unreadable) {
      if (!this.#waiting.has(name)) this.#unreadable.delete(name);
    }
    return segments;
  }

  #tellRemoved(name: string, segment: Segment, size: number | undefined): void {
    const unread = this.#leftOf(segment, size, this.#options.progressOf(name));
    if (unread > 0) this.#options.onRemoved(name, unread);
  }

  /**
   * Reads what a {@link look} found.
   *
   * @returns Whether that was all: a segment that was sealed or replaced at that moment is looked for
   * again, and before those that its tracer wrote later.
   */
  async pass(segments: readonly Segment[]): Promise<boolean> {
    for (const segment of segments) {
      const name = nameOf(segment);
      if (this.#options.isOver()) break;
      if (this.#unreadable.has(name) || !this.#mayHaveMore(segment, name)) continue;
      this.#reading = name;
      const isWhole = await this.#readSegment(segment, name);
      this.#reading = undefined;
      this.#closeFirst();
      if (!isWhole) return false;
    }
    return true;
  }

  #mayHaveMore({ isSealed }: Segment, name: string): boolean {
    const { bytes, isDone } = this.#options.progressOf(name);
    if (isDone) return false;
    return isSealed || this.#readers.has(name) || this.#waiting.get(name)?.size !== bytes;
  }

  /** @returns Whether it was read to its end, as far as it can be. */
  async #readSegment(segment: Segment, name: string): Promise<boolean> {
    const { isOver, read, progressOf, onReplaced, onUnreadable } = this.#options;
    try {
      const reader = await this.#open(segment, name);
      if (isOver()) return true;
      await read(reader, segment, name);
      if (progressOf(name).isDone) this.#close(name);
      return true;
    } catch (error) {
      if (!isFault(error)) throw error;
      this.#close(name);
      if (error instanceof ShorterError) {
        onReplaced(name);
        return false;
      }
      // It was sealed or removed a moment ago: the next look tells.
      const isFirst = !this.#vanished.has(name);
      this.#vanished.add(name);
      if (error instanceof Deno.errors.NotFound && isFirst) return false;
      this.#unreadable.add(name);
      onUnreadable(segment, messageOf(error));
      return true;
    }
  }

  async #open(segment: Segment, name: string): Promise<Reader> {
    const { open, onReplaced } = this.#options;
    const known = this.#readers.get(name);
    // Where it was compressed meanwhile, those bytes that are open are the same.
    if (known !== undefined && (segment.isSealed || !known.isReplaced(segment.path))) return known;
    if (known !== undefined) {
      this.#close(name);
      onReplaced(name);
    }
    const reader = await open(segment, name);
    this.#readers.set(name, reader);
    this.#vanished.delete(name);
    return reader;
  }

  #close(name: string): void {
    this.#readers.get(name)?.[Symbol.dispose]();
    this.#readers.delete(name);
  }

  #closeFirst(): void {
    for (const name of [...this.#readers.keys()].slice(0, -OPEN_MAX)) this.#close(name);
  }

  /** Whether the folder has a segment now, by either of its names. */
  isThere(name: string): boolean {
    const path = `${this.#options.folder}/${name}`;
    return fileAt(path) !== undefined || fileAt(path + SEALED) !== undefined;
  }

  /** Bytes on the disk that are behind some progress, of all segments that were seen. */
  left(progressOf: (name: string) => Progress): number {
    let sum = 0;
    for (const [name, { segment, size }] of this.#waiting) {
      sum += this.#leftOf(segment, size, progressOf(name));
    }
    return sum;
  }

  #leftOf(segment: Segment, size = 0, { bytes, isDone }: Progress): number {
    if (isDone) return 0;
    if (segment.isSealed) return this.#readers.get(nameOf(segment))?.left ?? size;
    return Math.max(0, size - bytes);
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    for (const name of [...this.#readers.keys()]) this.#close(name);
  }
}

/** The name of a segment as it was written. */
export function nameOf({ plainPath }: Segment): string {
  return plainPath.slice(plainPath.lastIndexOf("/") + 1);
}

/** A segment that a listing missed: while one is sealed, it may come upon neither of its names. */
function missedByListing(segment: Segment): Segment | undefined {
  const { plainPath } = segment;
  const sealedPath = plainPath + SEALED;
  if (fileAt(sealedPath) !== undefined) return { ...segment, path: sealedPath, isSealed: true };
  return fileAt(plainPath) && { ...segment, path: plainPath, isSealed: false };
}

/** Whether an error is one of a file, and none of who reads it. */
function isFault(error: unknown): boolean {
  return error instanceof InputError || error instanceof ShorterError ||
    error instanceof Error && "code" in error;
}
