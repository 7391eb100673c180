import { messageOf } from "../text/message.ts";
import { AppendedFile } from "./appended_file.ts";
import type { OpenedFile } from "./open_file.ts";
import { rotateFiles } from "./rotate_files.ts";
import { countLines, type LineOutput, type Lines, toBytes } from "./stream_output.ts";

/** When to begin a new file, and how many old ones to keep. */
export interface Rotation {
  /** A file is closed before it would grow beyond this. */
  maxBytes: number;
  /** Old files kept as FILE.1 (the newest) to FILE.N. */
  keep: number;
}

const NEWLINE = 10;
/** How long a rotation that failed is not tried again. */
const ROTATION_RETRY_MS = 1_000;

/**
 * Lines to a file, appended, with rotation by size. A line is never torn: not between two files, and
 * not by a full disk, where the file is cut back to its last whole line and the rest is counted.
 */
export class FileOutput implements LineOutput, Disposable {
  /** See {@link LineOutput.rotatedAway}. */
  rotatedAway: number | undefined;
  readonly #path: string;
  readonly #rotation: Rotation | undefined;
  readonly #onChange: (sentence: string) => void;
  readonly #file: AppendedFile;
  /** Records of this trace in FILE.1 and so on. */
  readonly #oldRecords: number[] = [];
  #saysRotation = true;
  #rotationFailedMs = -Infinity;
  #rotationFails = false;

  /**
   * Takes over an opened file.
   *
   * @param rotation Undefined: it grows without end.
   * @param onChange Says in one sentence what happens to the file, and when writing fails and works
   * again.
   * @param mayBegin Whether it is begun anew where it was moved or removed: asked then.
   */
  constructor(
    opened: OpenedFile,
    rotation: Rotation | undefined,
    onChange: (sentence: string) => void,
    mayBegin: () => boolean = () => true,
  ) {
    this.#path = opened.path;
    this.#rotation = rotation;
    this.#onChange = onChange;
    if (rotation) this.rotatedAway = 0;
    this.#file = new AppendedFile(opened, {
      unit: "record",
      whole: wholeLines,
      endOfTorn: new Uint8Array([NEWLINE]),
      needsBegin: false,
      endsTorn: endsInsideLine,
      onChange,
      onStale: () => void (mayBegin() && this.#file.renew()),
    });
  }

  /** See {@link LineOutput.lost}. */
  get lost(): number {
    return this.#file.lost;
  }

  /** Takes some whole lines; see {@link LineOutput.write}. */
  write(lines: Lines, records: number): void {
    const bytes = toBytes(lines);
    if (bytes.length === 0) return;
    if (!this.#rotation) {
      this.#file.append(bytes, records);
      return;
    }
    let start = 0;
    while (start < bytes.length) {
      const end = this.#endOfFitting(bytes, start);
      const part = bytes.subarray(start, end);
      const partRecords = Math.min(countLines(part), records);
      this.#file.append(part, partRecords);
      records -= partRecords;
      start = end;
    }
  }

  /** Where the lines end that go into the current file; a new one is begun where none fits. */
  #endOfFitting(bytes: Uint8Array, start: number): number {
    const { size } = this.#file;
    const room = this.#rotation!.maxBytes - size;
    if (room >= bytes.length - start) return bytes.length;
    const end = room <= 0 ? 0 : bytes.lastIndexOf(NEWLINE, start + room - 1) + 1;
    if (end > start) return end;
    if (size > 0 && this.#rotate() && this.#file.size < size) {
      return this.#endOfFitting(bytes, start);
    }
    // A line longer than a whole file stands in one alone.
    return bytes.indexOf(NEWLINE, start) + 1;
  }

  /** @returns Whether another file, or nothing, is at the path now. */
  #rotate(): boolean {
    if (performance.now() - this.#rotationFailedMs < ROTATION_RETRY_MS) return false;
    try {
      // What has come to its path meanwhile is not for rotation to move.
      if (this.#file.isThere) this.#makeRoom();
      this.#file.beginNext();
    } catch (error) {
      this.#putBack();
      this.#rotationFailedMs = performance.now();
      if (this.#rotationFails) return false;
      this.#rotationFails = true;
      const reason = messageOf(error);
      this.#onChange(
        `Cannot begin a new file for "${this.#path}": ${reason}; the old one grows on`,
      );
      return false;
    }
    if (this.#rotationFails) {
      this.#rotationFails = false;
      this.#onChange(`Beginning new files for "${this.#path}" again`);
    }
    return true;
  }

  #makeRoom(): void {
    const { keep } = this.#rotation!;
    const { count, target } = this.#file;
    if (keep === 0) {
      this.#file.empty();
      this.#countRemoved(count);
      return;
    }
    const { last, removed } = rotateFiles(target, keep);
    const [records = 0] = this.#oldRecords.splice(last - 1, 1);
    this.#oldRecords.unshift(count);
    if (removed) this.#countRemoved(records);
  }

  /** A file that was moved for one that could not be made. */
  #putBack(): void {
    const { target, isThere } = this.#file;
    try {
      if (!isThere) Deno.linkSync(`${target}.1`, target);
      if (!isThere) Deno.removeSync(`${target}.1`);
    } catch {
      // Where it is it grows on; the next look tells.
    }
  }

  #countRemoved(records: number): void {
    this.rotatedAway! += records;
    if (!this.#saysRotation) return;
    this.#saysRotation = false;
    const { keep } = this.#rotation!;
    this.#onChange(
      `Rotation removes the oldest records of "${this.#path}" from now on: --rotate-keep is ${keep}`,
    );
  }

  /** Goes on in the file that has the path now, or in a new one; says so where it cannot. */
  reopen(): void {
    this.#file.reopen();
  }

  /** Nothing waits here: every write is done when it returns. */
  async flush(): Promise<void> {}

  /** Sees to it that what comes last stands under the path. */
  hasten(): void {
    this.#file.reopen();
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

function wholeLines(bytes: Uint8Array): { length: number; count: number } {
  const whole = bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
  return { length: whole.length, count: countLines(whole) };
}

/** Whether a program that ended at once, or a disk that was full, left half a line. */
function endsInsideLine(path: string): boolean {
  try {
    using file = Deno.openSync(path);
    const { size } = file.statSync();
    if (size === 0) return false;
    file.seekSync(size - 1, Deno.SeekMode.Start);
    const last = new Uint8Array(1);
    return file.readSync(last) === 1 && last[0] !== NEWLINE;
  } catch {
    // It may be written but not read.
    return false;
  }
}
