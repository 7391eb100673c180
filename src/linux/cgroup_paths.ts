/**
 * Paths of cgroups (version 2) by their ids, which is how the kernel tells of them.
 *
 * @module
 */
import { exists } from "./probes/kernel_files.ts";
import { cString, libc, memory } from "./libc.ts";
import {
  joinNames,
  nameOf,
  nameText,
  readFolder,
  readLink,
  type SystemName,
} from "./system_names.ts";

/** `struct file_handle` (open_by_handle_at(2)) that holds the id of a kernfs node, of 8 bytes. */
const HANDLE_SIZE = 16;
const HANDLE_BYTES = 0;
const HANDLE_TYPE = 4;
const HANDLE_ID = 8;
const ID_BYTES = 8;
/** FILEID_KERNFS (linux/exportfs.h), from Linux 5.5. */
const FILEID_KERNFS = 0xfe;
// asm-generic/fcntl.h; the same on x86_64 and aarch64.
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;

const MOUNTS = "/proc/self/mountinfo";
const IN_EVERY_FOLDER = "cgroup.controllers";
/** Ids kept; beyond that the oldest are forgotten. */
const CACHED_PATHS = 4_096;
/** How soon all folders may be read again: 1,000 take some ten milliseconds. */
const WALK_EVERY_MS = 10_000;
/** So ends the path of a file that was removed while it was looked up. */
const REMOVED = " (deleted)";

/** A mount of the cgroup hierarchy: where, and what of the hierarchy is there. */
export interface CgroupMount {
  /** Path of the mount point. */
  point: string;
  /** Path of the cgroup at the mount point; `/` outside of a cgroup namespace. */
  root: string;
}

/**
 * Resolves ids of cgroups, each by two system calls, and keeps what it found: a container's cgroup is
 * gone soon after its last process. Where the calls are refused (without CAP_DAC_READ_SEARCH, before
 * Linux 5.5), it reads all folders now and then, for an id is the inode number of its folder.
 */
export class CgroupPaths implements Disposable {
  readonly #mount: CgroupMount | undefined;
  readonly #descriptor: number;
  readonly #paths = new Map<number, string | undefined>();
  readonly #handle = memory(HANDLE_SIZE);
  readonly #handleView = new DataView(this.#handle.buffer);
  readonly #hasHandles: boolean;
  #walkedMs = -Infinity;

  /** Opens the mount of the hierarchy; where there is none, no id has a path. */
  constructor() {
    this.#mount = findCgroups();
    this.#descriptor = this.#mount === undefined
      ? -1
      : libc().open(cString(this.#mount.point), O_CLOEXEC);
    this.#handleView.setUint32(HANDLE_BYTES, ID_BYTES, true);
    this.#handleView.setInt32(HANDLE_TYPE, FILEID_KERNFS, true);
    const point = this.#mount?.point;
    this.#hasHandles = point !== undefined && this.#open(inodeOf(point)) !== undefined;
  }

  /**
   * The path of a cgroup in the hierarchy, such as `/system.slice/ssh.service`: untrusted text, in
   * which U+FFFD stands for what is no UTF-8.
   *
   * @param id Its id, as `bpf_get_current_cgroup_id` gives it.
   * @returns Undefined where it is gone, or no hierarchy is mounted.
   */
  of(id: number): string | undefined {
    if (this.#paths.has(id) || this.#mount === undefined) return this.#paths.get(id);
    if (this.#hasHandles) {
      const folder = this.#open(id);
      this.#keep(id, folder && pathInHierarchy(folder, this.#mount));
    } else if (performance.now() - this.#walkedMs > WALK_EVERY_MS) {
      this.#keep(inodeOf(this.#mount.point), pathInHierarchy(this.#mount.point, this.#mount));
      this.#walk(nameOf(this.#mount.point), this.#mount);
      this.#walkedMs = performance.now();
    }
    return this.#paths.get(id);
  }

  #keep(id: number, path: string | undefined): void {
    if (this.#paths.size >= CACHED_PATHS) this.#paths.delete(this.#paths.keys().next().value!);
    this.#paths.set(id, path);
  }

  #walk(folder: SystemName, mount: CgroupMount): void {
    // Undefined where it is gone, or not for this process.
    for (const { name, inode, isFolder } of readFolder(folder) ?? []) {
      if (!isFolder) continue;
      const path = joinNames(folder, name);
      this.#keep(inode, pathInHierarchy(nameText(path), mount));
      this.#walk(path, mount);
    }
  }

  /** @returns The path of the folder of an id. */
  #open(id: number): string | undefined {
    this.#handleView.setBigUint64(HANDLE_ID, BigInt(id), true);
    const found = libc().open_by_handle_at(this.#descriptor, this.#handle, O_PATH | O_CLOEXEC);
    if (found < 0) return undefined;
    try {
      const path = readLink(`/proc/self/fd/${found}`);
      return path && nameText(path);
    } finally {
      libc().close(found);
    }
  }

  /** Lets go of the hierarchy. */
  [Symbol.dispose](): void {
    if (this.#descriptor >= 0) libc().close(this.#descriptor);
  }
}

/** Finds where the cgroup v2 hierarchy is; undefined where none is mounted. */
export function findCgroups(): CgroupMount | undefined {
  const mount = findCgroupMount(readText(MOUNTS));
  // Something else may be mounted over it.
  return mount && exists(`${mount.point}/${IN_EVERY_FOLDER}`) ? mount : undefined;
}

/** The path of the cgroup v2 that a process is in (cgroups(7)); undefined where it is gone or hidden. */
export function cgroupOf(pid: number | "self"): string | undefined {
  return /^0::(.*)$/m.exec(readText(`/proc/${pid}/cgroup`))?.[1];
}

/**
 * Finds the mount of the cgroup v2 hierarchy that shows most of it.
 *
 * @param mounts The text of /proc/self/mountinfo (proc_pid_mountinfo(5)).
 */
export function findCgroupMount(mounts: string): CgroupMount | undefined {
  let best: CgroupMount | undefined;
  for (const line of mounts.split("\n")) {
    const [mount, described] = line.split(" - ");
    if (!described?.startsWith("cgroup2 ")) continue;
    const [, , , root, point] = mount.split(" ").map(unescape);
    // Mounted from outside of this cgroup namespace: where that is, is not to be seen.
    if (root.includes("..")) continue;
    if (best === undefined || root.length < best.root.length) best = { point, root };
  }
  return best;
}

/**
 * Turns the path of a cgroup's folder into its path in the hierarchy.
 *
 * @returns Undefined where the folder is gone or not below the mount.
 */
export function pathInHierarchy(folder: string, { point, root }: CgroupMount): string | undefined {
  if (folder.endsWith(REMOVED)) return undefined;
  if (folder !== point && !folder.startsWith(`${point}/`)) return undefined;
  const path = (root === "/" ? "" : root) + folder.slice(point.length);
  return path === "" ? "/" : path;
}

/** Blanks and backslashes are written as three octal digits there. */
function unescape(text: string): string {
  return text.replace(
    /\\([0-7]{3})/g,
    (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function inodeOf(path: string): number {
  return Deno.statSync(path).ino ?? 0;
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
