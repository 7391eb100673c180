/**
 * What the kernel says of a handshake - one side of it, its accept(), a packet of it that was dropped
 * or answered with a RST - or of a listener: the record that the scripts in `bpf/` write, as bytes of
 * a bpftrace map or as a line of hexadecimal words.
 */

import { type NegotiatedOptions, readNegotiatedOptions } from "./negotiated_options.ts";
import { readAddress, readMapped } from "./read_address.ts";
import { readComm } from "./read_comm.ts";
import { COMM, readTask, type Task, THREAD_COMM } from "./read_task.ts";
import { TcpState } from "./tcp_state.ts";
export type { NegotiatedOptions } from "./negotiated_options.ts";
export type { Process, Task, Thread } from "./read_task.ts";

/** What every record of a socket says. */
export interface KernelSocket extends Task {
  /** When it happened, nanoseconds on the axis: of one end, when it left the handshake. */
  endNs: number;
  /** Own address as four words, IPv4 as IPv4-mapped IPv6. */
  local: Uint32Array;
  /** Own port; 0 where a connect() failed before one was chosen. */
  localPort: number;
  /** User id that owns the socket; of an accept(), the one that called it. */
  uid: number;
  /** Inode number of the network namespace. */
  netns: number;
  /** Id of the socket's cgroup (v2): the inode number of its folder. */
  cgroup: number;
}

/** One side of one handshake as the kernel knows it when that side ends. */
export interface KernelEnd extends KernelSocket {
  /** Which side it is. */
  kind: "client" | "server";
  /** TCP state left, one of `TcpState`. */
  oldState: number;
  /** TCP state entered, one of `TcpState`. */
  newState: number;
  /** Peer's address as four words, IPv4 as IPv4-mapped IPv6. */
  remote: Uint32Array;
  /** Peer's port. */
  remotePort: number;
  /** Own initial sequence number (ISS, RFC 9293 section 3.3.1). */
  iss: number;
  /** Peer's initial sequence number (IRS), undefined where no SYN of the peer was taken. */
  irs: number | undefined;
  /** When connect() was called, on the axis; undefined on servers and by function probes. */
  connectNs: number | undefined;
  /** When the client's kernel was about to send the SYN (`tcp_connect`); only function probes see it. */
  synSentNs: number | undefined;
  /** When the listener was about to answer the SYN (`tcp_make_synack`); only function probes see it. */
  synReceivedNs: number | undefined;
  /** Inode number of the listener's socket; only on servers, only function probes see it. */
  listener: number | undefined;
  /** Indices of interfaces of which its listener may be bound to one; only on servers. */
  devices: readonly number[] | undefined;
  /** Whether the SYN was answered with a SYN cookie; undefined where the probes cannot tell. */
  synCookie: boolean | undefined;
  /** The kernel's smallest RTT sample in microseconds; undefined where it has none. */
  rttMinUs: number | undefined;
  /** Segments retransmitted by this side (SYNs, on a client). */
  retransmits: number;
  /** errno left on the socket (`sk_err`), 0 for none. */
  error: number;
  /** Negotiated options, undefined where the handshake did not get that far. */
  options: NegotiatedOptions | undefined;
}

/** A socket began to listen, or ended to. */
export interface KernelListener extends KernelSocket {
  /** That it is a listener. */
  kind: "listener";
  /** TCP state left, one of `TcpState`. */
  oldState: number;
  /** TCP state entered, one of `TcpState`. */
  newState: number;
  /** Inode number of the socket, which its descriptors show in /proc/PID/fd; 0 where it has none. */
  inode: number;
  /** Index of the interface that it is bound to, 0 for none. */
  device: number;
}

/** accept() returned a connection (`inet_csk_accept`); the process is the one that called it. */
export interface KernelAccept extends KernelSocket {
  /** That it is an accept(). */
  kind: "accepted";
  /** Client's address as four words, IPv4 as IPv4-mapped IPv6. */
  remote: Uint32Array;
  /** Client's port. */
  remotePort: number;
  /** Client's initial sequence number (IRS, RFC 9293 section 3.3.1). */
  irs: number;
}

