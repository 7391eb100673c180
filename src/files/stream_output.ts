import { messageOf } from "../text/message.ts";

/** Some whole lines: their text or its UTF-8. */
export type Lines = string | Uint8Array<ArrayBuffer>;

/** Where the lines of a trace go: whole lines only, nothing waits for the reader. */
export interface LineOutput {
  /**
   * Takes some whole lines. Never waits.
   *
   * @param lines The lines, each with its newline, as text or as bytes; nothing of them is kept.
   * @param records How many records they hold.
   */
  write(lines: Lines, records: number): void;
  /** Settles when everything taken was written or given up. */
  flush(): Promise<void>;
  /**
   * Tells that the end is near: from now on a reader that takes nothing for two seconds is given up,
   * with what waits for it. Absent: nothing waits.
   */
  hasten?(): void;
  /** Records taken that could not be written. */
  readonly lost: number;
  /** Records written that rotation removed with old files; undefined: nothing rotates. */
  readonly rotatedAway?: number;
}

/** What a stream is to this module. */
export interface ByteWriter {
  /** Writes some of the bytes when there is room. @returns How many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Whether nobody reads, so that waiting for room is in vain. */
  readonly isUnread?: boolean;
  /** Takes back what was written and nobody has read, where nobody reads any more. */
  takeUnread?(): Uint8Array;
  /** How long it may take nothing at the end; undefined: two seconds. */
  readonly patienceMs?: number;
  /** Ends a write that waits, and any other. */
  close?(): void;
}

/** What becomes of a stream's lines. */
export interface StreamOutputOptions {
  /** Bytes held at most, those being written included. */
  waitingMax?: number;
  /** Whether it goes on after an error other than EPIPE: the next write may succeed. */
  goesOn?: boolean;
  /** Whether what waits for a reader who has gone is lost; else he has seen enough (`| head -1`). */
  losesGone?: boolean;
  /** Records, or what else is counted, that end behind the first `from` bytes of some whole ones. */
  countFrom?(bytes: Uint8Array, from: number): number;
  /** Called when the first records are given up for a reader that is too slow. */
  onSlow?(): void;
}

const PATIENCE_MS = 2_000;
const LOOK_MS = 100;
/** How long is waited for a stream that another program made non-blocking, and at most. */
const FIRST_PAUSE_MS = 1;
const LAST_PAUSE_MS = 50;

/** Bytes held for a reader that is slower than the trace; beyond it records are given up. */
const WAITING_MAX_BYTES = 64 * 1024 * 1024;

const NEWLINE = 10;

const encoder = new TextEncoder();

/**
 * Bytes of a buffer, unless lines need more, and how many buffers are kept to be filled again: the pages
 * of a new one cost as much as all that is written into them.
 */
const BUFFER_BYTES = 512 * 1024;
const SPARE_BUFFERS = 6;

interface Chunk {
  /** Filled up to `length`. */
  buffer: Uint8Array<ArrayBuffer>;
  length: number;
  records: number;
}

/** Lines to a stream that may be slow or go away, such as standard output in a pipe. */
export class StreamOutput implements LineOutput {
  lost = 0;
  readonly #writer: ByteWriter;
  readonly #onGone: (reason: string | undefined) => void;
  readonly #options: StreamOutputOptions;
  #waiting: Chunk[] = [];
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  #waitingBytes = 0;
  #pump: Promise<void> | undefined;
  #state: "open" | "gone" | "broken" = "open";
  /** What is being written, and how much of it was. */
  #current: Chunk | undefined;
  #written = 0;
  /** When something was taken last, or the first began to wait. */
  #progressMs = 0;
  #isHastened = false;
  readonly #hastened = Promise.withResolvers<void>();

  /**
   * @param writer The stream.
   * @param onGone Called once when its reader has gone away (EPIPE), or, with the reason, when it
   * cannot be written for another cause; where it goes on, each time that begins.
   */
  constructor(
    writer: ByteWriter,
    onGone: (reason: string | undefined) => void,
    options: StreamOutputOptions = {},
  ) {
    this.#writer = writer;
    this.#onGone = onGone;
    this.#options = options;
  }

