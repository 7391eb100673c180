/**
 * Asks the kernel which TCP sockets listen in a network namespace, by netlink (sock_diag(7)): it tells
 * more of them than /proc/net/tcp, and lists no connection on the way.
 *
 * @module
 */
import type { ListeningSocket } from "../../kernel/listeners.ts";
import { readAddress, readMapped } from "../../kernel/read_address.ts";
import { TcpState } from "../../kernel/tcp_state.ts";
import { checkResult, libc, memory } from "../libc.ts";
import type { NetworkNamespace } from "../netns/network_namespace.ts";

// linux/netlink.h, linux/socket.h, linux/sock_diag.h
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST_DUMP = 0x301;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
/** `struct nlmsghdr`: length, type, flags, sequence, port. */
const HEADER_BYTES = 16;
const HEADER_TYPE = 4;
const MSG_DONTWAIT = 0x40;

const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_TCP = 6;

// struct inet_diag_req_v2, linux/inet_diag.h, behind the header.
const REQUEST_BYTES = HEADER_BYTES + 56;
const REQUEST_FAMILY = HEADER_BYTES;
const REQUEST_PROTOCOL = HEADER_BYTES + 1;
const REQUEST_STATES = HEADER_BYTES + 4;

// struct inet_diag_msg, from its start.
const FAMILY = 0;
const STATE = 1;
const PORT = 4;
const ADDRESS = 8;
const DEVICE = 40;
const UID = 64;
const INODE = 68;
const MESSAGE_BYTES = 72;
// Attributes behind it: struct nlattr, padded to four bytes.
const ATTRIBUTE_BYTES = 4;
const INET_DIAG_CGROUP_ID = 21;
const INET_DIAG_SOCKOPT = 22;
/** Of the first byte of `struct inet_diag_sockopt`: IP_TRANSPARENT. */
const TRANSPARENT = 0x20;

/** What the kernel fills at a time: some hundred sockets, a fraction of a millisecond. */
const PART_BYTES = 32_768;

/** A message that is not one of sockets ends the answer. */
export type DiagPart = { sockets: ListeningSocket[]; ended: boolean };

/**
 * The listening sockets of a namespace, some at a time, so that the caller may rest between them. One
 * that begins or ends to listen meanwhile may be missed.
 *
 * @throws {SystemCallError} where the namespace cannot be entered or the kernel gives no answer.
 */
export function* listListening(namespace: NetworkNamespace): Generator<ListeningSocket[]> {
  const descriptor = namespace.run(() =>
    checkResult(
      libc().socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG),
      "socket(NETLINK_SOCK_DIAG)",
    )
  );
  try {
    const part = memory(PART_BYTES);
    for (const family of [AF_INET, AF_INET6]) {
      const request = listenersRequest(family);
      const size = BigInt(request.length);
      checkResult(libc().send(descriptor, request, size, 0), "send(NETLINK_SOCK_DIAG)");
      for (let ended = false; !ended;) {
        const length = checkResult(
          libc().recv(descriptor, part, BigInt(PART_BYTES), MSG_DONTWAIT),
          "recv(NETLINK_SOCK_DIAG)",
        );
        const read = readListening(part.subarray(0, Number(length)), namespace.inode);
        ended = read.ended;
        if (read.sockets.length > 0) yield read.sockets;
      }
    }
  } finally {
    libc().close(descriptor);
  }
}

function listenersRequest(family: number): Uint8Array<ArrayBuffer> {
  const bytes = memory(REQUEST_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, REQUEST_BYTES, true);
  view.setUint16(HEADER_TYPE, SOCK_DIAG_BY_FAMILY, true);
  view.setUint16(HEADER_TYPE + 2, NLM_F_REQUEST_DUMP, true);
  view.setUint8(REQUEST_FAMILY, family);
  view.setUint8(REQUEST_PROTOCOL, IPPROTO_TCP);
  view.setUint32(REQUEST_STATES, 1 << TcpState.Listen, true);
  return bytes;
}

/**
 * Reads a part of the kernel's answer.
 *
 * @param bytes Whole netlink messages, of this machine's byte order (little endian).
 * @param netns Inode number of the namespace.
 * @returns Its listening sockets, and whether the answer ends with it: also where the kernel refuses
 *   or the messages are not whole.
 */
export function readListening(bytes: Uint8Array, netns: number): DiagPart {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sockets: ListeningSocket[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const length = view.getUint32(at, true);
    const type = view.getUint16(at + HEADER_TYPE, true);
    const isWhole = length >= HEADER_BYTES && at + length <= bytes.length;
    if (!isWhole || type === NLMSG_DONE || type === NLMSG_ERROR) return { sockets, ended: true };
    if (type === SOCK_DIAG_BY_FAMILY && length >= HEADER_BYTES + MESSAGE_BYTES) {
      const socket = readSocket(view, at + HEADER_BYTES, at + length, netns);
      if (socket) sockets.push(socket);
    }
    at += align(length);
  }
  return { sockets, ended: bytes.length === 0 };
}

function readSocket(
  view: DataView,
  at: number,
  end: number,
  netns: number,
): ListeningSocket | undefined {
  const inode = view.getUint32(at + INODE, true);
  if (view.getUint8(at + STATE) !== TcpState.Listen || inode === 0) return undefined;
  const isIpv4 = view.getUint8(at + FAMILY) === AF_INET;
  const address = isIpv4 ? readMapped(view, at + ADDRESS) : readAddress(view, at + ADDRESS);
  const socket: ListeningSocket = {
    netns,
    address,
    port: view.getUint16(at + PORT),
    inode,
    device: view.getUint32(at + DEVICE, true),
    transparent: false,
    uid: view.getUint32(at + UID, true),
    cgroup: undefined,
  };
  for (let next = at + MESSAGE_BYTES; next + ATTRIBUTE_BYTES <= end;) {
    const length = view.getUint16(next, true);
    if (length < ATTRIBUTE_BYTES || next + length > end) break;
    const type = view.getUint16(next + 2, true);
    const value = next + ATTRIBUTE_BYTES;
    if (type === INET_DIAG_SOCKOPT && length > ATTRIBUTE_BYTES) {
      socket.transparent = (view.getUint8(value) & TRANSPARENT) !== 0;
    } else if (type === INET_DIAG_CGROUP_ID && length >= ATTRIBUTE_BYTES + 8) {
      socket.cgroup = Number(view.getBigUint64(value, true));
    }
    next += align(length);
  }
  return socket;
}

/** Messages and attributes begin at multiples of four. */
function align(length: number): number {
  return (length + 3) & ~3;
}
