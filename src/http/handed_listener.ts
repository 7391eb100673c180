/**
 * The listening socket that systemd opened before this process began (sd_listen_fds(3)). Deno takes no
 * open descriptor over, so it is used through the C library.
 *
 * @module
 */
import { isLoopback } from "./listen_address.ts";
import {
  closeDescriptor,
  Errno,
  waitForInput,
  waitForRoom,
  writeNow,
} from "../files/descriptor.ts";
import { environmentVariable } from "../linux/environment.ts";
import { checkResult, lastErrno, libc, memory, SystemCallError } from "../linux/libc.ts";
import type { Connection, Listener } from "./page_server.ts";

/** The first descriptor that is handed over (`SD_LISTEN_FDS_START`, sd-daemon.h). */
const FIRST = 3;
/** Requests of ioctl(2) (asm-generic/ioctls.h): never wait, and not for the programs that are started. */
const FIONBIO = 0x5421n;
const FIOCLEX = 0x5451n;
/** Flags of accept4(2) (bits/socket.h). */
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
/** `struct sockaddr_in6` (netinet/in.h), the longer one; where both have their addresses. */
const SOCKADDR_SIZE = 28;
const AF_INET = 2;
const AF_INET6 = 10;
const SIN_ADDR = 4;
const SIN6_ADDR = 8;
/** Flags of recv(2). */
const MSG_DONTWAIT = 0x40;
/** How long one wait aside takes at most: then is looked whether it still makes sense. */
const WAIT_MS = 500;

/**
 * Takes the socket over.
 *
 * @throws {Error} The reason alone, where systemd handed over none, or several.
 */
export function takeHandedListener(): Listener {
  const handed = Number(environmentVariable("LISTEN_FDS") ?? "0");
  if (environmentVariable("LISTEN_PID") !== `${Deno.pid}` || !(handed >= 1)) {
    throw new Error("systemd handed no socket over to this process; start it by a .socket unit");
  }
  if (handed > 1) throw new Error(`systemd handed ${handed} sockets over; give it one`);
  checkResult(libc().ioctl(FIRST, FIOCLEX, memory(4)), "ioctl(FIOCLEX)");
  const on = memory(4);
  new DataView(on.buffer).setInt32(0, 1, true);
  checkResult(libc().ioctl(FIRST, FIONBIO, on), "ioctl(FIONBIO)");
  return new HandedListener(FIRST);
}

class HandedListener implements Listener {
  readonly where = "the socket of systemd";
  readonly isLoopback: boolean;
  #fd: number | undefined;

  constructor(fd: number) {
    this.#fd = fd;
    this.isLoopback = isAtLoopback(fd);
  }

  async accept(): Promise<Connection | undefined> {
    while (this.#fd !== undefined) {
      const fd = libc().accept4(this.#fd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) return new DescriptorConnection(fd);
      const errno = lastErrno();
      if (errno === Errno.EAGAIN) await waitForInput(this.#fd, WAIT_MS);
      else if (errno !== Errno.EINTR) throw new SystemCallError("accept4(systemd)", errno);
    }
    return undefined;
  }

  /** Stops to take connections: those that come wait for the next process, to whom systemd hands it. */
  close(): void {
    this.#fd = undefined;
  }
}

/** Whether a socket is at a loopback address. */
function isAtLoopback(fd: number): boolean {
  const [name, length] = [memory(SOCKADDR_SIZE), memory(4)];
  new DataView(length.buffer).setUint32(0, SOCKADDR_SIZE, true);
  checkResult(libc().getsockname(fd, name, length), "getsockname(systemd)");
  const view = new DataView(name.buffer);
  const family = view.getUint16(0, true);
  if (family === AF_INET) return isLoopback(Uint32Array.of(0, 0, 0xffff, view.getUint32(SIN_ADDR)));
  if (family !== AF_INET6) return false;
  return isLoopback(Uint32Array.from([0, 4, 8, 12], (at) => view.getUint32(SIN6_ADDR + at)));
}

/** A connection by its descriptor, which is closed once nobody waits for it. */
class DescriptorConnection implements Connection {
  #fd: number | undefined;
  #isWaiting = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    const bytes = memory(into.length);
    for (;;) {
      const count = Number(libc().recv(this.#open(), bytes, BigInt(bytes.length), MSG_DONTWAIT));
      if (count === 0) return null;
      if (count > 0) {
        into.set(bytes.subarray(0, count));
        return count;
      }
      const errno = lastErrno();
      if (errno === Errno.EAGAIN) await this.#wait(waitForInput);
      else if (errno !== Errno.EINTR) throw new SystemCallError("recv(connection)", errno);
    }
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    for (;;) {
      const count = writeNow(this.#open(), bytes, true);
      if (count > 0) return count;
      await this.#wait(waitForRoom);
    }
  }

  /** Another thread waits for the descriptor: until it is back, no other file may get its number. */
  async #wait(wait: (fd: number, timeoutMs: number) => Promise<boolean>): Promise<void> {
    const fd = this.#open();
    this.#isWaiting = true;
    await wait(fd, WAIT_MS);
    this.#isWaiting = false;
    if (this.#fd === undefined) closeDescriptor(fd);
  }

  #open(): number {
    if (this.#fd === undefined) throw new Error("it was closed");
    return this.#fd;
  }

  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined && !this.#isWaiting) closeDescriptor(fd);
  }
}
