import { type LineOutput, type Lines, toBytes } from "./stream_output.ts";

/** When to begin a new file, and how many old ones to keep. */
export interface Rotation {
  /** A file is closed before it would grow beyond this. */
  maxBytes: number;
  /** Old files kept as FILE.1 (the newest) to FILE.N. */
  keep: number;
}

const NEWLINE = 10;

/**
 * Lines to a file, appended, with rotation by size. A line is never torn: not between two files, and
 * not by a full disk, where the file is cut back to its last whole line and the rest is counted.
 */
export class FileOutput implements LineOutput, Disposable {
  lost = 0;
  readonly #path: string;
  #rotation: Rotation | undefined;
  readonly #onChange: (sentence: string) => void;
  #file: Deno.FsFile;
  #size: number;
  #failing = false;

  /**
   * Opens the file.
   *
   * @param path The file, appended to where it exists.
   * @param rotation Undefined: it grows without end.
   * @param onChange Says in one sentence when writing fails and when it works again.
   * @throws {Error} A `Deno.errors` class when it cannot be opened; when it is to be rotated and is a
   * device or a pipe, which another file would replace.
   */
  constructor(
    path: string,
    rotation: Rotation | undefined,
    onChange: (sentence: string) => void,
  ) {
    this.#rotation = rotation;
    this.#onChange = onChange;
    this.#file = open(path);
    const { isFile, size } = this.#file.statSync();
    if (rotation && !isFile) {
      this.#file.close();
      throw new Error("only a regular file can be rotated");
    }
    // What rotates is the file, not a link to it such as /dev/stdout.
    this.#path = rotation ? Deno.realPathSync(path) : path;
    this.#size = size;
  }

  /** Takes some whole lines; see {@link LineOutput.write}. */
  write(lines: Lines, records: number): void {
    const bytes = toBytes(lines);
    if (bytes.length === 0) return;
    if (!this.#rotation) {
      this.#append(bytes, records);
      return;
    }
    let start = 0;
    while (start < bytes.length) {
      const end = this.#endOfFitting(bytes, start);
      const part = bytes.subarray(start, end);
      const partRecords = Math.min(countLines(part), records);
      this.#append(part, partRecords);
      records -= partRecords;
      start = end;
    }
  }

  /** Where the lines end that go into the current file; a new one is begun where none fits. */
  #endOfFitting(bytes: Uint8Array, start: number): number {
    if (!this.#rotation) return bytes.length;
    const room = this.#rotation.maxBytes - this.#size;
    if (room >= bytes.length - start) return bytes.length;
    const end = room <= 0 ? 0 : bytes.lastIndexOf(NEWLINE, start + room - 1) + 1;
    if (end > start) return end;
    if (this.#size > 0 && this.#rotate()) return this.#endOfFitting(bytes, start);
    // A line longer than a whole file stands in one alone.
    return bytes.indexOf(NEWLINE, start) + 1;
  }

  #append(bytes: Uint8Array, records: number): void {
    let written = 0;
    try {
      while (written < bytes.length) written += this.#file.writeSync(bytes.subarray(written));
      this.#size += written;
      if (this.#failing) {
        this.#failing = false;
        this.#onChange(`Writing "${this.#path}" again; ${this.lost} records were lost`);
      }
    } catch (error) {
      const kept = bytes.subarray(0, bytes.subarray(0, written).lastIndexOf(NEWLINE) + 1);
      this.#size += kept.length;
      this.#cutBack(written - kept.length);
      this.lost += Math.max(0, records - countLines(kept));
      if (!this.#failing) {
        this.#failing = true;
        const reason = error instanceof Error ? error.message : String(error);
        this.#onChange(
          `Cannot write "${this.#path}": ${reason}; records are lost until there is room again`,
        );
      }
    }
  }

  /** Takes torn bytes off the end, wherever that is: others may have shortened the file. */
  #cutBack(torn: number): void {
    if (torn === 0) return;
    try {
      this.#file.truncateSync(this.#file.statSync().size - torn);
    } catch {
      // Devices and pipes cannot be cut; what is torn there was torn by them.
    }
  }

  /** @returns Whether the file is a new, empty one now. */
  #rotate(): boolean {
    const { keep } = this.#rotation!;
    try {
      if (keep === 0) {
        this.#file.truncateSync(0);
        this.#size = 0;
        return true;
      }
      for (let number = keep - 1; number >= 1; number--) {
        renameIfThere(`${this.#path}.${number}`, `${this.#path}.${number + 1}`);
      }
      Deno.renameSync(this.#path, `${this.#path}.1`);
      const next = open(this.#path);
      this.#file.close();
      this.#file = next;
      this.#size = 0;
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#onChange(
        `Cannot begin a new file for "${this.#path}": ${reason}; the old one grows on`,
      );
      this.#rotation = undefined;
      return false;
    }
  }

  /** Goes on in the file that has the path now, or in a new one; says so where it cannot. */
  reopen(): void {
    try {
      const next = open(this.#path);
      this.#file.close();
      this.#file = next;
      this.#size = next.statSync().size;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#onChange(`Cannot open "${this.#path}" again: ${reason}; going on in the old file`);
    }
  }

  /** Nothing waits here: every write is done when it returns. */
  async flush(): Promise<void> {}

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}

function countLines(bytes: Uint8Array): number {
  return bytes.reduce((count, byte) => byte === NEWLINE ? count + 1 : count, 0);
}

function open(path: string): Deno.FsFile {
  return Deno.openSync(path, { write: true, append: true, create: true });
}

function renameIfThere(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