  /** Takes some whole lines; see {@link LineOutput.write}. @returns Whether they were taken. */
  write(lines: Lines, records: number): boolean {
    if (this.#state === "gone") {
      if (this.#options.losesGone) this.lost += records;
      return false;
    }
    const bytes = toBytes(lines);
    const isTooMuch =
      this.#waitingBytes + bytes.length > (this.#options.waitingMax ?? WAITING_MAX_BYTES);
    if (this.#state === "broken" || isTooMuch) {
      if (this.lost === 0 && isTooMuch) this.#options.onSlow?.();
      this.lost += records;
      return false;
    }
    const chunk = this.#chunkFor(bytes.length);
    chunk.buffer.set(bytes, chunk.length);
    chunk.length += bytes.length;
    chunk.records += records;
    this.#waitingBytes += bytes.length;
    if (this.#pump) return true;
    this.#progressMs = performance.now();
    this.#pump = this.#run();
    return true;
  }

  /** The last that waits where it has room, else a new one. */
  #chunkFor(length: number): Chunk {
    const last = this.#waiting.at(-1);
    if (last && length <= last.buffer.length - last.length) return last;
    const buffer = length > BUFFER_BYTES
      ? new Uint8Array(length)
      : this.#spare.pop() ?? new Uint8Array(BUFFER_BYTES);
    const chunk = { buffer, length: 0, records: 0 };
    this.#waiting.push(chunk);
    return chunk;
  }

  /** Settles when everything taken was written or given up. */
  async flush(): Promise<void> {
    await Promise.race([this.#pump, this.#hastened.promise]);
    if (!this.#isHastened) return;
    while (this.#pump) await this.#waitForReader(this.#pump);
    if (this.#state !== "open") return;
    // What nobody reads any more goes with this process.
    const unread = this.#writer.takeUnread?.();
    if (unread) this.lost += countLines(unread);
  }

  /** See {@link LineOutput.hasten}. */
  hasten(): void {
    if (this.#isHastened) return;
    this.#isHastened = true;
    this.#progressMs = performance.now();
    this.#hastened.resolve();
  }

  async #waitForReader(written: Promise<void>): Promise<void> {
    if (this.#writer.isUnread) return this.#giveUp();
    const { promise: looks, resolve: look } = Promise.withResolvers<void>();
    const timer = setTimeout(look, LOOK_MS);
    await Promise.race([written, looks]);
    clearTimeout(timer);
    const { patienceMs = PATIENCE_MS } = this.#writer;
    if (this.#pump && performance.now() - this.#progressMs >= patienceMs) this.#giveUp();
  }

  #giveUp(): void {
    this.#state = "broken";
    this.#loseWaiting();
    this.#pump = undefined;
    this.#writer.close?.();
  }

  #loseWaiting(): void {
    if (this.#current) this.#loseRest(this.#current);
    for (const chunk of this.#waiting) this.lost += chunk.records;
    this.#current = undefined;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #loseRest({ buffer, length, records }: Chunk): void {
    // Lines that are no records, such as a heading, stand before them.
    const { countFrom = countLines } = this.#options;
    this.lost += Math.min(records, countFrom(buffer.subarray(0, length), this.#written));
  }

  async #run(): Promise<void> {
    for (let chunk = this.#waiting.shift(); chunk; chunk = this.#waiting.shift()) {
      this.#current = chunk;
      await this.#writeChunk(chunk);
      // It was given up while it was being written.
      if (this.#current === undefined) return;
      this.#current = undefined;
      this.#waitingBytes -= chunk.length;
      const isUsual = chunk.buffer.length === BUFFER_BYTES;
      if (isUsual && this.#spare.length < SPARE_BUFFERS) this.#spare.push(chunk.buffer);
    }
    this.#pump = undefined;
  }

  async #writeChunk(chunk: Chunk): Promise<void> {
    const bytes = chunk.buffer.subarray(0, chunk.length);
    this.#written = 0;
    let pauseMs = FIRST_PAUSE_MS;
    while (this.#written < bytes.length && this.#current === chunk) {
      try {
        const count = await this.#writer.write(bytes.subarray(this.#written));
        if (this.#current !== chunk) return;
        this.#written += count;
        this.#progressMs = performance.now();
        pauseMs = FIRST_PAUSE_MS;
      } catch (error) {
        if (this.#current !== chunk) return;
        if (!(error instanceof Deno.errors.WouldBlock)) return this.#onError(error, chunk);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS);
      }
    }
  }

  #onError(error: unknown, chunk: Chunk): void {
    const isGone = error instanceof Deno.errors.BrokenPipe;
    if (!isGone || this.#options.losesGone) this.#loseRest(chunk);
    if (isGone || !this.#options.goesOn) {
      this.#state = isGone ? "gone" : "broken";
      this.#current = undefined;
      if (!isGone || this.#options.losesGone) this.#loseWaiting();
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#pump = undefined;
    }
    this.#onGone(isGone ? undefined : messageOf(error));
  }
}

/** Lines as an output writes them. */
export function toBytes(lines: Lines): Uint8Array<ArrayBuffer> {
  return typeof lines === "string" ? encoder.encode(lines) : lines;
}

/**
 * Writes a whole text.
 *
 * @param onFault Takes the reason where it cannot be written.
 * @returns Whether it was written, or its reader had seen enough.
 */
export async function writeText(
  writer: ByteWriter,
  text: string,
  onFault: (reason: string) => void = () => {},
): Promise<boolean> {
  let written = true;
  const onGone = (reason: string | undefined) => {
    if (reason === undefined) return;
    written = false;
    onFault(reason);
  };
  // All of it is held already.
  const output = new StreamOutput(writer, onGone, { waitingMax: Infinity });
  output.write(text, 0);
  await output.flush();
  return written;
}

/** Lines that end in some bytes, from an offset on. */
export function countLines(bytes: Uint8Array, from = 0): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE, from); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}
