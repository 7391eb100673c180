/**
 * A small file that others read whole, again and again: it is there in one piece at every moment.
 *
 * @module
 */

/** Everyone may read it. */
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
    Deno.writeTextFileSync(unfinished, text, { createNew: true });
    // Whatever the umask.
    Deno.chmodSync(unfinished, MODE);
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
