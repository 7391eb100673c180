/**
 * Descriptors that never hold up this thread: opened with O_NONBLOCK, written as far as there is
 * room, waited for aside.
 *
 * @module
 */
import { cString, lastErrno, libc, memory } from "../linux/libc.ts";

/** Flags of open(2) (asm-generic/fcntl.h). */
export const OpenFlag = {
  WRONLY: 0o1,
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  // These two differ by architecture.
  NOFOLLOW: Deno.build.arch === "aarch64" ? 0o100000 : 0o400000,
  CLOEXEC: 0o2000000,
} as const;

/** Values of errno (asm-generic/errno-base.h) that decide something here. */
export const Errno = {
  ENOENT: 2,
  EINTR: 4,
  ENXIO: 6,
  EAGAIN: 11,
  EEXIST: 17,
  EISDIR: 21,
  EPIPE: 32,
} as const;

/** What the system says of the errors that a file to be written may have (errno(3)). */
const WORDS: Readonly<Record<number, string>> = {
  1: "Operation not permitted",
  2: "No such file or directory",
  5: "Input/output error",
  6: "No such device or address",
  9: "Bad file descriptor",
  13: "Permission denied",
  17: "File exists",
  19: "No such device",
  20: "Not a directory",
  21: "Is a directory",
  23: "Too many open files in system",
  24: "Too many open files",
  26: "Text file busy",
  27: "File too large",
  28: "No space left on device",
  30: "Read-only file system",
  32: "Broken pipe",
  36: "File name too long",
  40: "Too many levels of symbolic links",
  116: "Stale file handle",
  122: "Disk quota exceeded",
};

/** A file, pipe or device that cannot be opened or written: its message is the reason alone. */
export class DescriptorError extends Error {
  override name = "DescriptorError";
  /** The value of `errno` (errno(3)). */
  readonly errno: number;

  /** Makes the error of a call that just failed with `errno`. */
  constructor(errno: number) {
    super(`${WORDS[errno] ?? "Unknown error"} (os error ${errno})`);
    this.errno = errno;
  }
}

/**
 * Opens a path for writing; never waits, not for the reader of a FIFO either.
 *
 * @param flags Of {@link OpenFlag}, beside WRONLY, NONBLOCK, NOCTTY and CLOEXEC. @param mode Of a new
 * file, less the umask.
 * @returns The descriptor.
 * @throws {DescriptorError} ENXIO for a FIFO that nobody reads.
 */
export function openDescriptor(path: string, flags: number, mode = 0): number {
  const { WRONLY, NONBLOCK, NOCTTY, CLOEXEC } = OpenFlag;
  const all = flags | WRONLY | NONBLOCK | NOCTTY | CLOEXEC;
  for (;;) {
    const fd = libc().open_with_mode(cString(path), all, mode);
    if (fd >= 0) return fd;
    const errno = lastErrno();
    if (errno !== Errno.EINTR) throw new DescriptorError(errno);
  }
}

/**
 * Opens a path for reading; what is not there yet is not waited for.
 *
 * @returns The descriptor. @throws {DescriptorError} It cannot be opened.
 */
export function openForReading(path: string): number {
  const { NONBLOCK, NOCTTY, CLOEXEC } = OpenFlag;
  const fd = libc().open(cString(path), NONBLOCK | NOCTTY | CLOEXEC);
  if (fd < 0) throw new DescriptorError(lastErrno());
  return fd;
}

/**
 * Reads what is there now.
 *
 * @param fd A descriptor with O_NONBLOCK.
 * @returns Bytes read, 0 at the end; undefined where there is nothing yet.
 * @throws {DescriptorError} It cannot be read, as a terminal that is gone (EIO).
 */
export function readNow(fd: number, into: Uint8Array<ArrayBuffer>): number | undefined {
  const count = Number(libc().read(fd, into, BigInt(into.length)));
  if (count >= 0) return count;
  const errno = lastErrno();
  if (errno === Errno.EAGAIN || errno === Errno.EINTR) return undefined;
  throw new DescriptorError(errno);
}

/** Whether it is a terminal. */
export function isTerminal(fd: number): boolean {
  return libc().isatty(fd) === 1;
}

/** Closes a descriptor. */
export function closeDescriptor(fd: number): void {
  libc().close(fd);
}

/** Flags of send(2) (bits/socket.h). */
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

/**
 * Writes what there is room for now.
 *
 * @param fd A descriptor with O_NONBLOCK. @param isSocket Whether it is a socket, which needs none.
 * @returns Bytes written, 0 where there is no room.
 * @throws {DescriptorError} EPIPE where nobody reads any more.
 */
