import { statfsSync } from "node:fs";
import { InputError } from "./input_error.ts";
import { fileAt } from "./same_file.ts";

/** Bytes copied at once. */
const PIECE_LENGTH = 256 * 1024;
/** How much of the room that is left may be taken: what never ends fills the folder for nobody else. */
const ROOM_SHARE = 1 / 2;

/** Whether what a path leads to can be read once alone: a FIFO, as a shell makes of `<(...)`. */
export function isReadOnce(path: string): boolean {
  const file = fileAt(path);
  return file !== undefined && (file.isFifo === true || file.isSocket === true);
}

/**
 * What can be read once, held so that it can be read again: in a file that has no name any more, in the
 * folder for temporary files.
 */
export class HeldInput implements Disposable {
  /** Open for reading and writing. */
  readonly file: Deno.FsFile;
  readonly #lengthMax: number;
  #length = 0;

  private constructor(file: Deno.FsFile, roomBytes: number) {
    this.file = file;
    this.#lengthMax = roomBytes * ROOM_SHARE;
  }

  /**
   * Reads it to its end.
   *
   * @param path Undefined for standard input. @param ended Ends the waiting for it.
   * @returns Undefined where that came first.
   * @throws {InputError} It cannot be read, or not be held.
   */
  static async take(
    path: string | undefined,
    ended: Promise<void>,
  ): Promise<HeldInput | undefined> {
    const { file, roomBytes } = openNameless();
    const held = new HeldInput(file, roomBytes);
    let isOver = false;
    const copy = async () => {
      const from = path === undefined ? Deno.stdin : await Deno.open(path);
      const piece = new Uint8Array(PIECE_LENGTH);
      for (let count = await from.read(piece); !isOver && count; count = await from.read(piece)) {
        held.#claim(count);
        for (let at = 0; at < count;) at += held.#write(piece.subarray(at, count));
      }
      if (from !== Deno.stdin) from.close();
      return held;
    };
    try {
      return await Promise.race([copy(), ended.then(() => undefined)]);
    } catch (error) {
      held[Symbol.dispose]();
      if (error instanceof Error && "code" in error) throw new InputError(error.message);
      throw error;
    } finally {
      isOver = true;
    }
  }

  /** @throws {InputError} There is too much of it. */
  #claim(length: number): void {
    this.#length += length;
    if (this.#length <= this.#lengthMax) return;
    throw new InputError(
      "it can be read once alone, and a copy takes more than half of the room that was left in the folder for " +
        "temporary files; let TMPDIR name a folder with more room, or give a file",
    );
  }

  #write(bytes: Uint8Array<ArrayBuffer>): number {
    try {
      return this.file.writeSync(bytes);
    } catch (error) {
      throw cannotHold(error);
    }
  }

  /** Closes the file, which is gone then. */
  [Symbol.dispose](): void {
    this.file.close();
  }
}

function openNameless(): { file: Deno.FsFile; roomBytes: number } {
  try {
    const path = Deno.makeTempFileSync({ prefix: "synsnoop-held-" });
    try {
      return { file: Deno.openSync(path, { read: true, write: true }), roomBytes: roomAt(path) };
    } finally {
      Deno.removeSync(path);
    }
  } catch (error) {
    throw cannotHold(error);
  }
}

/** Bytes that the file system of a path has left for users; Infinity where it does not tell how large it is. */
function roomAt(path: string): number {
  const { blocks, bavail, bsize } = statfsSync(path);
  return blocks > 0 ? bavail * bsize : Infinity;
}

function cannotHold(error: unknown): InputError {
  const reason = error instanceof Error ? error.message : String(error);
  return new InputError(
    `it can be read once alone, and a copy cannot be written: ${reason}; ` +
      "let TMPDIR name a folder with room, or give a file",
  );
}
