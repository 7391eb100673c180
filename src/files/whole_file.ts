/**
 * A file that appears under its name when it is whole: nobody reads half of it, and what was there before
 * stays until then.
 *
 * @module
 */
import { closeDescriptor, writeNow } from "./descriptor.ts";
import { openForWriting } from "./open_file.ts";

/** Where a file will be. */
export class WholeFile {
  readonly #path: string;
  readonly #replaces: boolean;

  /**
   * Finds out whether a file can be written there.
   *
   * @param replaces Whether one that is there may be replaced; a link is replaced itself.
   * @throws {Error} Its message is the reason alone.
   */
  constructor(path: string, replaces: boolean) {
    this.#path = path;
    this.#replaces = replaces;
    this.#assertFree();
    const { fd, target } = this.#openUnfinished();
    closeDescriptor(fd);
    Deno.removeSync(target);
  }

  /**
   * Writes it.
   *
   * @throws {Error} Its message is the reason alone; nothing of it is left then.
   */
  write(text: string): void {
    const { fd, target } = this.#openUnfinished();
    try {
      try {
        writeAll(fd, new TextEncoder().encode(text));
      } finally {
        closeDescriptor(fd);
      }
      this.#assertFree();
      Deno.renameSync(target, target.slice(0, -UNFINISHED.length - this.#mark.length));
    } catch (error) {
      Deno.removeSync(target);
      throw error;
    }
  }

  /** Nobody else guesses it. */
  readonly #mark = crypto.randomUUID();

  #openUnfinished(): { fd: number; target: string } {
    const { fd, target } = openForWriting(this.#path + UNFINISHED + this.#mark);
    return { fd: fd!, target };
  }

  #assertFree(): void {
    const status = statusOf(this.#path);
    if (status?.isDirectory) throw new Error("it is a folder");
    if (status !== undefined && !this.#replaces) throw new Error(IS_THERE);
  }
}

/** What the name of a file has at its end before it is whole. */
const UNFINISHED = ".unfinished-";
/** Why a file is not written that may not be replaced. */
export const IS_THERE = "it exists already";

function writeAll(fd: number, bytes: Uint8Array<ArrayBuffer>): void {
  for (let at = 0; at < bytes.length;) at += writeNow(fd, bytes.subarray(at));
}

function statusOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch {
    return undefined;
  }
}
