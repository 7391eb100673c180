/**
 * Folders of the user's cache with what the tests fetch. To have newer ones, delete them.
 *
 * @module
 */

/**
 * A folder of the user's cache, filled where it is not there yet: in another folder that is renamed
 * then, so that a folder of the right name is complete.
 *
 * @param name The folder's name.
 * @param fill Fetches what belongs there into a folder that it is given.
 * @returns Its path.
 */
export async function cached(
  name: string,
  fill: (partial: string) => Promise<void>,
): Promise<string> {
  const cache = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") ?? "/var"}/.cache`;
  const folder = `${cache}/synsnoop/vm/${name}`;
  if (await exists(folder)) return folder;
  const partial = `${folder}.partial-${Deno.pid}`;
  try {
    await Deno.mkdir(partial, { recursive: true });
    await fill(partial);
    await Deno.rename(partial, folder);
  } catch (error) {
    // Another process that fetched the same was first.
    if (!await exists(folder)) throw error;
  } finally {
    if (await exists(partial)) await Deno.remove(partial, { recursive: true });
  }
  return folder;
}

/** Whether there is such a file or folder. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
