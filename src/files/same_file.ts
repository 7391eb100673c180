/** The file that a path leads to now; undefined where there is none or it cannot be looked at. */
export function fileAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}

/** Whether two looks were at one file. */
export function isOneFile(one: Deno.FileInfo, other: Deno.FileInfo): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

/** Whether two paths lead to one file: not a device, which any number may write. */
export function isSameFile(path: string, other: string): boolean {
  const [here, there] = [fileAt(path), fileAt(other)];
  return here !== undefined && there !== undefined && !here.isCharDevice && isOneFile(here, there);
}
