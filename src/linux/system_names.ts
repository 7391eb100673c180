/**
 * Folders and links with names as the kernel has them: bytes, which need not be UTF-8. Whoever may make
 * a file, a cgroup or a namespace chooses them; Deno throws for such a link, and lists such a name with
 * other bytes, by which nothing is found.
 *
 * @module
 */
import { cString, getdents64, libc, memory } from "./libc.ts";

/** A name or path without its terminating zero. */
export type SystemName = Uint8Array<ArrayBuffer>;

/** What stands in a folder. */
export interface FolderEntry {
  name: SystemName;
  inode: number;
  /** Whether it is a folder, as far as the file system tells. */
  isFolder: boolean;
}

// asm-generic/fcntl.h; O_DIRECTORY is another bit on aarch64 (asm/fcntl.h).
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const O_DIRECTORY = Deno.build.arch === "aarch64" ? 0o40000 : 0o200000;
/** PATH_MAX (linux/limits.h). */
const PATH_MAX = 4_096;
/** Relative to the working directory (linux/fcntl.h). */
const AT_FDCWD = -100;
/** Bytes of entries that are read at once. */
const ENTRIES_LENGTH = 32 * 1024;
/** `struct linux_dirent64` (getdents64(2)). */
const ENTRY_INODE = 0;
const ENTRY_LENGTH = 16;
const ENTRY_TYPE = 18;
const ENTRY_NAME = 19;
/** `d_type` of a folder (dirent.h). */
const DT_DIR = 4;
const SLASH = "/".charCodeAt(0);

// A name may begin with the bytes of a byte order mark, which decoding would leave out.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Decodes a name: what is no UTF-8 becomes U+FFFD. Untrusted text. */
export function nameText(name: Uint8Array): string {
  return decoder.decode(name);
}

/** Encodes a text that is a name. */
export function nameOf(text: string): SystemName {
  return encoder.encode(text);
}

/** The path of an entry of a folder. */
export function joinNames(folder: SystemName, name: SystemName): SystemName {
  const path = new Uint8Array(folder.length + 1 + name.length);
  path.set(folder);
  path[folder.length] = SLASH;
  path.set(name, folder.length + 1);
  return path;
}

/**
 * Reads a folder, without `.` and `..`. Entries that come or go meanwhile may be in it or not.
 *
 * @returns Undefined where it is not there or not for this process.
 */
export function readFolder(path: SystemName): FolderEntry[] | undefined {
  const descriptor = libc().open(cString(path), O_CLOEXEC | O_DIRECTORY);
  if (descriptor < 0) return undefined;
  try {
    const entries: FolderEntry[] = [];
    const bytes = memory(ENTRIES_LENGTH);
    const view = new DataView(bytes.buffer);
    for (;;) {
      const length = getdents64(descriptor, bytes);
      if (length <= 0) return length < 0 ? undefined : entries;
      for (let at = 0; at < length; at += view.getUint16(at + ENTRY_LENGTH, true)) {
        const name = bytes.slice(at + ENTRY_NAME, bytes.indexOf(0, at + ENTRY_NAME));
        if (isDots(name)) continue;
        entries.push({
          name,
          inode: Number(view.getBigUint64(at + ENTRY_INODE, true)),
          isFolder: bytes[at + ENTRY_TYPE] === DT_DIR,
        });
      }
    }
  } finally {
    libc().close(descriptor);
  }
}

/** Where a symbolic link leads, undefined where there is none or its target is too long. */
export function readLink(path: string): SystemName | undefined {
  const target = memory(PATH_MAX);
  const size = BigInt(target.length);
  const length = Number(libc().readlinkat(AT_FDCWD, cString(path), target, size));
  return length < 0 || length === target.length ? undefined : target.slice(0, length);
}

/** The device and inode number of what a path leads to, undefined where there is nothing. */
export function statusOf(path: SystemName): { dev: number; ino: number | null } | undefined {
  const descriptor = libc().open(cString(path), O_PATH | O_CLOEXEC);
  if (descriptor < 0) return undefined;
  try {
    return Deno.statSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return undefined;
  } finally {
    libc().close(descriptor);
  }
}

function isDots([first, second, ...more]: Uint8Array): boolean {
  const dot = ".".charCodeAt(0);
  return first === dot && (second === undefined || second === dot) && more.length === 0;
}
