/**
 * A terminal of which a test is the other end: what stands in it is read when the test does.
 *
 * @module
 */
import { memory } from "../../src/linux/libc.ts";

const { symbols: libc } = Deno.dlopen("libc.so.6", {
  // int posix_openpt(int flags);
  posix_openpt: { parameters: ["i32"], result: "i32" },
  // int unlockpt(int fd);
  unlockpt: { parameters: ["i32"], result: "i32" },
  // int ptsname_r(int fd, char buf[.buflen], size_t buflen);
  ptsname_r: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // int ioctl(int fd, unsigned long request, ...);
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  // ssize_t read(int fd, void buf[.count], size_t count);
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  // ssize_t write(int fd, const void buf[.count], size_t count);
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  // int close(int fd);
  close: { parameters: ["i32"], result: "i32" },
});

/** Flags of open(2) and requests of ioctl(2) (asm-generic). */
const O_RDWR = 0o2;
const O_NOCTTY = 0o400;
const O_NONBLOCK = 0o4000;
const FIONREAD = 0x541bn;
const TIOCSWINSZ = 0x5414n;

/** One end of a terminal, and the path of the other. */
export class PseudoTerminal implements Disposable {
  readonly #fd: number;
  /** Where a program finds its end. */
  readonly path: string;

  /** Makes one of a size. */
  constructor(columns: number, rows: number) {
    this.#fd = libc.posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    const name = memory(64);
    if (this.#fd < 0 || libc.unlockpt(this.#fd) || libc.ptsname_r(this.#fd, name, 64n)) {
      throw new Error("Cannot make a terminal");
    }
    this.path = new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
    const size = memory(8);
    new Uint16Array(size.buffer).set([rows, columns]);
    libc.ioctl(this.#fd, TIOCSWINSZ, size);
  }

  /** Bytes that were written to it and not read. */
  get unread(): number {
    const count = memory(4);
    libc.ioctl(this.#fd, FIONREAD, count);
    return new DataView(count.buffer).getInt32(0, true);
  }

  /** Types some keys. */
  type(keys: string): void {
    const bytes = memory(keys.length);
    new TextEncoder().encodeInto(keys, bytes);
    libc.write(this.#fd, bytes, BigInt(bytes.length));
  }

  /** Reads what stands there now. */
  read(): string {
    const bytes = memory(1 << 16);
    const count = Number(libc.read(this.#fd, bytes, BigInt(bytes.length)));
    return new TextDecoder().decode(bytes.subarray(0, Math.max(0, count)));
  }

  /** Starts a program on it, as the first of a session. */
  spawn(command: readonly string[], options: Deno.CommandOptions = {}): Deno.ChildProcess {
    return new Deno.Command("sh", {
      ...options,
      args: ["-c", 'exec setsid -c -w "$@" <"$0" >"$0"', this.path, ...command],
      stdin: "null",
      stdout: "null",
    }).spawn();
  }

  /** Takes it away. */
  [Symbol.dispose](): void {
    libc.close(this.#fd);
  }
}
