/** Where the lines of a trace go: whole lines only, nothing waits for the reader. */
export interface LineOutput {
  /**
   * Takes some whole lines. Never waits.
   *
   * @param lines The lines, each with its newline. @param records How many records they hold.
   */
  write(lines: string, records: number): void;
  /** Settles when everything taken was written or given up. */
  flush(): Promise<void>;
  /** Records taken that could not be written. */
  readonly lost: number;
}

/** What standard output is to this module. */
export interface ByteWriter {
  write(bytes: Uint8Array): Promise<number>;
}

/** Text held for a reader that is slower than the trace; beyond it records are given up. */
const WAITING_MAX_CHARACTERS = 64 * 1024 * 1024;

interface Chunk {
  lines: string;
  records: number;
}

/** Lines to a stream that may be slow or go away, such as standard output in a pipe. */
export class StreamOutput implements LineOutput {
  lost = 0;
  readonly #writer: ByteWriter;
  readonly #onGone: () => void;
  readonly #waitingMax: number;
  readonly #encoder = new TextEncoder();
  #waiting: Chunk[] = [];
  #waitingCharacters = 0;
  #pump: Promise<void> | undefined;
  #gone = false;

  /**
   * @param writer The stream.
   * @param onGone Called once when its reader has gone away (EPIPE) or it cannot be written at all.
   * @param waitingMax Characters held at most.
   */
  constructor(writer: ByteWriter, onGone: () => void, waitingMax = WAITING_MAX_CHARACTERS) {
    this.#writer = writer;
    this.#onGone = onGone;
    this.#waitingMax = waitingMax;
  }

  /** Takes some whole lines; see {@link LineOutput.write}. */
  write(lines: string, records: number): void {
    if (this.#gone) return;
    if (this.#waitingCharacters + lines.length > this.#waitingMax) {
      this.lost += records;
      return;
    }
    this.#waiting.push({ lines, records });
    this.#waitingCharacters += lines.length;
    this.#pump ??= this.#run();
  }

  /** Settles when everything taken was written or given up. */
  async flush(): Promise<void> {
    await this.#pump;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#gone) {
      const chunks = this.#waiting;
      this.#waiting = [];
      this.#waitingCharacters = 0;
      const bytes = this.#encoder.encode(chunks.map((chunk) => chunk.lines).join(""));
      try {
        for (let at = 0; at < bytes.length;) at += await this.#writer.write(bytes.subarray(at));
      } catch {
        // A reader that has seen enough (`| head -1`) is no error and its rest no loss.
        this.#gone = true;
        this.#onGone();
      }
    }
    this.#pump = undefined;
  }
}
