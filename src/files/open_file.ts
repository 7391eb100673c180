/**
 * Opens what a flag names as a place to write to, so that nobody else can decide where root writes.
 *
 * @module
 */
import { closeDescriptor, DescriptorError, Errno, openDescriptor, OpenFlag } from "./descriptor.ts";

/** A place to write to. */
export interface OpenedFile {
  /** As it was given. */
  path: string;
  /** Where the path leads to, without symbolic links. */
  target: string;
  /**
   * A regular file; a FIFO, whose readers come and go; a pipe without a name, which is done when its
   * reader goes; a device.
   */
  kind: "file" | "fifo" | "pipe" | "device";
  /** The descriptor, which does not wait; undefined: a FIFO that nobody reads yet. */
  fd: number | undefined;
}

/** A file of one's own is readable by its owner and group: records tell who talks to whom. */
const NEW_FILE_MODE = 0o640;
/** Others may come between a look and an opening; not again and again. */
const ATTEMPTS = 3;
const LINKS_MAX = 40;
const OTHERS_MAY_WRITE = 0o022;

/**
 * Opens a path for appending, and makes a file where there is none. Never waits.
 *
 * Run as root, it refuses what others could have put there: a symbolic link in a folder that others
 * may write, and in such a folder a file of others or with a second name.
 *
 * @param like A file whose owner and permissions a new one takes; undefined: one's own, 0640 less the
 * umask.
 * @throws {Error} Its message is the reason alone.
 */
export function openForWriting(path: string, like?: Deno.FileInfo): OpenedFile {
  for (let attempt = 1;; attempt++) {
    const opened = tryOpen(path, like);
    if (opened) return opened;
    if (attempt === ATTEMPTS) throw new Error("it is changed by others while it is opened");
  }
}

/** @returns Undefined where something was changed between the look at it and the opening. */
function tryOpen(path: string, like: Deno.FileInfo | undefined): OpenedFile | undefined {
  if (path === "") throw new DescriptorError(Errno.ENOENT);
  const { target, folder, isMagic } = resolve(path);
  const status = statOrUndefined(target, isMagic);
  if (path.endsWith("/") || status?.isDirectory) throw new DescriptorError(Errno.EISDIR);
  if (status?.isSocket) throw new Error("it is a socket, which takes connections only");
  if (status?.isBlockDevice) throw new Error("it is a disk, whose content would be overwritten");
  if (status && folder && !isMagic) assertOwn(status, folder);
  const follow = isMagic ? 0 : OpenFlag.NOFOLLOW;
  let fd: number | undefined;
  try {
    fd = status === undefined
      ? openDescriptor(
        target,
        OpenFlag.APPEND | OpenFlag.CREAT | OpenFlag.EXCL | follow,
        NEW_FILE_MODE,
      )
      : openDescriptor(target, OpenFlag.APPEND | follow);
  } catch (error) {
    if (!(error instanceof DescriptorError)) throw error;
    if (status === undefined && error.errno === Errno.EEXIST) return undefined;
    if (status?.isFifo && error.errno === Errno.ENXIO) {
      return { path, target, kind: "fifo", fd: undefined };
    }
    throw error;
  }
  const descriptor = `/proc/self/fd/${fd}`;
  const opened = Deno.statSync(descriptor);
  const isOther = status && (status.dev !== opened.dev || status.ino !== opened.ino);
  // A folder on the way may have been replaced by a link as well.
  if (isOther || folder && Deno.readLinkSync(descriptor) !== target) {
    closeDescriptor(fd);
    return undefined;
  }
  if (status === undefined && like) takeAfter(descriptor, like);
  const kind = opened.isFile
    ? "file"
    : !opened.isFifo
    ? "device"
    : Deno.readLinkSync(descriptor).startsWith("pipe:")
    ? "pipe"
    : "fifo";
  return { path, target, kind, fd };
}

interface Target {
  target: string;
  /** The folder that it is in, where others may not be trusted; undefined: this process is not root. */
  folder: Deno.FileInfo | undefined;
  /** A link of /proc to what a process has open: it has no path, and is as safe as that process. */
  isMagic: boolean;
}

/** Follows symbolic links by hand, to look at each. */
function resolve(path: string): Target {
  const isRoot = Deno.uid() === 0;
  const absolute = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  const names = absolute.split("/").reverse();
  let at = "/";
  for (let links = 0; names.length > 0;) {
    const name = names.pop()!;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      at = at.slice(0, at.lastIndexOf("/")) || "/";
      continue;
    }
    const next = at === "/" ? `/${name}` : `${at}/${name}`;
    const status = statOrUndefined(next, false);
    if (!status?.isSymlink) {
      const isLast = names.every((rest) => rest === "" || rest === ".");
      if (isLast) {
        return {
          target: next,
          folder: isRoot ? statOrUndefined(at, true) : undefined,
          isMagic: false,
        };
      }
      at = next;
      continue;
    }
    const folder = Deno.statSync(at);
    if (folder.dev === statOrUndefined("/proc", true)?.dev) {
      return { target: [next, ...names.reverse()].join("/"), folder: undefined, isMagic: true };
    }
    if (isRoot && mayBeWrittenByOthers(folder)) {
      throw new Error(
        `"${next}" is a symbolic link in a folder that others may write, and could lead anywhere`,
      );
    }
    if (++links > LINKS_MAX) throw new Error("too many symbolic links follow each other");
    const leadsTo = Deno.readLinkSync(next);
    if (leadsTo.startsWith("/")) at = "/";
    names.push(...leadsTo.split("/").reverse());
  }
  return { target: at, folder: undefined, isMagic: false };
}

function mayBeWrittenByOthers({ uid, mode }: Deno.FileInfo): boolean {
  return uid !== 0 && uid !== Deno.uid() || ((mode ?? 0) & OTHERS_MAY_WRITE) !== 0;
}

/** Refuses, in a folder that others may write, what they could have prepared. */
function assertOwn(status: Deno.FileInfo, folder: Deno.FileInfo): void {
  if (!mayBeWrittenByOthers(folder)) return;
  if (status.isFile && (status.nlink ?? 1) > 1) {
    throw new Error("it has a second name (a hard link), in a folder that others may write");
  }
  // Who owns the folder can replace what is in it anyway.
  const owners = [0, Deno.uid(), folder.uid];
  if (!owners.includes(status.uid)) {
    throw new Error(
      `it belongs to another user (${status.uid}), in a folder that others may write`,
    );
  }
}

function takeAfter(descriptor: string, { uid, gid, mode }: Deno.FileInfo): void {
  try {
    Deno.chownSync(descriptor, uid, gid);
    if (mode !== null) Deno.chmodSync(descriptor, mode & 0o777);
  } catch {
    // Not one's right: then it is as one's own files are.
  }
}

function statOrUndefined(path: string, follow: boolean): Deno.FileInfo | undefined {
  try {
    return follow ? Deno.statSync(path) : Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    // The path stands in the sentence already.
    throw error instanceof Error ? new Error(error.message.replace(/: l?stat '.*$/s, "")) : error;
  }
}
