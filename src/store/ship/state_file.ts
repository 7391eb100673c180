/**
 * The file that a cursor is kept in: whole at every moment, and on the disk before anybody goes by it.
 *
 * @module
 */
import { messageOf } from "../../text/message.ts";
import { Cursor, formatCursor, parseCursor } from "./cursor.ts";

/** A cursor with hundreds of hours has some 100 kB. */
const BYTES_MAX = 64 << 20;
/** Whose handshakes they are is in no cursor, but which hosts there are. */
const MODE = 0o640;

/** Keeps a cursor. */
export class StateFile {
  readonly path: string;
  readonly #destination: string;

  /** @param destination Where is shipped to; a cursor of another one is not taken for its own. */
  constructor(path: string, destination: string) {
    this.path = path;
    this.#destination = destination;
  }

  /**
   * Keeps others from it, who would set it back: until this is disposed of, or the process ends.
   *
   * @throws {Error} One sentence: another has it, or it cannot be made.
   */
  lock(): Disposable {
    let file: Deno.FsFile;
    try {
      // A file of its own: the other one is replaced each time.
      file = Deno.openSync(`${this.path}.lock`, { write: true, create: true, mode: MODE });
    } catch (error) {
      throw this.#cannotWrite(error);
    }
    if (file.tryLockSync(true)) return file;
    file.close();
    throw new Error(
      `Another synsnoop ship goes by the state "${this.path}": end it, or give another --state`,
    );
  }

  /**
   * Reads it; one that is not there stands before everything.
   *
   * @throws {Error} One sentence: it cannot be used.
   */
  read(): Cursor {
    let text: string;
    try {
      if (Deno.statSync(this.path).size > BYTES_MAX) {
        throw new Error("it is too large for a cursor");
      }
      text = Deno.readTextFileSync(this.path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) {
        return new Cursor(undefined, undefined, Date.now());
      }
      throw this.#refuse(messageOf(error));
    }
    let read: ReturnType<typeof parseCursor>;
    try {
      read = parseCursor(text);
    } catch (error) {
      throw this.#refuse(messageOf(error));
    }
    const { cursor, destination } = read;
    if (destination === this.#destination) return cursor;
    throw new Error(
      `Cannot go on from "${this.path}": it stands for what was shipped to ${destination}; ` +
        `give another --state for ${this.#destination}`,
    );
  }

  #refuse(reason: string): Error {
    return new Error(
      `Cannot use the state "${this.path}": ${reason}; without it all is shipped again, ` +
        "and counts once there",
    );
  }

  /** Replaces it. @throws {Error} One sentence: it cannot be written. */
  write(cursor: Cursor): void {
    const unfinished = `${this.path}.${Deno.pid}.new`;
    try {
      {
        using file = Deno.openSync(unfinished, {
          write: true,
          create: true,
          truncate: true,
          mode: MODE,
        });
        const bytes = new TextEncoder().encode(formatCursor(cursor, this.#destination));
        for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
        file.syncDataSync();
      }
      Deno.renameSync(unfinished, this.path);
    } catch (error) {
      try {
        Deno.removeSync(unfinished);
      } catch {
        // It could not even be made.
      }
      throw this.#cannotWrite(error);
    }
  }

  #cannotWrite(error: unknown): Error {
    return new Error(
      `Cannot write the state "${this.path}": ${messageOf(error)}; ` +
        "give --state FILE in a folder that this user may write",
    );
  }
}
