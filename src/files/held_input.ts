import { InputError } from "./input_error.ts";
import { fileAt } from "./same_file.ts";

/** Bytes copied at once. */
const PIECE_LENGTH = 256 * 1024;

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

  private constructor(file: Deno.FsFile) {
    this.file = file;
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
    const held = new HeldInput(openNameless());
    let isOver = false;
    const copy = async () => {
      const from = path === undefined ? Deno.stdin : await Deno.open(path);
      const piece = new Uint8Array(PIECE_LENGTH);
      for (let count = await from.read(piece); !isOver && count; count = await from.read(piece)) {
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

function openNameless(): Deno.FsFile {
  try {
    const path = Deno.makeTempFileSync({ prefix: "synsnoop-held-" });
    try {
      return Deno.openSync(path, { read: true, write: true });
    } finally {
      Deno.removeSync(path);
    }
  } catch (error) {
    throw cannotHold(error);
  }
}

function cannotHold(error: unknown): InputError {
  const reason = error instanceof Error ? error.message : String(error);
  return new InputError(
    `it can be read once alone, and a copy cannot be written: ${reason}; ` +
      "let TMPDIR name a folder with room, or give a file",
  );
}
