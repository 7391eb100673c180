/**
 * Files that must stay what they are while they are asked: another process may put others in their place.
 *
 * @module
 */
import { SqlError } from "./duckdb.ts";

const CHANGED = "files of the store were removed or made again meanwhile: ask once more";

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
    if (paths.some(isAnother)) throw new SqlError(CHANGED);
  }

  /** @throws {SqlError} Of the files that were noted one is gone. */
  assertThere(): void {
    const isGone = ([path, stamp]: [string, string | undefined]) =>
      stamp !== undefined && stampOf(path) === undefined;
    if ([...this.#stamps].some(isGone)) throw new SqlError(CHANGED);
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
