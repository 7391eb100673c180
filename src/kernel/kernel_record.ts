/**
 * What the kernel says of one side of one handshake, or of one listener: the record that the scripts
 * in `bpf/` write, as bytes of a bpftrace map or as a line of hexadecimal words.
 */

/** A process, as the kernel saw it at the moment that counts. */
export interface Process {
  /** Process id in the kernel's first pid namespace. */
  pid: number;
  /** Command name, at most 15 bytes, as given by the process: untrusted text. */
  comm: string;
  /** User id that owns the socket. */
  uid: number;
  /** Id of the socket's cgroup (v2): the inode number of its folder. */
  cgroup: number;
}

/** Which part of a handshake a record tells of. */
export type KernelSide = "client" | "server" | "listener";

/** One side of one handshake as the kernel knows it when that side ends. */
export interface KernelRecord {
  /** Which part of the handshake this is. */
  side: KernelSide;
  /** Address of the socket structure: tells apart listeners on one port, reused soon after. */
  socket: bigint;
  /** TCP state left, one of `TcpState`. */
  oldState: number;
  /** TCP state entered, one of `TcpState`. */
  newState: number;
  /** Own address as four words, IPv4 as IPv4-mapped IPv6. */
  local: Uint32Array;
  /** Peer's address as four words, IPv4 as IPv4-mapped IPv6; all 0 for a listener. */
  remote: Uint32Array;
  /** Own port; 0 where a connect() failed before one was chosen. */
  localPort: number;
  /** Peer's port; 0 for a listener. */
  remotePort: number;
  /** Own initial sequence number (ISS, RFC 9293 section 3.3.1). */
  iss: number;
  /** Peer's initial sequence number (IRS), undefined where no SYN of the peer was taken. */
  irs: number | undefined;
  /** When connect() was called, nanoseconds on the axis; undefined on servers and for older connects. */
  connectNs: number | undefined;
  /** When this side left the handshake, nanoseconds on the axis. */
  endNs: number;
  /** When the kernel took the SYN, nanoseconds on the axis; only function probes see it. */
  synReceivedNs: number | undefined;
  /** Process id, 0 where the kernel could not tell. */
  pid: number;
  /** Command name, "" where the kernel could not tell: untrusted text. */
  comm: string;
  /** User id that owns the socket. */
  uid: number;
  /** Inode number of the network namespace. */
  netns: number;
  /** Id of the socket's cgroup (v2): the inode number of its folder. */
  cgroup: number;
  /** The kernel's smallest RTT sample in microseconds; undefined where it has none. */
  rttMinUs: number | undefined;
  /** Segments retransmitted by this side (SYNs, on a client). */
  retransmits: number;
  /** errno left on the socket (`sk_err`), 0 for none. */
  error: number;
  /** Negotiated options, undefined where the handshake did not get that far. */
  options: NegotiatedOptions | undefined;
}

/** What both sides agreed on, from `tcp_sock.rx_opt`. */
export interface NegotiatedOptions {
  /** Timestamps (RFC 7323). */
  timestamps: boolean;
  /** Selective acknowledgments (RFC 2018). */
  sackPermitted: boolean;
  /** Window scaling (RFC 7323). */
  windowScale: boolean;
  /** Shift count that the peer announced, 0 to 14 (RFC 7323). */
  peerWindowScale: number;
  /** Shift count that this side announced, 0 to 14 (RFC 7323). */
  ownWindowScale: number;
  /** Data was sent in the SYN (RFC 7413). */
  synData: boolean;
  /** Data sent in the SYN was acknowledged (RFC 7413). */
  synDataAcknowledged: boolean;
}

/** Places the two halves of a CLOCK_BOOTTIME on the program's axis, in nanoseconds. */
export type PlaceBoottime = (high: number, low: number) => number;

/** Bytes of a map key: socket address, end time. */
export const KEY_BYTES = 16;
/** Bytes of a map value: eleven words, two addresses, comm. */
export const VALUE_BYTES = 136;
/** What the sentinel's words 0 to 9 hold, as repeated bytes: 0x01…01 to 0x0a…0a. */
const SENTINEL_WORDS = 10;

// Offsets of the value's fields in bytes, in the order of bpf/handshake.*.bt. A word that packs two
// 32-bit values has its low half first: the maps are the machine's own byte order, little endian.
const CONNECT_NS = 0;
const UID = 8;
const PID = 12;
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
const SYN_RECEIVED_NS = 80;
const LOCAL_ADDRESS = 88;
const REMOTE_ADDRESS = 104;
const COMM = 120;
const COMM_BYTES = 16;

const SIDES: readonly KernelSide[] = ["server", "client", "listener"];
/** `rtt_min` before the first sample: all bits set (tcp_init_sock, net/ipv4/tcp.c). */
const NO_RTT = 0xffffffff;
const ESTABLISHED = 1;
const BPFTRACE_COMM = "bpftrace";

