import { messageOf } from "../text/message.ts";
import {
  closeDescriptor,
  isUnread,
  unreadBytes,
  waitForNoReader,
  waitForRoom,
} from "./descriptor.ts";
import { openForWriting } from "./open_file.ts";
import { writeLines } from "./pipe_writer.ts";
import { fileAt } from "./same_file.ts";
import { SentLines } from "./sent_lines.ts";
import type { ByteWriter } from "./stream_output.ts";

/** How often is looked whether a FIFO has a reader. */
const READER_MS = 100;
/** How long one system call waits, after which is looked whether it was closed. */
const WAIT_MS = 200;
const NO_READER = "has no reader";
const LOST_READER = "has lost its reader";
const NOTHING = new Uint8Array(0);

/** What becomes of a FIFO whose reader goes away. */
export interface FifoWriterOptions {
  /** The FIFO. */
  path: string;
  /** Its descriptor; undefined: nobody reads it yet. */
  fd: number | undefined;
  /**
   * Whether the next reader goes on with what the one before has left, from the start of a line on;
   * else the stream ends when its reader goes.
   */
  goesOn: boolean;
  /** Whether it was said that the last reader has gone. */
  isWaiting?: boolean;
  /** Says in one sentence that a reader is waited for or has come. */
  onChange(sentence: string): void;
}

/**
 * A FIFO whose readers come and go. Whoever writes to it waits for one, and nothing else does.
 *
 * What is in a FIFO stays there when its reader goes, as long as it is open for writing, and the next
 * one would begin in the midst of a line or block. So it is let go of as soon as nobody reads it: the
 * system wakes this program then.
 */
export class FifoWriter implements ByteWriter, Disposable {
  readonly #options: FifoWriterOptions;
  #fd: number | undefined;
  /** Calls that wait for something of the descriptor: until they return it stays open, closed or not. */
  #waiting = 0;
  #isLosing = false;
  #closed = false;
  #hasEnded = false;
  /** Why a reader is waited for, as was said last; undefined: there is one. */
  #waits: string | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Where the next reader goes on: what was written, and what of it is to be written again. */
  readonly #sent: SentLines | undefined;
  #again: Uint8Array<ArrayBuffer> = NOTHING;
  #unreadBytes = 0;

  /** Takes over a descriptor that was opened with O_NONBLOCK. */
  constructor(options: FifoWriterOptions) {
    this.#options = options;
    if (options.goesOn) this.#sent = new SentLines();
    if (options.isWaiting) this.#waits = LOST_READER;
    if (options.fd !== undefined) {
      this.#use(options.fd);
    } else {
      this.#sayWaiting(NO_READER);
      this.#awaitReader();
    }
  }

  /** See {@link ByteWriter.isUnread}. */
  get isUnread(): boolean {
    return this.#fd === undefined || isUnread(this.#fd);
  }

