/**
 * Files below a prefix, and the list of them by which they are removed again: `sha256sum -c` reads it, too.
 *
 * @module
 */
import { messageOf } from "../text/message.ts";

/** A file to install. */
export interface InstalledFile {
  /** Below the prefix. */
  path: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Whether it is a program. */
  executable?: boolean;
}

/** Where the list is, below the prefix. */
export const LIST = "lib/synsnoop/installed";

/** What the name of a file ends in while it is written. */
const UNFINISHED = ".synsnoop-new";
const FILE_LINE = /^([0-9a-f]{64}) {2}(.+)$/;
const FOLDER_LINE = /^# folder (.+)$/;

/** What an installation consists of. */
interface List {
  /** The hashes that each file may have: while another version is installed, either. */
  files: Map<string, Set<string>>;
  /** The folders that it made, each before those in it. */
  folders: Set<string>;
}

/**
 * Installs files. Those of an installation before are replaced, and removed where they are no longer part
 * of it.
 *
 * @param prefix The folder that they are below, absolute.
 * @returns The files that were not as they had been installed, and were replaced or left.
 * @throws {Error} Where a file is in the way that no installation brought, or nothing can be written.
 */
export async function place(prefix: string, files: readonly InstalledFile[]): Promise<Outcome> {
  const before = await readList(prefix) ?? { files: new Map(), folders: new Set() };
  const inTheWay = files.find(({ path }) => !before.files.has(path) && stat(prefix, path));
  if (inTheWay !== undefined) {
    throw new Error(
      `"${prefix}/${inTheWay.path}" is there and was not installed by this tool; move it away`,
    );
  }
  const hashes = new Map<string, Set<string>>();
  for (const { path, bytes } of files) hashes.set(path, new Set([await hashOf(bytes)]));
  const replaced: string[] = [];
  for (const { path } of files) {
    if (!stat(prefix, path)) continue;
    const hash = await hashOfFile(prefix, path) ?? "";
    if (!before.files.get(path)?.has(hash)) replaced.push(path);
  }
  const folders = new Set(before.folders);
  // What fails half-way can be removed by the list.
  const both = new Map(before.files);
  for (const [path, own] of hashes) both.set(path, own.union(both.get(path) ?? new Set()));
  await makeFolders(prefix, LIST, folders);
  await writeList(prefix, { files: both, folders });
  for (const file of files) {
    if (await makeFolders(prefix, file.path, folders)) {
      await writeList(prefix, { files: both, folders });
    }
    await write(prefix, file);
  }
  const dropped = new Map([...before.files].filter(([path]) => !hashes.has(path)));
  const left = await removeFiles(prefix, dropped);
  await writeList(prefix, { files: hashes, folders });
  return { replaced, left };
}

/** What became of files that had been changed since they were installed. */
export interface Outcome {
  replaced: string[];
  left: string[];
}

/**
 * Removes what an installation brought: its files, unless they were changed, and the folders that it
 * made, unless something else is in them.
 *
 * @param prefix The folder that they are below, absolute.
 * @returns How many files were removed, and what was left.
 * @throws {Error} Where there is no installation, or nothing may be removed.
 */
export async function remove(prefix: string): Promise<{ removed: number; left: string[] }> {
  const list = await readList(prefix);
  if (list === undefined) throw new Error(`there is no "${prefix}/${LIST}"`);
  const left = await removeFiles(prefix, list.files);
  await Deno.remove(`${prefix}/${LIST}`);
  for (const folder of [...list.folders].reverse()) {
    try {
      await Deno.remove(folderPath(prefix, folder));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) left.push(folder);
    }
  }
  return { removed: list.files.size - left.filter((path) => list.files.has(path)).length, left };
}

/** Removes files that are as they were installed. @returns The others. */
async function removeFiles(prefix: string, files: List["files"]): Promise<string[]> {
  const left: string[] = [];
  for (const [path, hashes] of files) {
    const hash = await hashOfFile(prefix, path);
    if (stat(prefix, path + UNFINISHED)?.isFile) {
      await Deno.remove(`${prefix}/${path}${UNFINISHED}`);
    }
    if (hash !== undefined && hashes.has(hash)) await Deno.remove(`${prefix}/${path}`);
    else if (stat(prefix, path)) left.push(path);
  }
  return left;
}

/** Writes a file beside its name first: a runtime that runs cannot be overwritten, but replaced. */
async function write(prefix: string, { path, bytes, executable }: InstalledFile): Promise<void> {
  const unfinished = `${prefix}/${path}${UNFINISHED}`;
  await Deno.remove(unfinished).catch(() => {
    // There is none, or it cannot be written either.
  });
  await Deno.writeFile(unfinished, bytes, { createNew: true });
  // Whatever the umask: it is there for all users.
  await Deno.chmod(unfinished, executable ? 0o755 : 0o644);
  await Deno.rename(unfinished, `${prefix}/${path}`);
}

/** Makes the folders of a file that are not there. @returns Whether any was made. */
async function makeFolders(prefix: string, path: string, made: Set<string>): Promise<boolean> {
  const names = path.split("/").slice(0, -1);
  let anyMade = false;
  for (let depth = 0; depth <= names.length; depth++) {
    const folder = names.slice(0, depth).join("/") || ".";
    const place = folderPath(prefix, folder);
    if (exists(place)) continue;
    await Deno.mkdir(place);
    await Deno.chmod(place, 0o755);
    made.add(folder);
    anyMade = true;
  }
  return anyMade;
}

/** Where a folder of the list is; "." is the prefix itself. */
function folderPath(prefix: string, folder: string): string {
  return folder === "." ? prefix : `${prefix}/${folder}`;
}

async function readList(prefix: string): Promise<List | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(`${prefix}/${LIST}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const list: List = { files: new Map(), folders: new Set() };
  for (const line of text.split("\n")) {
    const [, hash, path] = FILE_LINE.exec(line) ?? [];
    const [, folder] = FOLDER_LINE.exec(line) ?? [];
    // Whatever the list says, nothing outside the prefix is touched.
    if ((path ?? folder ?? "").split("/").includes("..")) {
      throw new Error(`"${prefix}/${LIST}" names a file outside of ${prefix}`);
    }
    if (path !== undefined) list.files.set(path, new Set(list.files.get(path)).add(hash));
    if (folder !== undefined) list.folders.add(folder);
  }
  return list;
}

async function writeList(prefix: string, { files, folders }: List): Promise<void> {
  const lines = [
    "# What deno task install brought, below the prefix.",
    ...[...folders].map((folder) => `# folder ${folder}`),
    ...[...files].flatMap(([path, hashes]) => [...hashes].map((hash) => `${hash}  ${path}`)),
  ];
  await write(prefix, { path: LIST, bytes: new TextEncoder().encode(lines.join("\n") + "\n") });
}

async function hashOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** The hash of a regular file; undefined where there is none or it cannot be read. */
async function hashOfFile(prefix: string, path: string): Promise<string | undefined> {
  if (!stat(prefix, path)?.isFile) return undefined;
  return await hashOf(await Deno.readFile(`${prefix}/${path}`));
}

/** What has this name, be it a link. */
function stat(prefix: string, path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(`${prefix}/${path}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new Error(messageOf(error));
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