/** The packet that a record tells of. */
export interface KernelPacket {
  /** When it happened, nanoseconds on the axis. */
  endNs: number;
  /** The packet's source address as four words, IPv4 as IPv4-mapped IPv6. */
  source: Uint32Array;
  /** The packet's destination address. */
  destination: Uint32Array;
  /** The packet's source port. */
  sourcePort: number;
  /** The packet's destination port. */
  destinationPort: number;
  /** The packet's flags, bits of `TcpFlag`. */
  flags: number;
  /** The packet's sequence number. */
  sequence: number;
  /** The packet's acknowledgment number; means nothing without the ACK flag. */
  acknowledgment: number;
  /** Why, by its symbol, such as NETFILTER_DROP. */
  reason: string;
}

/** A queue of a listener that was full. */
export interface QueueState {
  /** Entries in it. */
  length: number;
  /** Entries it may have (the backlog). */
  limit: number;
}

/** The kernel dropped a SYN or SYN-ACK (`skb:kfree_skb`, or the listener refused the SYN). */
export interface KernelDrop extends KernelPacket {
  /** That a packet was dropped. */
  kind: "dropped";
  /** The listener's queue that was full, where that is the reason. */
  queue?: QueueState;
  /** Inode number of the listener's network namespace, where a listener refused the SYN. */
  netns?: number;
  /** Inode number of that listener's socket. */
  listener?: number | undefined;
}

/** The kernel answered a packet with a RST (`tcp:tcp_send_reset`); the packet is the one answered. */
export interface KernelReset extends KernelPacket {
  /** That a RST was sent. */
  kind: "reset";
}

/** What a script in `bpf/` can tell, told apart by `kind`. */
export type KernelRecord = KernelEnd | KernelListener | KernelAccept | KernelDrop | KernelReset;

/** Places the two halves of a CLOCK_BOOTTIME on the program's axis, in nanoseconds. */
export type PlaceBoottime = (high: number, low: number) => number;

/** What reading a record needs to know of the machine that wrote it. */
export interface KernelDecoding {
  /** Places the kernel's times. */
  placeBoottime: PlaceBoottime;
  /**
   * The symbol of a reason for which this kernel drops packets (`enum skb_drop_reason`); undefined
   * where it was no drop of the packet itself.
   */
  dropReason(number: number): string | undefined;
  /** The symbol of a reason for which this kernel sends a RST (`enum sk_rst_reason`). */
  resetReason(number: number): string;
}

/** Bytes of a map key: socket address, end time. */
export const KEY_BYTES = 16;
/** Bytes of a map value: eleven words, two addresses, two comms. */
export const VALUE_BYTES = 152;
/** What the sentinel's words 0 to 9 hold, as repeated bytes: 0x01…01 to 0x0a…0a. */
const SENTINEL_WORDS = 10;

// Offsets of the value's fields in bytes, in the order of the words of "Fields" in bpf/handshake.bt. A
// word that packs two 32-bit values has its low half first: the maps are the machine's own byte order, little endian.
const CONNECT_NS = 0;
const INODE = 0;
const UID = 8;
const FAMILY = 16;
const DEVICE = 16;
const NETNS = 20;
const CGROUP = 24;
const KIND = 32;
const NEW_STATE = 33;
const OLD_STATE = 34;
const REMOTE_PORT = 36;
const LOCAL_PORT = 38;
const IRS = 40;
const ISS = 44;
const RTT_MIN_US = 48;
const ERROR = 58;
const RETRANSMITS = 60;
const OPTIONS = 72;
const LISTENER_FAMILY = 72;
const BOUND_IPV4 = 76;
const SYN_NS = 80;
/** Offset of both addresses in the value. */
export const LOCAL_ADDRESS = 88;
const REMOTE_ADDRESS = 104;

