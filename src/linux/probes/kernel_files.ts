/**
 * Reads files of tracefs and securityfs, which minimal systems do not mount: then in a mount of its
 * own, which nobody else sees.
 *
 * @module
 */
import { findExecutable, isRoot } from "../host.ts";

/** How a file begins; `refused` where it is there and cannot be read. */
export type FileHead = { text: string } | "refused" | "absent";

/** What was found. */
export interface KernelFiles {
  /** Whether a tracefs is mounted where bpftrace looks, or a private mount of it succeeds. */
  tracefs: "mounted" | "private" | "absent";
  /** Whether a securityfs is mounted, or a private mount of it succeeds. */
  securityfs: boolean;
  /** The files asked for, by the path asked for. */
  heads: ReadonlyMap<string, FileHead>;
}

/** Where tracefs belongs. */
export const TRACEFS = "/sys/kernel/tracing";
const OLD_TRACEFS = "/sys/kernel/debug/tracing";
const SECURITYFS = "/sys/kernel/security";
/** Files that are in every such file system. */
const TRACEFS_MARK = "events";
const SECURITYFS_MARK = "lsm";
/** The format of skb:kfree_skb is the longest, six thousand. */
const HEAD_BYTES = 32_768;
/** What no file here holds: a path stands before the first, a head after it, an end after the second. */
const [PATH_MARK, HEAD_MARK] = ["\x01", "\x02"];

/** Where a tracefs is mounted among the places where bpftrace looks for it. */
export function mountedTracefs(): string | undefined {
  return [TRACEFS, OLD_TRACEFS].find((folder) => exists(`${folder}/${TRACEFS_MARK}`));
}

/** Whether there is such a file, as far as this process may know. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Reads how some files begin. Starts a process where one of the file systems is not mounted.
 *
 * @param inTracefs Paths inside tracefs.
 * @param inSecurityfs Paths inside securityfs.
 */
export async function readKernelFiles(
  inTracefs: readonly string[],
  inSecurityfs: readonly string[],
): Promise<KernelFiles> {
  const mounted = mountedTracefs();
  const mounts: string[] = [];
  if (mounted === undefined) mounts.push(`mount -t tracefs tracefs ${TRACEFS}`);
  if (!exists(`${SECURITYFS}/${SECURITYFS_MARK}`)) {
    mounts.push(`mount -t securityfs securityfs ${SECURITYFS}`);
  }
  const folder = mounted ?? TRACEFS;
  const paths = [
    ...[TRACEFS_MARK, ...inTracefs].map((path) => `${folder}/${path}`),
    ...[SECURITYFS_MARK, ...inSecurityfs].map((path) => `${SECURITYFS}/${path}`),
  ];
  const unshare = isRoot() ? findExecutable("unshare") : undefined;
  let found: FileHead[] = [];
  if (mounts.length > 0 && unshare !== undefined) found = await readMounted(unshare, mounts, paths);
  // What is mounted can be read where nothing may be mounted (without CAP_SYS_ADMIN).
  if (found.length < paths.length) found = await Promise.all(paths.map(readHead));
  const heads = new Map<string, FileHead>();
  for (const [index, path] of [TRACEFS_MARK, ...inTracefs].entries()) {
    heads.set(path, found[index] ?? "absent");
  }
  const securityAt = inTracefs.length + 1;
  for (const [index, path] of inSecurityfs.entries()) {
    heads.set(path, found[securityAt + 1 + index] ?? "absent");
  }
  // A folder cannot be read as a file: "refused" says that it is there.
  const privately = heads.get(TRACEFS_MARK) === "absent" ? "absent" : "private";
  return {
    tracefs: mounted === undefined ? privately : "mounted",
    securityfs: (found[securityAt] ?? "absent") !== "absent",
    heads,
  };
}

async function readHead(path: string): Promise<FileHead> {
  try {
    using file = await Deno.open(path);
    const bytes = new Uint8Array(HEAD_BYTES);
    let length = 0;
    while (length < bytes.length) {
      const count = await file.read(bytes.subarray(length));
      if (count === null) break;
      length += count;
    }
    return { text: new TextDecoder().decode(bytes.subarray(0, length)) };
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "absent" : "refused";
  }
}

/** Reads the files in a mount namespace of its own. @returns One for each path, in their order. */
async function readMounted(
  unshare: string,
  mounts: readonly string[],
  paths: readonly string[],
): Promise<FileHead[]> {
  const script = [
    ...mounts,
    "for path do",
    `printf '\\001'; head -c ${HEAD_BYTES} "$path" && printf '\\002read' ||`,
    `{ [ -e "$path" ] && printf '\\002refused' || printf '\\002absent'; }`,
    "done",
  ].join("\n");
  const { stdout } = await new Deno.Command(unshare, {
    args: ["--mount", "/bin/sh", "-c", script, "sh", ...paths],
    stdin: "null",
    stderr: "null",
  }).output();
  const heads = new TextDecoder().decode(stdout).split(PATH_MARK).slice(1);
  return heads.map((head) => {
    const [text, end] = head.split(HEAD_MARK);
    return end === "read" ? { text } : end === "refused" ? "refused" : "absent";
  });
}
