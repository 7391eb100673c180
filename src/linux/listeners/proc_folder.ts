/**
 * Folders of /proc, read a part at a time: a process may have a million descriptors.
 *
 * @module
 */
import { cString, getdents64, libc, memory } from "../libc.ts";

/** asm-generic/fcntl.h */
const O_CLOEXEC = 0o2000000;
/** linux/fcntl.h: a path is from the working folder on, where it is relative. */
const AT_FDCWD = -100;

/** `struct linux_dirent64` (getdents64(2)): the entry's length, and its name with a zero behind. */
const ENTRY_LENGTH = 16;
const ENTRY_NAME = 19;

/** Some 170 numbers, of which each takes the kernel a microsecond, and as long again what it points to. */
const PART_BYTES = 4_096;
/** Of what a descriptor points to only a socket is looked for, whose link is short. */
const LINK_BYTES = 64n;
/** So the link of a socket begins, before its inode number and a bracket (proc_pid_fd(5)). */
const SOCKET = new TextEncoder().encode("socket:[");
const DIGIT_0 = 0x30;
/** Digits of a descriptor's number, and a zero behind them. */
const NAME_BYTES = 12;

// Of all folders: what the kernel writes there is read before it is asked again.
const part = memory(PART_BYTES);
const partView = new DataView(part.buffer);
const link = memory(Number(LINK_BYTES));
const descriptorName = memory(NAME_BYTES);

/** A descriptor that is a socket's. */
export interface SocketDescriptor {
  /** Its number. */
  fd: number;
  /** Inode number of the socket. */
  inode: number;
}

/** An open folder; one that is gone, or not this process's to see, has no entries. */
export class ProcFolder implements Disposable {
  #descriptor: number;

  /** Opens it. */
  constructor(path: string) {
    this.#descriptor = libc().open(cString(path), O_CLOEXEC);
  }

  /**
   * Reads on.
   *
   * @returns Those of the next names that are numbers, as processes and descriptors have them; undefined
   * at the end.
   */
  nextNumbers(): number[] | undefined {
    const length = this.#read();
    if (length <= 0) return undefined;
    const numbers: number[] = [];
    for (let at = 0; at < length; at += entryLength(at)) {
      const number = entryNumber(at);
      if (number >= 0) numbers.push(number);
    }
    return numbers;
  }

  /**
   * Reads on in a folder of descriptors, some 170 of them in less than a millisecond.
   *
   * @returns Those of sockets among the next; undefined at the end.
   */
  nextSockets(): SocketDescriptor[] | undefined {
    const length = this.#read();
    if (length <= 0) return undefined;
    const sockets: SocketDescriptor[] = [];
    for (let at = 0; at < length; at += entryLength(at)) {
      const fd = entryNumber(at);
      if (fd < 0) continue;
      // Copied: to make an array that begins there would take as long as half of what the kernel does.
      const begin = at + ENTRY_NAME;
      let digits = 0;
      while ((descriptorName[digits] = part[begin + digits]) !== 0) digits++;
      const inode = readSocketLink(this.#descriptor, descriptorName);
      if (inode !== undefined) sockets.push({ fd, inode });
    }
    return sockets;
  }

  /** @returns How many bytes of `part` are filled; none at the end, or where the process has gone. */
  #read(): number {
    return this.#descriptor < 0 ? 0 : getdents64(this.#descriptor, part);
  }

  /** Closes it. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#descriptor >= 0) libc().close(this.#descriptor);
    this.#descriptor = -1;
  }
}

/**
 * The socket that a descriptor of a process is of; takes about 2 µs.
 *
 * @returns Its inode number; undefined where it is of none, or gone.
 */
export function socketOf(pid: number, fd: number): number | undefined {
  return readSocketLink(AT_FDCWD, cString(`/proc/${pid}/fd/${fd}`));
}

function entryLength(at: number): number {
  return partView.getUint16(at + ENTRY_LENGTH, true);
}

/** An entry's name as a number, -1 where it is none. */
function entryNumber(at: number): number {
  let number = 0;
  for (let next = at + ENTRY_NAME; part[next] !== 0; next++) {
    const digit = part[next] - DIGIT_0;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}

/** @param path With a zero behind it. */
function readSocketLink(folder: number, path: Uint8Array<ArrayBuffer>): number | undefined {
  const length = Number(libc().readlinkat(folder, path, link, LINK_BYTES));
  if (length <= SOCKET.length) return undefined;
  for (let at = 0; at < SOCKET.length; at++) if (link[at] !== SOCKET[at]) return undefined;
  let inode = 0;
  for (let at = SOCKET.length; at < length - 1; at++) inode = inode * 10 + link[at] - DIGIT_0;
  return inode;
}
