/**
 * A small file that others read whole, again and again: it is there in one piece at every moment.
 *
 * @module
 */

import { closeSync, fchmodSync, openSync, writeFileSync } from "node:fs";

/** Everyone may read it, as node_exporter does, which runs as a user of its own. */
const MODE = 0o644;

/**
 * Replaces a file: what is at the path now is never half of a text, not for a reader that opened it
 * before either. A link is replaced, not followed.
 *
 * @throws {Error} Of the system, where the folder cannot be written.
 */
export function replaceFile(path: string, text: string): void {
  // A name of which node_exporter takes no notice. Nobody else writes it: where something is there, another
  // process was killed in the midst, or means no good.
  const unfinished = `${path}.${Deno.pid}.new`;
  try {
    Deno.removeSync(unfinished);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  try {
    createFile(unfinished, text);
    Deno.renameSync(unfinished, path);
  } catch (error) {
    try {
      Deno.removeSync(unfinished);
    } catch {
      // It could not even be made.
    }
    throw error;
  }
}

/**
 * Makes a new file that all may read, whatever the umask of this process, which is not changed: it may set none
 * without all of Deno's permissions. The descriptor's mode is set, for the name may be another file's by then in a
 * folder that others may write.
 */
function createFile(path: string, text: string): void {
  const descriptor = openSync(path, "wx", MODE);
  try {
    fchmodSync(descriptor, MODE);
    writeFileSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}
