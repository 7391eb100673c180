/**
 * Files that must stay what they are while they are asked: another process may put others in their place.
 *
 * @module
 */
import { SqlError } from "./duckdb.ts";

/** What files were when their contents were first looked at. */
export class NotedFiles {
  readonly #stamps = new Map<string, string | undefined>();

  /** Notes what a file is, before anything is read of it. */
  note(path: string): void {
    this.#stamps.set(path, stampOf(path));
  }

  /**
   * Asserts that what was read was of these files alone.
   *
   * @param paths Of files that were noted. One that is gone now was there when it was read.
   * @throws {SqlError} Another one has taken its place.
   */
  assertSame(paths: readonly string[]): void {
    const isAnother = (path: string) =>
      ![undefined, this.#stamps.get(path)].includes(stampOf(path));
    if (!paths.some(isAnother)) return;
    throw new SqlError("the files of the store were made again meanwhile: ask once more");
  }
}

/** Tells two files at one path apart. @returns Undefined of none. */
function stampOf(path: string): string | undefined {
  try {
    const { ino, mtime } = Deno.statSync(path);
    return `${ino} ${mtime?.getTime()}`;
  } catch {
    return undefined;
  }
}