// The same words where a record tells of a packet.
const PACKET_FLAGS = OLD_STATE;
const SOURCE_PORT = REMOTE_PORT;
const DESTINATION_PORT = LOCAL_PORT;
const SEQUENCE = IRS;
const ACKNOWLEDGMENT = ISS;
const QUEUE_LIMIT = 48;
const QUEUE_LENGTH = 52;
const REASON = 56;
const DESTINATION_ADDRESS = LOCAL_ADDRESS;
const SOURCE_ADDRESS = REMOTE_ADDRESS;

/** What the byte at {@link KIND} says. */
const Kind = {
  Server: 0,
  Client: 1,
  Listener: 2,
  Accepted: 3,
  Dropped: 4,
  Reset: 5,
  Refused: 6,
} as const;

/** Why a listener refused a SYN, by the number in the record. */
const REFUSALS: readonly string[] = ["LISTEN_DROP", "ACCEPT_QUEUE_FULL", "SYN_QUEUE_FULL"];
const LISTEN_DROP = 0;

/** Bit of the options: the SYN was answered with a SYN cookie. */
const SYN_COOKIE = 0x80;
/** Address family of IPv4 (include/linux/socket.h). */
const AF_INET = 2;
/** `rtt_min` before the first sample: all bits set (tcp_init_sock, net/ipv4/tcp.c). */
const NO_RTT = 0xffffffff;

/** Tells whether a key is the sentinel's: both words 0, which no socket has. */
export function isSentinelKey(keys: DataView, keyAt: number): boolean {
  return keys.getUint32(keyAt, true) === 0 && keys.getUint32(keyAt + 4, true) === 0 &&
    keys.getUint32(keyAt + 8, true) === 0 && keys.getUint32(keyAt + 12, true) === 0;
}

/**
 * Tells whether a sentinel's bytes stand where this reader looks for them: a proof that the
 * bpftrace that runs lays its tuples out as this file expects.
 *
 * @param comm The comm of the process that wrote it.
 */
export function sentinelFits(values: DataView, valueAt: number, comm: string): boolean {
  for (let word = 0; word < SENTINEL_WORDS; word++) {
    for (let byte = 0; byte < 8; byte++) {
      if (values.getUint8(valueAt + word * 8 + byte) !== word + 1) return false;
    }
  }
  for (let at = LOCAL_ADDRESS; at < COMM; at += 4) {
    if (values.getUint32(valueAt + at) !== 0) return false;
  }
  return [COMM, THREAD_COMM].every((at) => readComm(values, valueAt + at) === comm);
}

/**
 * Reads when it happened what a record tells of: `endNs` of it.
 *
 * @param keys The keys' bytes, {@link KEY_BYTES} each. @param keyAt Where the record's key begins.
 */
export function readEndTime(keys: DataView, keyAt: number, placeBoottime: PlaceBoottime): number {
  return placeBoottime(keys.getUint32(keyAt + 12, true), keys.getUint32(keyAt + 8, true));
}

/**
 * Reads one record out of a drained map.
 *
 * @param keys The keys' bytes, {@link KEY_BYTES} each.
 * @param keyAt Where this record's key begins.
 * @param values The values' bytes, {@link VALUE_BYTES} each.
 * @param valueAt Where this record's value begins.
 * @param decoding Places the kernel's times and names its reasons.
 * @returns The record; undefined when its kind is none that is known, or what was dropped no packet
 *   of the handshake.
 */
export function readKernelRecord(
  keys: DataView,
  keyAt: number,
  values: DataView,
  valueAt: number,
  decoding: KernelDecoding,
): KernelRecord | undefined {
  const endNs = readEndTime(keys, keyAt, decoding.placeBoottime);
  switch (values.getUint8(valueAt + KIND)) {
    case Kind.Server:
      return readEnd("server", endNs, values, valueAt, decoding);
    case Kind.Client:
      return readEnd("client", endNs, values, valueAt, decoding);
    case Kind.Listener:
      return readListener(endNs, values, valueAt);
    case Kind.Accepted:
      return readAccept(endNs, values, valueAt);
    case Kind.Dropped: {
      const reason = decoding.dropReason(values.getUint32(valueAt + REASON, true));
      return reason === undefined
        ? undefined
        : { kind: "dropped", ...readPacket(endNs, reason, values, valueAt) };
    }
    case Kind.Reset: {
      const reason = decoding.resetReason(values.getUint32(valueAt + REASON, true));
      return { kind: "reset", ...readPacket(endNs, reason, values, valueAt) };
    }
    case Kind.Refused:
      return readRefusal(endNs, values, valueAt);
    default:
      return undefined;
  }
}

