/**
 * The C library through FFI: one symbol table, one place where `errno` becomes an error, and the
 * memory rules that keep C and the garbage collector from meeting.
 *
 * Importing this module opens nothing and needs no permission; the library is opened at the first
 * call, which needs unrestricted `--allow-ffi`.
 *
 * @module
 */
import { errnoName } from "../kernel/errno.ts";
import { messageOf } from "../text/message.ts";

/** The C functions in use, with their declarations (Linux man-pages, sections 2 and 3). */
export const SYMBOLS = {
  // int socket(int domain, int type, int protocol);
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int accept4(int sockfd, struct sockaddr *addr, socklen_t *addrlen, int flags);
  accept4: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  // int getsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen);
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen);
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  // int getsockopt(int sockfd, int level, int optname, void *optval, socklen_t *optlen);
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  // ssize_t recv(int sockfd, void *buf, size_t len, int flags);
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  // void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
  // The result is an integer here, so that MAP_FAILED is -1 like every other failure.
  mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "isize" },
  // int munmap(void *addr, size_t length);
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  // int open(const char *pathname, int flags);
  open: { parameters: ["buffer", "i32"], result: "i32" },
  // int open(const char *pathname, int flags, mode_t mode);
  open_with_mode: { name: "open", parameters: ["buffer", "i32", "u32"], result: "i32" },
  // ssize_t write(int fd, const void buf[.count], size_t count);
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  // ssize_t send(int sockfd, const void buf[.size], size_t size, int flags);
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  // ssize_t read(int fd, void buf[.count], size_t count);
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  // int poll(struct pollfd *fds, nfds_t nfds, int timeout);
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
  // The same, without holding up this thread.
  poll_aside: {
    name: "poll",
    parameters: ["buffer", "u64", "i32"],
    result: "i32",
    nonblocking: true,
  },
  // int memfd_create(const char *name, unsigned int flags);
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  // ssize_t readlinkat(int dirfd, const char *pathname, char *buf, size_t bufsiz);
  readlinkat: { parameters: ["i32", "buffer", "buffer", "usize"], result: "isize" },
  // int close(int fd);
  close: { parameters: ["i32"], result: "i32" },
  // int ioctl(int fd, unsigned long request, ...);
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  // int isatty(int fd);
  isatty: { parameters: ["i32"], result: "i32" },
  // int getpagesize(void);
  getpagesize: { parameters: [], result: "i32" },
  // int open_by_handle_at(int mount_fd, struct file_handle *handle, int flags);
  open_by_handle_at: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  // int close(int fd);  here: without holding up this thread, for what the kernel is slow to close.
  close_aside: { name: "close", parameters: ["i32"], result: "i32", nonblocking: true },
  // unsigned int if_nametoindex(const char *ifname);
  if_nametoindex: { parameters: ["buffer"], result: "u32" },
  // struct if_nameindex *if_nameindex(void);
  if_nameindex: { parameters: [], result: "pointer" },
  // void if_freenameindex(struct if_nameindex *ptr);
  if_freenameindex: { parameters: ["pointer"], result: "void" },
  // int clock_gettime(clockid_t clockid, struct timespec *tp);
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  // int setns(int fd, int nstype);
  setns: { parameters: ["i32", "i32"], result: "i32" },
  // int setrlimit(int resource, const struct rlimit *rlim);
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  // long syscall(long number, ...);  here: int bpf(int cmd, union bpf_attr *attr, unsigned int size);
  // and ssize_t getdents64(int fd, void *dirp, size_t count);
  syscall: { parameters: ["i64", "i64", "buffer", "i64"], result: "i64" },
  // int mallopt(int param, int value);  of glibc alone.
  mallopt: { parameters: ["i32", "i32"], result: "i32", optional: true },
  // int *__errno_location(void);
  __errno_location: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions of the C library, typed after {@linkcode SYMBOLS}. */
export type LibC = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let opened: LibC | undefined;

/**
 * The C library, opened at the first call: glibc, or musl where glibc is absent. A function is looked
 * up when it is first used, since Deno takes 0.1 ms to compile each: all of them were 3.5 ms of each start.
 *
 * @throws {Deno.errors.NotCapable} without `--allow-ffi`.
 * @throws {Error} when no C library is found under any of its names.
 */
export function libc(): LibC {
  return opened ??= openLibC();
}