export function writeNow(fd: number, bytes: Uint8Array<ArrayBuffer>, isSocket = false): number {
  const length = BigInt(bytes.length);
  for (;;) {
    const written = Number(
      isSocket
        ? libc().send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL)
        : libc().write(fd, bytes, length),
    );
    if (written >= 0) return written;
    const errno = lastErrno();
    if (errno === Errno.EAGAIN) return 0;
    if (errno !== Errno.EINTR) throw new DescriptorError(errno);
  }
}

/** `struct pollfd` (asm-generic/poll.h): fd, events, revents. */
const POLLFD_LENGTH = 8;
const POLLFD_EVENTS = 4;
const POLLFD_REVENTS = 6;
const POLLIN = 0x1;
const POLLOUT = 0x4;
const POLLERR = 0x8;

function pollfd(fd: number, events: number): { bytes: Uint8Array<ArrayBuffer>; view: DataView } {
  const bytes = memory(POLLFD_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(POLLFD_EVENTS, events, true);
  return { bytes, view };
}

/**
 * Waits until there is room to write or something is wrong with the descriptor.
 *
 * @returns Whether that came before the time was over.
 */
export async function waitForRoom(fd: number, timeoutMs: number): Promise<boolean> {
  const { bytes, view } = pollfd(fd, POLLOUT);
  await libc().poll_aside(bytes, 1n, timeoutMs);
  // Read here, so that the memory is not collected while it is waited for.
  return view.getInt16(POLLFD_REVENTS, true) !== 0;
}

/**
 * Waits until there is something to read, a connection to accept, or something is wrong.
 *
 * @returns Whether that came before the time was over.
 */
export async function waitForInput(fd: number, timeoutMs: number): Promise<boolean> {
  const { bytes, view } = pollfd(fd, POLLIN);
  await libc().poll_aside(bytes, 1n, timeoutMs);
  return view.getInt16(POLLFD_REVENTS, true) !== 0;
}

/**
 * Writes, and waits on this thread while there is no room: for the last words of a program.
 *
 * @param maxMs How long it waits at most. @returns Whether all was written.
 * @throws {DescriptorError} It cannot be written.
 */
export function writeWaiting(fd: number, bytes: Uint8Array<ArrayBuffer>, maxMs: number): boolean {
  const untilMs = performance.now() + maxMs;
  let at = 0;
  while (at < bytes.length) {
    const written = writeNow(fd, bytes.subarray(at));
    at += written;
    const leftMs = Math.ceil(untilMs - performance.now());
    if (written > 0) continue;
    if (leftMs <= 0) return false;
    libc().poll(pollfd(fd, POLLOUT).bytes, 1n, leftMs);
  }
  return true;
}

/** ioctl(2): the size of a terminal (asm-generic/ioctls.h). */
const TIOCGWINSZ = 0x5413n;
/** `struct winsize` (asm-generic/termios.h): rows, columns, and twice pixels. */
const WINSIZE_LENGTH = 8;

/** The rows and columns of a terminal; 0 where it does not tell. */
export function terminalSize(fd: number): { rows: number; columns: number } {
  const winsize = memory(WINSIZE_LENGTH);
  if (libc().ioctl(fd, TIOCGWINSZ, winsize) !== 0) return { rows: 0, columns: 0 };
  const view = new DataView(winsize.buffer);
  return { rows: view.getUint16(0, true), columns: view.getUint16(2, true) };
}

/** Whether a pipe has no reader (any more). */
export function isUnread(fd: number): boolean {
  const { bytes, view } = pollfd(fd, 0);
  libc().poll(bytes, 1n, 0);
  return (view.getInt16(POLLFD_REVENTS, true) & POLLERR) !== 0;
}

/**
 * Waits until a pipe has no reader.
 *
 * @returns Whether that came before the time was over. Another may read it by now.
 */
export async function waitForNoReader(fd: number, timeoutMs: number): Promise<boolean> {
  const { bytes, view } = pollfd(fd, 0);
  await libc().poll_aside(bytes, 1n, timeoutMs);
  return (view.getInt16(POLLFD_REVENTS, true) & POLLERR) !== 0;
}

/** ioctl(2): bytes that wait in a pipe (asm-generic/ioctls.h). */
const FIONREAD = 0x541bn;

/** Bytes in a pipe that its reader has not taken. */
export function unreadBytes(fd: number): number {
  const count = memory(4);
  if (libc().ioctl(fd, FIONREAD, count) !== 0) return 0;
  return new DataView(count.buffer).getInt32(0, true);
}
