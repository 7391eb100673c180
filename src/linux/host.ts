/**
 * This host and who we are on it: its name, whether we are root, which programs it has.
 *
 * @module
 */
import { environmentVariable } from "./environment.ts";

/** The host's name, as the records carry it. */
export function hostName(): string {
  return Deno.hostname();
}

/** Whether this process runs as root. */
export function isRoot(): boolean {
  return Deno.uid() === 0;
}

/** Where programs for root are, which a user's PATH often leaves out. */
const ROOT_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
/** Any of the three bits of `st_mode` that let someone run a file (inode(7)). */
const S_IXUGO = 0o111;

/**
 * Finds a program in the folders of PATH and in those for root.
 *
 * @param name Its file name. @param forRoot Whether to look into those for root, too.
 * @returns Its path, or undefined where there is none.
 */
export function findExecutable(name: string, forRoot = true): string | undefined {
  const folders = (environmentVariable("PATH") ?? "").split(":").filter((folder) => folder !== "");
  for (const folder of [...folders, ...forRoot ? ROOT_FOLDERS : []]) {
    const path = `${folder}/${name}`;
    const { isFile, mode } = stat(path) ?? {};
    if (isFile && mode && (mode & S_IXUGO) !== 0) return path;
  }
  return undefined;
}

/** Whether there is such a file that we can look at. */
export function isFileThere(path: string): boolean {
  return stat(path) !== undefined;
}

function stat(path: string): Deno.FileInfo | undefined {
  // Unreadable and absent are the same here: it cannot be used.
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}
