/**
 * Network namespaces (network_namespaces(7)) and how this process visits them.
 *
 * @module
 */
import { checkResult, cString, libc, SystemCallError } from "../libc.ts";
import { nameText, type SystemName } from "../system_names.ts";

// linux/sched.h, asm-generic/fcntl.h
const CLONE_NEWNET = 0x40000000;
const O_CLOEXEC = 0o2000000;
const OWN = "/proc/thread-self/ns/net";

/** A network namespace. Another than the own one lives on at least until it is disposed of. */
export class NetworkNamespace implements Disposable {
  /** Its inode number, which tells it from every other that there is now. */
  readonly inode: number;
  /** Undefined for the own one, which need not be entered. */
  #descriptor: number | undefined;

  private constructor(inode: number, descriptor: number | undefined) {
    this.inode = inode;
    this.#descriptor = descriptor;
  }

  /** The one this process lives in; its number is 0 where the kernel is built without namespaces. */
  static own(): NetworkNamespace {
    try {
      return new NetworkNamespace(inodeOf(Deno.statSync(OWN)), undefined);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return new NetworkNamespace(0, undefined);
    }
  }

  /**
   * Holds on to another one.
   *
   * @param path Its file, such as /run/netns/NAME or /proc/PID/ns/net.
   * @throws {SystemCallError} ENOENT where it is gone, EACCES or EPERM where it is not ours to see.
   */
  static open(path: string | SystemName): NetworkNamespace {
    const text = typeof path === "string" ? path : nameText(path);
    const descriptor = checkResult(libc().open(cString(path), O_CLOEXEC), `open("${text}")`);
    // By the descriptor, for the path may be another's already: process ids are given out again.
    const inode = inodeOf(Deno.statSync(`/proc/self/fd/${descriptor}`));
    return new NetworkNamespace(inode, descriptor);
  }

  /**
   * Asks whether this process may enter namespaces, by entering its own.
   *
   * @throws {SystemCallError} EPERM without CAP_SYS_ADMIN.
   */
  static assertPermitted(): void {
    const own = openOwn();
    try {
      enter(own, "setns(own network namespace)");
    } finally {
      libc().close(own);
    }
  }

  /**
   * Runs `operation` with this thread inside. It must be synchronous: whatever it awaits would go on
   * outside. Sockets that it opens stay inside.
   *
   * @throws {SystemCallError} where the namespace cannot be entered.
   * @throws {LostNamespaceError} where there is no way back.
   */
  run<T>(operation: () => T): T {
    if (this.#descriptor === undefined) return operation();
    const back = openOwn();
    try {
      enter(this.#descriptor, `setns(network namespace ${this.inode})`);
      try {
        return operation();
      } finally {
        goBack(back);
      }
    } finally {
      libc().close(back);
    }
  }

  /** Lets go of it. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#descriptor !== undefined) libc().close(this.#descriptor);
    // Not undefined, which means the own one: what is closed cannot be entered.
    this.#descriptor &&= -1;
  }
}

/** The thread could not leave a foreign namespace: nothing may go on after it. */
export class LostNamespaceError extends Error {
  /** @param cause Why. */
  constructor(cause: SystemCallError) {
    super(`Cannot return to the own network namespace: ${cause.errnoName}; ending`, { cause });
    this.name = "LostNamespaceError";
  }
}

/** Opens the namespace that this thread is in now: the way back. */
function openOwn(): number {
  return checkResult(libc().open(cString(OWN), O_CLOEXEC), `open("${OWN}")`);
}

function enter(descriptor: number, call: string): void {
  checkResult(libc().setns(descriptor, CLONE_NEWNET), call);
}

function goBack(descriptor: number): void {
  try {
    enter(descriptor, "setns(own network namespace)");
  } catch (error) {
    throw error instanceof SystemCallError ? new LostNamespaceError(error) : error;
  }
}

function inodeOf({ ino }: Deno.FileInfo): number {
  return ino ?? 0;
}
