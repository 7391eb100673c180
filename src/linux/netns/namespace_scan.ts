/**
 * Which network namespaces there are: those that a process lives in, and those that are mounted.
 *
 * @module
 */

import {
  joinNames,
  nameOf,
  nameText,
  readFolder,
  statusOf as statusOfName,
  type SystemName,
} from "../system_names.ts";

/** Where `ip netns` mounts the namespaces that it names. */
const NAMED = nameOf("/run/netns");
const MOUNTS = "/proc/self/mountinfo";

/** A network namespace as it was found. */
export interface FoundNamespace {
  inode: number;
  /** A file of it, which `NetworkNamespace.open` takes. */
  path: string | SystemName;
  /** What it is called by `ip netns`; untrusted text, undefined where it has no such name. */
  name: string | undefined;
  /** A process that lives in it, undefined where it was found by its name. */
  pid: number | undefined;
}

/**
 * Finds every namespace, by its inode number; a named one by its name. What is gone by then, and what
 * this process may not see, is left out.
 *
 * Takes 8 to 13 µs a process.
 */
export function scanNamespaces(): Map<number, FoundNamespace> {
  const found = new Map<number, FoundNamespace>();
  for (const entry of readDir("/proc")) {
    const pid = Number(entry);
    // Other entries are words.
    if (!(pid > 0)) continue;
    const path = `/proc/${entry}/ns/net`;
    const inode = /^net:\[(\d+)\]$/.exec(readLink(path))?.[1];
    if (inode === undefined || found.has(Number(inode))) continue;
    found.set(Number(inode), { inode: Number(inode), path, name: undefined, pid });
  }
  for (const [inode, named] of scanNamedNamespaces()) found.set(inode, named);
  return found;
}

/** Finds the namespaces that `ip netns` names, by their inode numbers. */
export function scanNamedNamespaces(): Map<number, FoundNamespace> {
  const found = new Map<number, FoundNamespace>();
  const device = statusOf("/proc/self/ns/net")?.dev;
  for (const { name } of readFolder(NAMED) ?? []) {
    const path = joinNames(NAMED, name);
    const status = statusOfName(path);
    // Before a namespace is mounted on it, and after, the file is one of the folder's file system.
    if (status === undefined || status.dev !== device || status.ino === null) continue;
    found.set(status.ino, { inode: status.ino, path, name: nameText(name), pid: undefined });
  }
  return found;
}

/** The inode number of the namespace of a process or thread, undefined where there is none. */
export function namespaceOfProcess(pid: number): number | undefined {
  return statusOf(`/proc/${pid}/ns/net`)?.ino ?? undefined;
}

/** Whether a namespace is mounted anywhere, as container runtimes do in folders of their own. */
export function isMounted(inode: number): boolean {
  try {
    return Deno.readTextFileSync(MOUNTS).includes(` net:[${inode}] `);
  } catch {
    return false;
  }
}

function readDir(path: string): string[] {
  try {
    return Array.from(Deno.readDirSync(path), (entry) => entry.name);
  } catch {
    return [];
  }
}

function readLink(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "";
  }
}

function statusOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}
