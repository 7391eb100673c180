/**
 * A small file that others read whole, again and again: it is there in one piece at every moment.
 *
 * @module
 */

/** Everyone may read it. */
const UMASK = 0o022;

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
 * Makes a new file that all may read, whatever the umask of this process where Deno may set it. Its mode is not changed
 * afterwards: in a folder that others may write, another file could have its name by then.
 */
function createFile(path: string, text: string): void {
  const before = setUmask(UMASK);
  try {
    Deno.writeTextFileSync(path, text, { createNew: true });
  } finally {
    if (before !== undefined) setUmask(before);
  }
}

function setUmask(umask: number): number | undefined {
  try {
    return Deno.umask(umask);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}