function readEnd(
  kind: "client" | "server",
  endNs: number,
  values: DataView,
  valueAt: number,
  { placeBoottime }: KernelDecoding,
): KernelEnd {
  const isServer = kind === "server";
  const who = readTask(values, valueAt);
  const newState = values.getUint8(valueAt + NEW_STATE);
  const established = newState === TcpState.Established;
  const rttMinUs = values.getUint32(valueAt + RTT_MIN_US, true);
  const options = values.getUint32(valueAt + OPTIONS, true);
  const synNs = readTime(values, valueAt + SYN_NS, placeBoottime);
  // Scripts that see no SYN arrive leave the time 0, and then a missing cookie bit says nothing.
  const sawSynArrive = isServer && synNs !== undefined;
  // In one literal: to spread another object into it would take as long as all the rest.
  return {
    kind,
    endNs,
    local: readLocalAddress(values, valueAt),
    localPort: values.getUint16(valueAt + LOCAL_PORT, true),
    remote: readAddress(values, valueAt + REMOTE_ADDRESS),
    remotePort: values.getUint16(valueAt + REMOTE_PORT, true),
    pid: who.pid,
    comm: who.comm,
    thread: who.thread,
    isKernel: who.isKernel,
    uid: values.getUint32(valueAt + UID, true),
    netns: values.getUint32(valueAt + NETNS, true),
    cgroup: readCgroup(values, valueAt),
    oldState: values.getUint8(valueAt + OLD_STATE),
    newState,
    iss: values.getUint32(valueAt + ISS, true),
    // A client that never took a SYN has rcv_nxt 0, which makes the script's arithmetic give -1.
    irs: established || isServer ? values.getUint32(valueAt + IRS, true) : undefined,
    connectNs: isServer ? undefined : readTime(values, valueAt + CONNECT_NS, placeBoottime),
    synSentNs: isServer ? undefined : synNs,
    synReceivedNs: isServer ? synNs : undefined,
    listener: isServer ? readInode(values, valueAt) || undefined : undefined,
    devices: isServer ? readDevices(values, valueAt) : undefined,
    synCookie: sawSynArrive ? (options & SYN_COOKIE) !== 0 : undefined,
    rttMinUs: established && rttMinUs !== NO_RTT ? rttMinUs : undefined,
    retransmits: values.getUint32(valueAt + RETRANSMITS, true),
    error: values.getUint16(valueAt + ERROR, true),
    options: established ? readNegotiatedOptions(options) : undefined,
  };
}

/** In one literal, as {@link readEnd}. */
function readAccept(endNs: number, values: DataView, valueAt: number): KernelAccept {
  const who = readTask(values, valueAt);
  return {
    kind: "accepted",
    endNs,
    local: readAddressOfFamily(values, valueAt, LOCAL_ADDRESS),
    localPort: values.getUint16(valueAt + LOCAL_PORT, true),
    remote: readAddressOfFamily(values, valueAt, REMOTE_ADDRESS),
    remotePort: values.getUint16(valueAt + REMOTE_PORT, true),
    pid: who.pid,
    comm: who.comm,
    thread: who.thread,
    isKernel: who.isKernel,
    uid: values.getUint32(valueAt + UID, true),
    netns: values.getUint32(valueAt + NETNS, true),
    cgroup: readCgroup(values, valueAt),
    irs: values.getUint32(valueAt + IRS, true),
  };
}

