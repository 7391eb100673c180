import {
  type Link,
  type LinkMessage,
  type LinkMessages,
  parseLinkMessages,
} from "./link_messages.ts";
import { checkResult, lastErrno, libc, memory, SystemCallError } from "../libc.ts";

// bits/socket.h, linux/netlink.h, linux/rtnetlink.h, linux/if_link.h, asm-generic/errno*.h
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_ROUTE = 0;
const RTMGRP_LINK = 1;
const RTM_GETLINK = 18;
const NLM_F_REQUEST = 1;
const NLM_F_DUMP = 0x300;
const IFLA_EXT_MASK = 29;
const RTEXT_FILTER_SKIP_STATS = 8;
const EAGAIN = 11;
const EINTR = 4;
const ENOBUFS = 105;

/** `struct sockaddr_nl`: family, and which groups to hear. */
const ADDRESS_SIZE = 12;
const ADDRESS_GROUPS = 8;

/** A header, a `struct ifinfomsg` of zeros and one attribute of four bytes. */
const REQUEST_SIZE = 40;
const REQUEST_ATTRIBUTE = 32;

/** More than one message takes, also of an interface with many virtual functions. */
const RECEIVE_BYTES = 256 * 1024;
/** Messages received at once, in some milliseconds; what is left comes the next time. */
const RECEIVES_MAX = 1_000;
/** A list of ten thousand interfaces takes some ten milliseconds. */
const LIST_EVERY_MS = 1_000;

type OnLink = (message: LinkMessage, before: Link | undefined) => void;

const received = memory(RECEIVE_BYTES);

/** The interfaces of one network namespace as they come, change and go. */
export class LinkWatch implements Disposable {
  readonly #links = new Map<number, Link>();
  readonly #inNamespace: <T>(operation: () => T) => T;
  #socket: number;
  #listedMs = -Infinity;
  #isStale = true;

  /**
   * Begins to listen, and lists what is there.
   *
   * @param inNamespace Runs an operation with this thread in the namespace.
   * @throws {SystemCallError} where the kernel refuses.
   */
  constructor(inNamespace: <T>(operation: () => T) => T) {
    this.#inNamespace = inNamespace;
    this.#socket = inNamespace(() => openSocket(RTMGRP_LINK));
    try {
      this.#list();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** What is there, by index. */
  get links(): ReadonlyMap<number, Link> {
    return this.#links;
  }

  /**
   * Takes what the kernel told since the last call. Takes a microsecond where that is nothing.
   *
   * @param onMessage Called for each message in its order, with what was known of the interface before.
   *   Where the kernel told more than it could keep, all that is there is told once more.
   * @returns Whether there was anything.
   * @throws {SystemCallError} where the kernel refuses.
   */
  look(onMessage: OnLink): boolean {
    let count = 0;
    let read = receive(this.#socket);
    for (; read !== "nothing" && ++count < RECEIVES_MAX; read = receive(this.#socket)) {
      if (read === "too much") this.#isStale = true;
      else if (!this.#isStale) {
        for (const message of read.messages) this.#take(message, onMessage);
      }
    }
    // What is waiting still is older than a list.
    const isListDue = this.#isStale && read === "nothing" &&
      performance.now() - this.#listedMs >= LIST_EVERY_MS;
    if (isListDue) this.#list(onMessage);
    return count > 0 || isListDue;
  }

  #take(message: LinkMessage, onMessage: OnLink): void {
    const { link, isGone } = message;
    const before = this.#links.get(link.index);
    if (isGone) this.#links.delete(link.index);
    else this.#links.set(link.index, link);
    onMessage(message, before);
  }

  #list(onMessage: OnLink = () => {}): void {
    const gone = new Map(this.#links);
    // What changes from here on is told.
    for (const { link } of this.#inNamespace(listLinks)) {
      gone.delete(link.index);
      this.#take({ link, isGone: false }, onMessage);
    }
    for (const link of gone.values()) this.#take({ link, isGone: true }, onMessage);
    this.#listedMs = performance.now();
    this.#isStale = false;
  }

  /** Ends listening. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#socket >= 0) libc().close(this.#socket);
    this.#socket = -1;
  }
}

/** Every interface of the namespace of this thread. */
function listLinks(): LinkMessage[] {
  const socket = openSocket(0);
  try {
    const request = memory(REQUEST_SIZE);
    const view = new DataView(request.buffer);
    view.setUint32(0, REQUEST_SIZE, true);
    view.setUint16(4, RTM_GETLINK, true);
    view.setUint16(6, NLM_F_REQUEST | NLM_F_DUMP, true);
    view.setUint16(REQUEST_ATTRIBUTE, 8, true);
    view.setUint16(REQUEST_ATTRIBUTE + 2, IFLA_EXT_MASK, true);
    view.setUint32(REQUEST_ATTRIBUTE + 4, RTEXT_FILTER_SKIP_STATS, true);
    checkResult(libc().send(socket, request, BigInt(REQUEST_SIZE), 0), "send(RTM_GETLINK)");
    const all: LinkMessage[] = [];
    for (;;) {
      // The kernel answers before the call returns, a part at each.
      const read = receive(socket);
      if (typeof read === "string") return all;
      all.push(...read.messages);
      if (read.isEnd) return all;
    }
  } finally {
    libc().close(socket);
  }
}

function openSocket(groups: number): number {
  const socket = checkResult(
    libc().socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE),
    "socket(AF_NETLINK)",
  );
  const address = memory(ADDRESS_SIZE);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_NETLINK, true);
  view.setUint32(ADDRESS_GROUPS, groups, true);
  try {
    checkResult(libc().bind(socket, address, ADDRESS_SIZE), "bind(AF_NETLINK)");
  } catch (error) {
    libc().close(socket);
    throw error;
  }
  return socket;
}

function receive(socket: number): LinkMessages | "nothing" | "too much" {
  for (;;) {
    const length = Number(libc().recv(socket, received, BigInt(RECEIVE_BYTES), 0));
    if (length >= 0) return parseLinkMessages(new DataView(received.buffer, 0, length));
    const errno = lastErrno();
    if (errno === EAGAIN) return "nothing";
    if (errno === ENOBUFS) return "too much";
    if (errno !== EINTR) throw new SystemCallError("recv(AF_NETLINK)", errno);
  }
}