function openLibC(): LibC {
  // Looked up at once: later that could change errno before it is read.
  const { __errno_location } = SYMBOLS;
  const names = ["libc.so.6", `libc.musl-${Deno.build.arch}.so.1`, "libc.so"];
  let reason = "";
  for (const name of names) {
    try {
      return lookingUp(name, Deno.dlopen(name, { __errno_location }).symbols);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      reason ||= messageOf(error);
    }
  }
  throw new Error(
    `Cannot open the C library as any of "${names.join('", "')}": ${reason}; ` +
      "capturing needs Linux with glibc or musl",
  );
}

/** The functions of a library, each of which is looked up when it is first asked for. */
function lookingUp(library: string, found: Pick<LibC, "__errno_location">): LibC {
  const functions = { ...found };
  for (const [name, declaration] of Object.entries(SYMBOLS)) {
    if (name in functions) continue;
    Object.defineProperty(functions, name, {
      configurable: true,
      get() {
        const value = Deno.dlopen(library, { [name]: declaration }).symbols[name];
        Object.defineProperty(functions, name, { value });
        return value;
      },
    });
  }
  return functions as LibC;
}

/** What the user can do, for the errors that have a usual cause. */
const ADVICE: Readonly<Record<string, string>> = {
  EACCES: "run as root, or check what a security module (SELinux, AppArmor, seccomp) forbids",
  ENOMEM: "free memory, or ask for a smaller ring or fewer half-open entries",
  EMFILE: "raise the limit on open files (ulimit -n)",
  ENFILE: "the system's table of open files is full",
  ENODEV: "check the interface with `ip link`",
  ENXIO: "check the interface with `ip link`",
  ENOSYS: "this kernel lacks the system call",
  EAFNOSUPPORT: "this kernel lacks packet sockets (CONFIG_PACKET)",
};

/** What calls that fail with EPERM need (capabilities(7)), by how the call's name begins. */
const CAPABILITIES: readonly (readonly [call: string, capabilities: string])[] = [
  ["socket(AF_PACKET)", "CAP_NET_RAW"],
  ["setns(", "CAP_SYS_ADMIN"],
  // Who may open a map or list them by id may read everybody's.
  ["bpf(BPF_MAP_GET", "CAP_SYS_ADMIN"],
  ["bpf(", "CAP_BPF and CAP_PERFMON"],
];

function adviceFor(call: string, errnoSymbol: string): string | undefined {
  if (errnoSymbol !== "EPERM") return ADVICE[errnoSymbol];
  const needed = CAPABILITIES.find(([begin]) => call.startsWith(begin))?.[1];
  return needed === undefined ? "run as root" : `run as root, or with ${needed}`;
}

/** A C library or system call that failed. */
export class SystemCallError extends Error {
  /** The call as the caller named it, for example `socket(AF_PACKET)`. */
  readonly call: string;
  /** The value of `errno` (errno(3)). */
  readonly errno: number;
  /** Its symbol, for example `EPERM`, see `errnoName`. */
  readonly errnoName: string;

  /**
   * Makes the error of a failed call.
   *
   * @param call the call that failed, with what tells it from others of its name.
   * @param errno the value of `errno` right after it.
   * @param detail what is known beyond errno, in a few words; without it what usually helps is said.
   */
  constructor(call: string, errno: number, detail?: string) {
    const symbol = errnoName(errno) ?? "errno 0";
    const more = detail ?? adviceFor(call, symbol);
    super(`Cannot call ${call}: ${symbol}` + (more === undefined ? "" : `, ${more}`));
    this.name = "SystemCallError";
    this.call = call;
    this.errno = errno;
    this.errnoName = symbol;
  }
}

/** `errno` of this thread. Meaningful only right after a call that returned -1. */
export function lastErrno(): number {
  const location = libc().__errno_location();
  return location === null ? 0 : new Deno.UnsafePointerView(location).getInt32();
}

/**
 * Returns `result`, the return value of a C call, when it is not -1.
 *
 * @throws {SystemCallError} when it is -1, with the current errno.
 */
export function checkResult<T extends number | bigint>(result: T, call: string): T {
  if (result === -1 || result === -1n) throw new SystemCallError(call, lastErrno());
  return result;
}

/**
 * `bytes` zeroed bytes that C may be handed. Backed by an ArrayBuffer of their own, because V8 keeps
 * small typed arrays inside its moving heap, where an address does not last.
 */
export function memory(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(bytes));
}

/**
 * Gives memory of megabytes back to the system at once: nothing else would have the garbage collector
 * look for it before long. Nothing can be read there any more.
 */
export function release(bytes: Uint8Array<ArrayBuffer>): void {
  bytes.buffer.transfer(0);
}