// A name may begin with the bytes of a byte order mark, which decoding would leave out.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Tells whether a key is the sentinel's: both words 0, which no socket has. */
export function isSentinelKey(keys: DataView, keyAt: number): boolean {
  return keys.getUint32(keyAt, true) === 0 && keys.getUint32(keyAt + 4, true) === 0 &&
    keys.getUint32(keyAt + 8, true) === 0 && keys.getUint32(keyAt + 12, true) === 0;
}

/**
 * Tells whether a sentinel's bytes stand where this reader looks for them: a proof that the
 * bpftrace that runs lays its tuples out as this file expects.
 */
export function sentinelFits(values: DataView, valueAt: number): boolean {
  for (let word = 0; word < SENTINEL_WORDS; word++) {
    for (let byte = 0; byte < 8; byte++) {
      if (values.getUint8(valueAt + word * 8 + byte) !== word + 1) return false;
    }
  }
  for (let at = LOCAL_ADDRESS; at < COMM; at += 4) {
    if (values.getUint32(valueAt + at) !== 0) return false;
  }
  return readComm(values, valueAt) === BPFTRACE_COMM;
}

/**
 * Reads one record out of a drained map.
 *
 * @param keys The keys' bytes, {@link KEY_BYTES} each.
 * @param keyAt Where this record's key begins.
 * @param values The values' bytes, {@link VALUE_BYTES} each.
 * @param valueAt Where this record's value begins.
 * @param placeBoottime Places the kernel's times.
 * @returns The record, or undefined when its kind is none that is known.
 */
export function readKernelRecord(
  keys: DataView,
  keyAt: number,
  values: DataView,
  valueAt: number,
  placeBoottime: PlaceBoottime,
): KernelRecord | undefined {
  const side = SIDES[values.getUint8(valueAt + KIND)];
  if (side === undefined) return undefined;
  const newState = values.getUint8(valueAt + NEW_STATE);
  const established = newState === ESTABLISHED;
  const rttMinUs = values.getUint32(valueAt + RTT_MIN_US, true);
  return {
    side,
    socket: keys.getBigUint64(keyAt, true),
    oldState: values.getUint8(valueAt + OLD_STATE),
    newState,
    local: readAddress(values, valueAt + LOCAL_ADDRESS),
    remote: readAddress(values, valueAt + REMOTE_ADDRESS),
    localPort: values.getUint16(valueAt + LOCAL_PORT, true),
    remotePort: values.getUint16(valueAt + REMOTE_PORT, true),
    iss: values.getUint32(valueAt + ISS, true),
    // A client that never took a SYN has rcv_nxt 0, which makes the script's arithmetic give -1.
    irs: established || side === "server" ? values.getUint32(valueAt + IRS, true) : undefined,
    connectNs: readTime(values, valueAt + CONNECT_NS, placeBoottime),
    endNs: placeBoottime(keys.getUint32(keyAt + 12, true), keys.getUint32(keyAt + 8, true)),
    synReceivedNs: readTime(values, valueAt + SYN_RECEIVED_NS, placeBoottime),
    pid: values.getUint32(valueAt + PID, true),
    comm: readComm(values, valueAt),
    uid: values.getUint32(valueAt + UID, true),
    netns: values.getUint32(valueAt + NETNS, true),
    cgroup: values.getUint32(valueAt + CGROUP + 4, true) * 4294967296 +
      values.getUint32(valueAt + CGROUP, true),
    rttMinUs: established && rttMinUs !== NO_RTT ? rttMinUs : undefined,
    retransmits: values.getUint32(valueAt + RETRANSMITS, true),
    error: values.getUint16(valueAt + ERROR, true),
    options: established ? readOptions(values.getUint32(valueAt + OPTIONS, true)) : undefined,
  };
}

function readAddress(view: DataView, at: number): Uint32Array {
  const words = new Uint32Array(4);
  for (let word = 0; word < 4; word++) words[word] = view.getUint32(at + word * 4);
  return words;
}

function readTime(view: DataView, at: number, placeBoottime: PlaceBoottime): number | undefined {
  const low = view.getUint32(at, true);
  const high = view.getUint32(at + 4, true);
  return low === 0 && high === 0 ? undefined : placeBoottime(high, low);
}

function readComm(view: DataView, valueAt: number): string {
  let length = 0;
  while (length < COMM_BYTES && view.getUint8(valueAt + COMM + length) !== 0) length++;
  return decoder.decode(new Uint8Array(view.buffer, view.byteOffset + valueAt + COMM, length));
}

function readOptions(bits: number): NegotiatedOptions {
  return {
    timestamps: (bits & 0x01) !== 0,
    sackPermitted: (bits & 0x02) !== 0,
    windowScale: (bits & 0x10) !== 0,
    peerWindowScale: (bits >>> 8) & 0xf,
    ownWindowScale: (bits >>> 12) & 0xf,
    synData: (bits & 0x20) !== 0,
    synDataAcknowledged: (bits & 0x40) !== 0,
  };
}
