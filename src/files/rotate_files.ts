/**
 * Makes room for a new file: FILE becomes FILE.1, FILE.1 becomes FILE.2, and the last is removed.
 *
 * @param path FILE. @param keep Old files kept, at least one.
 * @returns The number up to which files were moved, and whether there was one, which is gone now.
 * @throws {Error} A `Deno.errors` class; a later call goes on where this one ended.
 */
export function rotateFiles(path: string, keep: number): { last: number; removed: boolean } {
  // Only up to the first gap, where an attempt before this one may have ended.
  let last = 1;
  while (last < keep && isThere(`${path}.${last}`)) last++;
  const removed = last === keep && isThere(`${path}.${keep}`);
  for (let number = last - 1; number >= 1; number--) {
    Deno.renameSync(`${path}.${number}`, `${path}.${number + 1}`);
  }
  Deno.renameSync(path, `${path}.1`);
  return { last, removed };
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