/**
 * The address of the first byte. C that keeps it, or finds it inside another structure, is invisible
 * to the garbage collector: take the address with {@linkcode Pins.address} then.
 */
export function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
}

/**
 * Keeps memory that C knows only by address from being collected, until disposed:
 *
 * ```ts ignore
 * using pins = new Pins();
 * attribute.setBigUint64(8, pins.address(instructions), true);
 * ```
 */
export class Pins implements Disposable {
  /** The root that makes the pinned bytes reachable, whatever the optimiser does with locals. */
  static readonly #live = new Set<Pins>();
  readonly #bytes: Uint8Array<ArrayBuffer>[] = [];

  /** Starts an empty set of pinned memory. */
  constructor() {
    Pins.#live.add(this);
  }

  /** Pins `bytes` and returns their address. */
  address(bytes: Uint8Array<ArrayBuffer>): bigint {
    this.#bytes.push(bytes);
    return addressOf(bytes);
  }

  /** Lets go of everything pinned. */
  [Symbol.dispose](): void {
    this.#bytes.length = 0;
    Pins.#live.delete(this);
  }
}

/** The bytes of `text`, or some bytes, with the terminating zero that C expects. */
export function cString(text: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const encoded = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const bytes = memory(encoded.length + 1);
  bytes.set(encoded);
  return bytes;
}

/** A kernel clock: what its nanoseconds count from is said at {@linkcode clockNs}. */
export type Clock = "realtime" | "monotonic" | "boottime" | "thread";

/** clockid_t values (linux/time.h). */
const CLOCK_IDS: Readonly<Record<Clock, number>> = {
  realtime: 0,
  monotonic: 1,
  boottime: 7,
  thread: 3,
};
const timespec = new BigInt64Array(2);
const timespecBytes = new Uint8Array(timespec.buffer);

/**
 * Nanoseconds of a kernel clock (clock_gettime(2)): `realtime` since 1970, as packets are stamped;
 * `monotonic` since boot without suspend; `boottime` with suspend, as bpftrace's `nsecs`; `thread` is
 * what this thread has used of a CPU.
 *
 * @throws {SystemCallError} when the kernel lacks the clock.
 */
export function clockNs(clock: Clock): bigint {
  checkResult(libc().clock_gettime(CLOCK_IDS[clock], timespecBytes), `clock_gettime(${clock})`);
  return timespec[0] * 1_000_000_000n + timespec[1];
}

/** CPUCLOCK_SCHED of a whole process, in the low bits of its clock's id (linux/posix-timers.h). */
const PROCESS_CPU_CLOCK = 2;
const cpuTime = new BigInt64Array(2);
const cpuTimeBytes = new Uint8Array(cpuTime.buffer);

/**
 * Processor time that a process has used, all of its threads together, in nanoseconds; of one that runs
 * at the moment, up to a tick ago. Takes less than a microsecond.
 *
 * @returns Undefined where it is gone.
 */
export function processCpuNs(pid: number): number | undefined {
  if (libc().clock_gettime((~pid << 3) | PROCESS_CPU_CLOCK, cpuTimeBytes) !== 0) return undefined;
  return Number(cpuTime[0]) * 1e9 + Number(cpuTime[1]);
}

/** The number of bpf(2), which has no wrapper in the C library (asm/unistd.h). */
const BPF_SYSTEM_CALL = Deno.build.arch === "aarch64" ? 280n : 321n;

/**
 * bpf(2): runs `command` (`enum bpf_cmd`, linux/bpf.h) on `attr` (`union bpf_attr`, as many bytes of
 * it as the command reads). Returns a file descriptor or 0; -1 on failure, with the reason in
 * {@linkcode lastErrno}, because some callers expect some failures (ENOENT ends an iteration).
 */
export function bpf(command: number, attr: Uint8Array<ArrayBuffer>): number {
  return Number(libc().syscall(BPF_SYSTEM_CALL, BigInt(command), attr, BigInt(attr.length)));
}

/** The number of getdents64(2), which not every C library wraps. */
const GETDENTS64_SYSTEM_CALL = Deno.build.arch === "aarch64" ? 61n : 217n;

/**
 * getdents64(2): reads on in the folder that `fd` is open on. Returns how many bytes of `entries` are
 * filled, 0 at the end; -1 on failure, with the reason in {@linkcode lastErrno}.
 */
export function getdents64(fd: number, entries: Uint8Array<ArrayBuffer>): number {
  const size = BigInt(entries.length);
  return Number(libc().syscall(GETDENTS64_SYSTEM_CALL, BigInt(fd), entries, size));
}
