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
  /** Records taken that could not be written. */
  readonly lost: number;
}

/** What standard output is to this module. */
export interface ByteWriter {
  write(bytes: Uint8Array): Promise<number>;
}

/** Bytes held for a reader that is slower than the trace; beyond it records are given up. */
const WAITING_MAX_BYTES = 64 * 1024 * 1024;

const NEWLINE = 10;

const encoder = new TextEncoder();

/**
 * Bytes of a buffer, unless lines need more, and how many buffers are kept to be filled again: the pages
 * of a new one cost as much as all that is written into them.
 */
const BUFFER_BYTES = 512 * 1024;
const SPARE_BUFFERS = 2;

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
  readonly #waitingMax: number;
  #waiting: Chunk[] = [];
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  #waitingBytes = 0;
  #pump: Promise<void> | undefined;
  #state: "open" | "gone" | "broken" = "open";

  /**
   * @param writer The stream.
   * @param onGone Called once when its reader has gone away (EPIPE), or, with the reason, when it
   * cannot be written for another cause.
   * @param waitingMax Bytes held at most, those being written included.
   */
  constructor(
    writer: ByteWriter,
    onGone: (reason: string | undefined) => void,
    waitingMax = WAITING_MAX_BYTES,
  ) {
    this.#writer = writer;
    this.#onGone = onGone;
    this.#waitingMax = waitingMax;
  }

  /** Takes some whole lines; see {@link LineOutput.write}. */
  write(lines: Lines, records: number): void {
    if (this.#state === "gone") return;
    const bytes = toBytes(lines);
    if (this.#waitingBytes + bytes.length > this.#waitingMax) {
      this.lost += records;
      return;
    }
    const chunk = this.#chunkFor(bytes.length);
    chunk.buffer.set(bytes, chunk.length);
    chunk.length += bytes.length;
    chunk.records += records;
    this.#waitingBytes += bytes.length;
    this.#pump ??= this.#run();
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
    await this.#pump;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const chunks = this.#waiting;
      this.#waiting = [];
      for (const chunk of chunks) {
        await this.#writeChunk(chunk);
        this.#waitingBytes -= chunk.length;
        const isUsual = chunk.buffer.length === BUFFER_BYTES;
        if (isUsual && this.#spare.length < SPARE_BUFFERS) this.#spare.push(chunk.buffer);
      }
    }
    this.#pump = undefined;
  }

  async #writeChunk({ buffer, length, records }: Chunk): Promise<void> {
    const bytes = buffer.subarray(0, length);
    let at = 0;
    try {
      if (this.#state === "open") {
        while (at < bytes.length) at += await this.#writer.write(bytes.subarray(at));
      }
    } catch (error) {
      // A reader that has seen enough (`| head -1`) is no error and its rest no loss.
      const gone = error instanceof Deno.errors.BrokenPipe;
      this.#state = gone ? "gone" : "broken";
      this.#onGone(gone ? undefined : error instanceof Error ? error.message : String(error));
    }
    // Lines that are no records, such as a heading, stand before them.
    if (this.#state === "broken") this.lost += Math.min(records, countLines(bytes.subarray(at)));
  }
}

/** Lines as an output writes them. */
export function toBytes(lines: Lines): Uint8Array<ArrayBuffer> {
  return typeof lines === "string" ? encoder.encode(lines) : lines;
}

/**
 * Writes a whole text.
 *
 * @returns Whether it was written, or its reader had seen enough.
 */
export async function writeText(writer: ByteWriter, text: string): Promise<boolean> {
  let written = true;
  const output = new StreamOutput(writer, (reason) => written = reason === undefined);
  output.write(text, 0);
  await output.flush();
  return written;
}

function countLines(bytes: Uint8Array): number {
  return bytes.reduce((count, byte) => byte === NEWLINE ? count + 1 : count, 0);
}
