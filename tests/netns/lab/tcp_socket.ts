/**
 * TCP sockets of the running kernel, made in a namespace and driven from the test: non-blocking, so
 * that one thread plays both ends and every wait has a bound.
 *
 * @module
 */
import { checkResult, lastErrno, libc, memory, SystemCallError } from "../../../src/linux/libc.ts";
import { errnoName } from "../../../src/kernel/errno.ts";
import { isIpv4Mapped, parseAddress } from "../../../src/wire/address.ts";
import { inNamespace, type Namespace, until } from "../namespace.ts";

/** A third retransmission comes seconds after the second. */
export const DEADLINE_MS = 20_000;

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const IPPROTO_TCP = 6;
const IPPROTO_MPTCP = 262;
const EINPROGRESS = 115;

const POLLIN = 0x001;
const POLLOUT = 0x004;
const POLLERR = 0x008;

const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_LINGER = 13;

/** Options of level IPPROTO_TCP (linux/tcp.h). */
export const TcpOption = {
  /** How often a SYN, or a listener's SYN-ACK, is sent again. */
  SYNCNT: 7,
  /** A listener takes data in SYNs: how many such connections may wait. */
  FASTOPEN: 23,
  /** Data goes into the SYN without a cookie. */
  FASTOPEN_NO_COOKIE: 34,
} as const;

const MSG_NOSIGNAL = 0x4000;
const MSG_FASTOPEN = 0x20000000;

const SYMBOLS = {
  // int connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int listen(int sockfd, int backlog);
  listen: { parameters: ["i32", "i32"], result: "i32" },
  // int accept4(int sockfd, struct sockaddr *addr, socklen_t *addrlen, int flags);
  accept4: { parameters: ["i32", "pointer", "pointer", "i32"], result: "i32" },
  // int getsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen);
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int poll(struct pollfd *fds, nfds_t nfds, int timeout);
  poll: { parameters: ["buffer", "usize", "i32"], result: "i32" },
  // ssize_t sendto(int sockfd, const void *buf, size_t len, int flags, const struct sockaddr *dest_addr, socklen_t addrlen);
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "isize" },
} as const satisfies Deno.ForeignLibraryInterface;

const { symbols } = Deno.dlopen("libc.so.6", SYMBOLS);

/** How to make a {@link TcpSocket}. */
export interface SocketOptions {
  /** An IPv6 socket, which also takes IPv4 addresses as ::ffff:a.b.c.d. */
  ipv6?: boolean;
  /** Multipath TCP (RFC 8684). */
  mptcp?: boolean;
  /** Options of level IPPROTO_TCP, see {@link TcpOption}. */
  tcp?: readonly (readonly [option: number, value: number])[];
}

/** A socket in a namespace. Closed by hand where that is the point, else with its scenario. */
export class TcpSocket implements Disposable {
  readonly #fd: number;
  readonly #family: number;
  #open = true;

  private constructor(fd: number, family: number) {
    this.#fd = fd;
    this.#family = family;
  }

  /** Makes a socket in a namespace; the thread returns from there at once. */
  static open(namespace: Namespace, options: SocketOptions = {}): TcpSocket {
    const family = options.ipv6 ? AF_INET6 : AF_INET;
    const protocol = options.mptcp ? IPPROTO_MPTCP : IPPROTO_TCP;
    const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    const fd = inNamespace(
      namespace.name,
      () => checkResult(libc().socket(family, type, protocol), "socket(SOCK_STREAM)"),
    );
    const socket = new TcpSocket(fd, family);
    socket.option(SO_REUSEADDR, 1, SOL_SOCKET);
    for (const [option, value] of options.tcp ?? []) socket.option(option, value);
    return socket;
  }