  /** Whether its reader went and ended the stream. */
  get hasEnded(): boolean {
    if (!this.#hasEnded && this.#fd !== undefined && isUnread(this.#fd)) this.#lose();
    return this.#hasEnded;
  }

  /** Of a stream that ended: bytes written that nobody has read, nor will. */
  get unreadBytes(): number {
    return this.#unreadBytes;
  }

  /** See {@link ByteWriter.write}. @throws {Deno.errors.BrokenPipe} Its reader ended the stream. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    while (!this.#closed) {
      const written = this.#writeToReader(bytes);
      if (written > 0) return written;
      await (this.#hasReader ? this.#wait(waitForRoom) : pause(READER_MS));
    }
    throw new Error("it was given up");
  }

  /** @returns Bytes written; 0 where there is no room or no reader. */
  #writeToReader(bytes: Uint8Array<ArrayBuffer>): number {
    if (this.#hasEnded) throw new Deno.errors.BrokenPipe();
    if (this.#fd === undefined) this.#connect();
    if (!this.#hasReader) return 0;
    try {
      return this.#writeAgain() ? this.#writeNow(bytes) : 0;
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      this.#lose();
      return 0;
    }
  }

  get #hasReader(): boolean {
    return this.#fd !== undefined && !this.#isLosing;
  }

  #writeNow(bytes: Uint8Array<ArrayBuffer>): number {
    const written = writeLines(this.#fd!, bytes);
    this.#sent?.add(bytes.subarray(0, written));
    return written;
  }

  /** Writes what the last reader left. @returns Whether nothing of that is left. */
  #writeAgain(): boolean {
    if (this.#again.length > 0) this.#again = this.#again.subarray(this.#writeNow(this.#again));
    return this.#again.length === 0;
  }

  /** A reader waits for its writer as well, whether there is something to write or not. */
  #awaitReader(): void {
    this.#timer = setInterval(() => this.#connect(), READER_MS);
    Deno.unrefTimer(this.#timer);
  }

  /** Looks for a reader, who gets at once what the one before left. */
  #connect(): void {
    const fd = this.#open();
    if (fd === undefined) return;
    clearInterval(this.#timer);
    this.#use(fd);
    this.#sayReader();
    this.#finishAgain();
  }

  async #finishAgain(): Promise<void> {
    this.#writeToReader(NOTHING);
    while (this.#again.length > 0 && this.#hasReader && !this.#closed) {
      await this.#wait(waitForRoom);
      this.#writeToReader(NOTHING);
    }
  }

  #use(fd: number): void {
    this.#fd = fd;
    this.#watch();
  }

  /** Takes notice when the reader goes, whether there is something to write or not. */
  async #watch(): Promise<void> {
    while (this.#hasReader && !this.#closed) {
      if (await this.#wait(waitForNoReader)) this.#lose();
    }
  }

  async #wait(wait: typeof waitForRoom): Promise<boolean> {
    this.#waiting++;
    const holds = await wait(this.#fd!, WAIT_MS);
    this.#waiting--;
    if (this.#isLosing) this.#lose();
    return holds;
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
      this.#sayWaiting(`cannot be opened (${messageOf(error)})`);
    }
    return undefined;
  }

  /** Lets go of the FIFO because its reader has gone; where calls wait for it, when they return. */
  #lose(): void {
    if (this.#fd === undefined) return;
    this.#isLosing = this.#waiting > 0;
    if (this.#isLosing) return;
    if (this.#options.goesOn && !isUnread(this.#fd)) {
      // Another came at once, and reads on already.
      this.#sayWaiting(LOST_READER);
      return this.#sayReader();
    }
    this.#unreadBytes = unreadBytes(this.#fd);
    closeDescriptor(this.#fd);
    this.#takeBack(this.#unreadBytes);
    this.#fd = undefined;
    if (this.#options.goesOn) this.#awaitReader();
    else this.#hasEnded = true;
    // Not sooner: who hears it may begin to read.
    this.#sayWaiting(LOST_READER);
  }

  #takeBack(unreadBytes: number): void {
    if (this.#sent) this.#again = join(this.#sent.take(unreadBytes), this.#again);
  }

  #sayReader(): void {
    if (this.#waits === undefined) return;
    this.#waits = undefined;
    this.#options.onChange(`"${this.#options.path}" has a reader`);
  }

  #sayWaiting(how: string): void {
    // Between readers there is none: that was said.
    if (this.#waits === how || this.#waits !== undefined && how === NO_READER) return;
    this.#waits = how;
    this.#options.onChange(`"${this.#options.path}" ${how}: waiting for one`);
  }

  /** See {@link ByteWriter.takeUnread}. */
  takeUnread(): Uint8Array {
    if (this.#fd !== undefined && isUnread(this.#fd)) this.#takeBack(unreadBytes(this.#fd));
    const all = this.#again;
    this.#again = NOTHING;
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

function join(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(one.length + other.length);
  all.set(one);
  all.set(other, one.length);
  return all;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
