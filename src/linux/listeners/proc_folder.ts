/**
 * Folders of /proc, read a part at a time: a process may have a million descriptors.
 *
 * @module
 */
import { cString, getdents64, libc, memory } from "../libc.ts";

/** asm-generic/fcntl.h */
const O_CLOEXEC = 0o2000000;

/** `struct linux_dirent64` (getdents64(2)): the entry's length, and its name with a zero behind. */
const ENTRY_LENGTH = 16;
const ENTRY_NAME = 19;

/** Some 170 numbers, of which each takes the kernel a microsecond, and 5 with what it points to. */
const PART_BYTES = 4_096;
/** Names in /proc are numbers or short words. */
const NAME_BYTES = 256;
const LINK_BYTES = 4_096;

/** An open folder; one that is gone, or not this process's to see, has no entries. */
export class ProcFolder implements Disposable {
  #descriptor: number;
  readonly #part = memory(PART_BYTES);
  readonly #partView = new DataView(this.#part.buffer);
  readonly #name = memory(NAME_BYTES);
  readonly #link = memory(LINK_BYTES);
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();

  /** Opens it. */
  constructor(path: string) {
    this.#descriptor = libc().open(cString(path), O_CLOEXEC);
  }

  /** Reads on. @returns The names of the next entries, none at the end. */
  next(): string[] {
    const names: string[] = [];
    if (this.#descriptor < 0) return names;
    // Less than 0 where the process has gone meanwhile.
    const length = getdents64(this.#descriptor, this.#part);
    for (let at = 0; at < length; at += this.#partView.getUint16(at + ENTRY_LENGTH, true)) {
      const end = this.#part.indexOf(0, at + ENTRY_NAME);
      names.push(this.#decoder.decode(this.#part.subarray(at + ENTRY_NAME, end)));
    }
    return names;
  }

  /** What a symbolic link in the folder points to, empty where it is gone. */
  readLink(name: string): string {
    const { written } = this.#encoder.encodeInto(name, this.#name);
    this.#name[written] = 0;
    const length = libc().readlinkat(this.#descriptor, this.#name, this.#link, BigInt(LINK_BYTES));
    return length < 0 ? "" : this.#decoder.decode(this.#link.subarray(0, Number(length)));
  }

  /** Closes it. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#descriptor >= 0) libc().close(this.#descriptor);
    this.#descriptor = -1;
  }
}
