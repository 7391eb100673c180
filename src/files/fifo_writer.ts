import { closeDescriptor, isUnread, takeFrom, unreadBytes, waitForRoom } from "./descriptor.ts";
import { openForWriting } from "./open_file.ts";
import { ROOM_MS, writeLines } from "./pipe_writer.ts";
import { fileAt, isOneFile } from "./same_file.ts";
import type { ByteWriter } from "./stream_output.ts";

/** How often is looked whether a FIFO has a reader. */
const READER_MS = 100;
const NO_READER = "has no reader";
const LOST_READER = "has lost its reader";

/** What becomes of a FIFO whose reader goes away. */
export interface FifoWriterOptions {
  /** The FIFO. */
  path: string;
  /** Its descriptor; undefined: nobody reads it yet. */
  fd: number | undefined;
  /**
   * Whether the next reader goes on where the one before has stopped; else the stream ends when its
   * reader goes.
   */
  goesOn: boolean;
  /** Whether it was said that the last reader has gone. */
  isWaiting?: boolean;
  /** Says in one sentence that a reader is waited for or has come. */
  onChange(sentence: string): void;
}

/** A FIFO whose readers come and go. Whoever writes to it waits for one, and nothing else does. */
export class FifoWriter implements ByteWriter, Disposable {
  readonly #options: FifoWriterOptions;
  #fd: number | undefined;
  #closed = false;
  /** Why a reader is waited for, as was said last; undefined: there is one. */
  #waits: string | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** What was in FIFOs that were replaced. */
  readonly #left: Uint8Array[] = [];

  /** Takes over a descriptor that was opened with O_NONBLOCK. */
  constructor(options: FifoWriterOptions) {
    this.#options = options;
    this.#fd = options.fd;
    if (options.isWaiting) this.#waits = LOST_READER;
    if (this.#fd !== undefined) return;
    this.#sayWaiting(NO_READER);
    // A reader waits for its writer as well, whether there is something to write or not.
    this.#timer = setInterval(() => this.#connect(), READER_MS);
    Deno.unrefTimer(this.#timer);
  }

  /** See {@link ByteWriter.isUnread}. */
  get isUnread(): boolean {
    return this.#fd === undefined || isUnread(this.#fd);
  }

  /** See {@link ByteWriter.write}. @throws {Deno.errors.BrokenPipe} Its reader ended the stream. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    while (!this.#closed) {
      const written = this.#writeToReader(bytes);
      if (written > 0) {
        this.#sayReader();
        return written;
      }
      // A pipe without a reader counts as ready to be written.
      const hasReader = this.#fd !== undefined && this.#waits === undefined;
      await (hasReader ? waitForRoom(this.#fd!, ROOM_MS) : pause(READER_MS));
    }
    throw new Error("it was given up");
  }

  /** @returns Bytes written; 0 where there is no room or no reader. */
  #writeToReader(bytes: Uint8Array<ArrayBuffer>): number {
    if (this.#fd === undefined) this.#connect();
    if (this.#fd === undefined) return 0;
    try {
      return writeLines(this.#fd, bytes);
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      this.#sayWaiting(LOST_READER);
      if (!this.#options.goesOn) throw error;
      if (this.#wasReplaced) this.#leave();
      return 0;
    }
  }

  /** Looks for a reader. */
  #connect(): void {
    this.#fd ??= this.#open();
    if (this.#fd === undefined) return;
    clearInterval(this.#timer);
    this.#sayReader();
  }

  #sayReader(): void {
    if (this.#waits === undefined) return;
    this.#waits = undefined;
    this.#options.onChange(`"${this.#options.path}" has a reader`);
  }

  /** @returns Undefined where there is no reader, or no FIFO. */
  #open(): number | undefined {
    const { path } = this.#options;
    try {
      // What is none is not opened, for that would make a file where nothing is.
      const opened = fileAt(path)?.isFifo ? openForWriting(path) : undefined;
      if (opened?.kind === "fifo") {
        if (opened.fd === undefined) this.#sayWaiting(NO_READER);
        return opened.fd;
      }
      if (opened?.fd !== undefined) closeDescriptor(opened.fd);
      this.#sayWaiting("is no FIFO any more");
    } catch (error) {
      this.#sayWaiting(`cannot be opened (${error instanceof Error ? error.message : error})`);
    }
    return undefined;
  }

  /** Whoever made the FIFO anew expects what comes there. */
  get #wasReplaced(): boolean {
    const there = fileAt(this.#options.path);
    const held = fileAt(`/proc/self/fd/${this.#fd}`);
    return there === undefined || held === undefined || !isOneFile(there, held);
  }

  #leave(): void {
    this.#left.push(takeFrom(this.#fd!));
    closeDescriptor(this.#fd!);
    this.#fd = undefined;
  }

  #sayWaiting(how: string): void {
    // Between readers there is none: that was said.
    if (this.#waits === how || this.#waits !== undefined && how === NO_READER) return;
    this.#waits = how;
    this.#options.onChange(`"${this.#options.path}" ${how}: waiting for one`);
  }

  /** Bytes in the pipe that nobody will read, unless a reader comes. */
  get unreadBytes(): number {
    return this.#fd !== undefined && isUnread(this.#fd) ? unreadBytes(this.#fd) : 0;
  }

  /** See {@link ByteWriter.takeUnread}. */
  takeUnread(): Uint8Array {
    if (this.unreadBytes > 0) this.#left.push(takeFrom(this.#fd!));
    const length = this.#left.reduce((sum, part) => sum + part.length, 0);
    const all = new Uint8Array(length);
    let at = 0;
    for (const part of this.#left.splice(0)) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  /** See {@link ByteWriter.close}. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  /** Lets go of the FIFO: what is in it without a reader is gone. */
  [Symbol.dispose](): void {
    this.close();
    if (this.#fd !== undefined) closeDescriptor(this.#fd);
    this.#fd = undefined;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