function readListener(endNs: number, values: DataView, valueAt: number): KernelListener {
  return {
    kind: "listener",
    endNs,
    local: readListenerAddress(values, valueAt),
    localPort: values.getUint16(valueAt + LOCAL_PORT, true),
    ...readTask(values, valueAt),
    uid: values.getUint32(valueAt + UID, true),
    netns: values.getUint32(valueAt + NETNS, true),
    cgroup: readCgroup(values, valueAt),
    oldState: values.getUint8(valueAt + OLD_STATE),
    newState: values.getUint8(valueAt + NEW_STATE),
    inode: readInode(values, valueAt),
    device: values.getUint32(valueAt + DEVICE, true),
  };
}

const NO_DEVICES: readonly number[] = [];

/** What a listener takes is bound to the interface that the listener is bound to. */
function readDevices(values: DataView, valueAt: number): readonly number[] {
  const device = values.getUint32(valueAt + DEVICE, true);
  return device === 0 ? NO_DEVICES : [device];
}

function readInode(values: DataView, valueAt: number): number {
  return values.getUint32(valueAt + INODE + 4, true) * 4294967296 +
    values.getUint32(valueAt + INODE, true);
}

function readCgroup(values: DataView, valueAt: number): number {
  return values.getUint32(valueAt + CGROUP + 4, true) * 4294967296 +
    values.getUint32(valueAt + CGROUP, true);
}

function readPacket(
  endNs: number,
  reason: string,
  values: DataView,
  valueAt: number,
): KernelPacket {
  return {
    endNs,
    source: readAddressOfFamily(values, valueAt, SOURCE_ADDRESS),
    destination: readAddressOfFamily(values, valueAt, DESTINATION_ADDRESS),
    sourcePort: values.getUint16(valueAt + SOURCE_PORT, true),
    destinationPort: values.getUint16(valueAt + DESTINATION_PORT, true),
    flags: values.getUint8(valueAt + PACKET_FLAGS),
    sequence: values.getUint32(valueAt + SEQUENCE, true),
    acknowledgment: values.getUint32(valueAt + ACKNOWLEDGMENT, true),
    reason,
  };
}

function readRefusal(endNs: number, values: DataView, valueAt: number): KernelDrop {
  const refusal = values.getUint32(valueAt + REASON, true);
  const known = refusal < REFUSALS.length ? refusal : LISTEN_DROP;
  const record: KernelDrop = {
    kind: "dropped",
    ...readPacket(endNs, REFUSALS[known], values, valueAt),
    netns: values.getUint32(valueAt + NETNS, true),
    listener: readInode(values, valueAt) || undefined,
  };
  if (known !== LISTEN_DROP) {
    record.queue = {
      length: values.getUint32(valueAt + QUEUE_LENGTH, true),
      limit: values.getUint32(valueAt + QUEUE_LIMIT, true),
    };
  }
  return record;
}

/** A socket's own address. Of an IPv4 socket that was bound, function probes find it elsewhere. */
function readLocalAddress(values: DataView, valueAt: number): Uint32Array {
  const words = readAddress(values, valueAt + LOCAL_ADDRESS);
  const isKnown = (words[0] | words[1] | words[2] | words[3]) !== 0;
  if (isKnown || values.getUint32(valueAt + BOUND_IPV4) === 0) return words;
  return readMapped(values, valueAt + BOUND_IPV4);
}

function readListenerAddress(values: DataView, valueAt: number): Uint32Array {
  return values.getUint32(valueAt + LISTENER_FAMILY, true) === AF_INET
    ? readMapped(values, valueAt + BOUND_IPV4)
    : readAddress(values, valueAt + LOCAL_ADDRESS);
}

/**
 * An address that a script took as 16 bytes from where the kernel keeps it: of IPv4 only the last
 * four are the address, what stands before them is what stands before it in memory.
 */
function readAddressOfFamily(values: DataView, valueAt: number, offset: number): Uint32Array {
  return values.getUint32(valueAt + FAMILY, true) === AF_INET
    ? readMapped(values, valueAt + offset + 12)
    : readAddress(values, valueAt + offset);
}

function readTime(view: DataView, at: number, placeBoottime: PlaceBoottime): number | undefined {
  const low = view.getUint32(at, true);
  const high = view.getUint32(at + 4, true);
  return low === 0 && high === 0 ? undefined : placeBoottime(high, low);
}