  /** Gives it an own address and port; port 0: the kernel chooses. */
  bind(address: string, port: number): this {
    const own = socketAddress(this.#family, address, port);
    checkResult(libc().bind(this.#fd, own, own.length), `bind(${address} ${port})`);
    return this;
  }

  /** Sets an integer option. */
  option(option: number, value: number, level: number = IPPROTO_TCP): void {
    const bytes = memory(4);
    new DataView(bytes.buffer).setInt32(0, value, true);
    checkResult(
      libc().setsockopt(this.#fd, level, option, bytes, bytes.length),
      `setsockopt(${option})`,
    );
  }

  /** Own port. */
  get port(): number {
    const address = memory(28);
    const length = new Uint8Array(new Uint32Array([address.length]).buffer);
    checkResult(symbols.getsockname(this.#fd, address, length), "getsockname()");
    return new DataView(address.buffer).getUint16(2);
  }

  /** Begins to listen. @param backlog Connections that may wait for {@link accept}, less one. */
  listen(backlog: number): this {
    checkResult(symbols.listen(this.#fd, backlog), "listen()");
    return this;
  }

  /** Begins to connect; {@link connected} and {@link failed} wait for the end. */
  connect(address: string, port: number): this {
    const peer = socketAddress(this.#family, address, port);
    if (symbols.connect(this.#fd, peer, peer.length) === -1 && lastErrno() !== EINPROGRESS) {
      throw new SystemCallError("connect()", lastErrno());
    }
    return this;
  }

  /**
   * Connects and sends in one, data in the SYN where that goes (RFC 7413).
   *
   * @returns How many bytes were taken: none without a cookie, which is then asked for.
   */
  connectWithData(address: string, port: number, text: string): number {
    const peer = socketAddress(this.#family, address, port);
    const data = bytesOf(text);
    const flags = MSG_FASTOPEN | MSG_NOSIGNAL;
    const sent = symbols.sendto(this.#fd, data, BigInt(data.length), flags, peer, peer.length);
    if (Number(sent) === -1 && lastErrno() !== EINPROGRESS) {
      throw new SystemCallError("sendto(MSG_FASTOPEN)", lastErrno());
    }
    return Math.max(0, Number(sent));
  }

  /** Waits until the handshake has succeeded on this side. */
  async connected(): Promise<void> {
    const error = await this.settled();
    if (error !== undefined) throw new Error(`Cannot connect: ${error}`);
  }

  /** Waits until the handshake has failed on this side. @returns The symbol of the errno. */
  async failed(): Promise<string> {
    const error = await this.settled();
    if (error === undefined) throw new Error("Cannot go on: this connection was to fail");
    return error;
  }

  /** Waits for the handshake's end on this side. @returns The symbol of the errno, if it failed. */
  async settled(): Promise<string | undefined> {
    const ended = () => (this.#poll(POLLOUT) & (POLLOUT | POLLERR)) !== 0;
    await until("the end of a handshake", ended, DEADLINE_MS);
    const bytes = memory(4);
    const length = new Uint8Array(new Uint32Array([bytes.length]).buffer);
    checkResult(
      libc().getsockopt(this.#fd, SOL_SOCKET, SO_ERROR, bytes, length),
      "getsockopt(SO_ERROR)",
    );
    return errnoName(new DataView(bytes.buffer).getInt32(0, true));
  }

  /** Waits for a connection and takes it. */
  async accept(): Promise<TcpSocket> {
    const waits = () => (this.#poll(POLLIN) & POLLIN) !== 0;
    await until("a connection to accept", waits, DEADLINE_MS);
    const fd = checkResult(
      symbols.accept4(this.#fd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC),
      "accept4()",
    );
    return new TcpSocket(fd, this.#family);
  }

  /** Sends text. */
  send(text: string): void {
    const data = bytesOf(text);
    const nowhere = memory(0);
    checkResult(
      symbols.sendto(this.#fd, data, BigInt(data.length), MSG_NOSIGNAL, nowhere, 0),
      "sendto()",
    );
  }

  /** Waits until data, or the peer's end of them, has arrived. */
  async readable(): Promise<void> {
    await until("data to read", () => (this.#poll(POLLIN) & POLLIN) !== 0);
  }

  #poll(events: number): number {
    const entry = memory(8); // struct pollfd
    const view = new DataView(entry.buffer);
    view.setInt32(0, this.#fd, true);
    view.setInt16(4, events, true);
    checkResult(symbols.poll(entry, 1n, 0), "poll()");
    return view.getInt16(6, true);
  }

  /** Closes it, as close(2). */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    libc().close(this.#fd);
  }

  /** Closes it with SO_LINGER 0: what is open is reset. */
  reset(): void {
    const linger = new Uint8Array(new Int32Array([1, 0]).buffer);
    checkResult(
      libc().setsockopt(this.#fd, SOL_SOCKET, SO_LINGER, linger, linger.length),
      "setsockopt(SO_LINGER)",
    );
    this.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const data = memory(text.length);
  new TextEncoder().encodeInto(text, data);
  return data;
}

/** struct sockaddr_in or sockaddr_in6. */
function socketAddress(family: number, text: string, port: number): Uint8Array<ArrayBuffer> {
  const words = parseAddress(text);
  if (words === undefined) throw new TypeError(`Cannot use "${text}": it is no address`);
  const bytes = memory(family === AF_INET ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family, true);
  view.setUint16(2, port);
  if (family === AF_INET) {
    if (!isIpv4Mapped(words)) throw new TypeError(`Cannot use "${text}" on an IPv4 socket`);
    view.setUint32(4, words[3]);
  } else {
    words.forEach((word, index) => view.setUint32(8 + index * 4, word));
  }
  return bytes;
}
