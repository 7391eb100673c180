/**
 * Builds kernel records as the scripts in `bpf/` write them, from the layout that their opening
 * comment documents: as the bytes of a map's key and value, and as a line of mode 2. Nothing here
 * comes from `src/kernel`, so a reader that misplaces a field disagrees with it.
 */
import fc from "fast-check";

/** One record, in the kernel's own quantities. */
export interface RawRecord {
  socket: bigint;
  endNs: bigint;
  connectNs: bigint;
  pid: number;
  uid: number;
  netns: number;
  family: number;
  cgroup: bigint;
  localPort: number;
  remotePort: number;
  oldState: number;
  newState: number;
  /** 0 server, 1 client, 2 listener, 3 accepted, 4 dropped, 5 reset, 6 refused by the listener. */
  kind: number;
  iss: number;
  irs: number;
  /** Only of a SYN that a listener refused: the length of a queue. */
  queueLength: number;
  rttMinUs: number;
  retransmits: number;
  error: number;
  /** Only of packets: the low half of a reason, whose high half stands where an error does. */
  reasonLow: number;
  /** Of a listener its address family. */
  options: number;
  /** An IPv4 address that bind() gave, its bytes as a little-endian number. */
  boundIpv4: number;
  synReceivedNs: bigint;
  /** Addresses as 16 bytes in network order. */
  local: Uint8Array;
  remote: Uint8Array;
  /** At most 16 bytes, padded with NUL. */
  comm: Uint8Array;
  /** Thread id; 0 where it is the process's first. */
  tid: number;
  /** 1 a thread of the kernel, 2 that it runs what another asked for. */
  task: number;
  /** Of that thread, like comm. */
  threadComm: Uint8Array;
}

/** A client that connected from 10.0.0.1:40000 to 10.0.0.2:443; each value differs from the others. */
export const CLIENT: RawRecord = {
  socket: 0xffff_8881_05a6_0940n,
  endNs: 5_000_000_123n,
  connectNs: 4_000_000_456n,
  pid: 4711,
  uid: 1000,
  netns: 0xeffffff9,
  family: 2,
  cgroup: 8231n,
  localPort: 40_000,
  remotePort: 443,
  oldState: 2,
  newState: 1,
  kind: 1,
  iss: 0xfedcba98,
  irs: 0x89abcdef,
  queueLength: 0,
  rttMinUs: 23,
  retransmits: 3,
  error: 0,
  reasonLow: 0,
  options: 0x7413,
  boundIpv4: 0,
  synReceivedNs: 0n,
  local: mapped(10, 0, 0, 1),
  remote: mapped(10, 0, 0, 2),
  comm: ascii("curl"),
  tid: 0,
  task: 0,
  threadComm: new Uint8Array(),
};

/** A record that tells of a packet, in the kernel's own quantities. */
export interface RawPacket {
  skb: bigint;
  endNs: bigint;
  netns: number;
  family: number;
  destinationPort: number;
  sourcePort: number;
  flags: number;
  /** 4 dropped, 5 answered with a RST, 6 refused by the listener. */
  kind: number;
  acknowledgment: number;
  sequence: number;
  queueLength: number;
  queueLimit: number;
  reason: number;
  /** 16 bytes; of IPv4 those of the header that end with the address. */
  destination: Uint8Array;
  source: Uint8Array;
}

/** The 20 bytes of an IPv4 header from 10.0.0.1 to 10.0.0.2, each other byte different. */
const IPV4_HEADER = new Uint8Array(
  [0x45, 0x10, 0x00, 0x3c, 0xab, 0xcd, 0x40, 0x00, 0x40, 6, 0x12, 0x34, 10, 0, 0, 1, 10, 0, 0, 2],
);

/** A SYN of {@link CLIENT} that was dropped; each value differs from the others. */
export const DROPPED: RawPacket = {
  skb: 0xffff_8881_0bad_cafen,
  endNs: 5_000_000_777n,
  netns: 0,
  family: 2,
  destinationPort: 443,
  sourcePort: 40_000,
  flags: 0x02,
  kind: 4,
  acknowledgment: 0x11223344,
  sequence: 0xfedcba98,
  queueLength: 0,
  queueLimit: 0,
  reason: 0x10007,
  destination: IPV4_HEADER.slice(4, 20),
  source: IPV4_HEADER.slice(0, 16),
};

/** A record of a packet in the words that all records share. */
export function packetRecord(raw: RawPacket): RawRecord {
  return {
    socket: raw.skb,
    endNs: raw.endNs,
    connectNs: 0n,
    pid: 0,
    uid: 0,
    netns: raw.netns,
    family: raw.family,
    cgroup: 0n,
    localPort: raw.destinationPort,
    remotePort: raw.sourcePort,
    oldState: raw.flags,
    newState: 0,
    kind: raw.kind,
    iss: raw.acknowledgment,
    irs: raw.sequence,
    queueLength: raw.queueLength,
    rttMinUs: raw.queueLimit,
    retransmits: 0,
    error: raw.reason >>> 16,
    reasonLow: raw.reason & 0xffff,
    options: 0,
    boundIpv4: 0,
    synReceivedNs: 0n,
    local: raw.destination,
    remote: raw.source,
    comm: ascii("swapper/0"),
    tid: 0,
    task: 0,
    threadComm: new Uint8Array(),
  };
}

/** An IPv4 address as 16 bytes, IPv4-mapped. */
export function mapped(...bytes: [number, number, number, number]): Uint8Array {
  return new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes]);
}

/** The bytes of a text in UTF-8. */
export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The words 0 to 10 of the layout. */
function words(raw: RawRecord): bigint[] {
  const pair = (high: number, low: number) => BigInt(high) << 32n | BigInt(low);
  return [
    raw.connectNs,
    pair(raw.pid, raw.uid),
    pair(raw.netns, raw.family),
    raw.cgroup,
    BigInt(raw.localPort) << 48n | BigInt(raw.remotePort) << 32n | BigInt(raw.oldState) << 16n |
    BigInt(raw.newState) << 8n | BigInt(raw.kind),
    pair(raw.iss, raw.irs),
    pair(raw.queueLength, raw.rttMinUs),
    BigInt(raw.retransmits) << 32n | BigInt(raw.error) << 16n | BigInt(raw.reasonLow),
    pair(raw.tid, raw.task),
    pair(raw.boundIpv4, raw.options),
    raw.synReceivedNs,
  ];
}

/** A key's 16 bytes and a value's 152, as a little-endian machine's map holds them. */
export function buildBytes(raw: RawRecord): { key: Uint8Array; value: Uint8Array } {
  const key = new Uint8Array(16);
  const keyView = new DataView(key.buffer);
  keyView.setBigUint64(0, raw.socket, true);
  keyView.setBigUint64(8, raw.endNs, true);
  const value = new Uint8Array(152);
  const valueView = new DataView(value.buffer);
  words(raw).forEach((word, index) => valueView.setBigUint64(index * 8, word, true));
  value.set(raw.local, 88);
  value.set(raw.remote, 104);
  value.set(raw.comm, 120);
  value.set(raw.threadComm, 136);
  return { key, value };
}

/** A line of mode 2, its comm decoded as bpftrace's standard output is: byte by byte, then as UTF-8. */
export function buildLine(raw: RawRecord): string {
  const numbers = [raw.socket, raw.endNs, ...words(raw)].map((number) => number.toString(16));
  const addresses = [raw.local, raw.remote].map((bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return [0, 2, 4, 6, 8, 10, 12, 14].map((at) => view.getUint16(at).toString(16)).join(":");
  });
  const end = raw.comm.indexOf(0);
  const comm = new TextDecoder("utf-8", { ignoreBOM: true })
    .decode(end < 0 ? raw.comm : raw.comm.subarray(0, end));
  return ["K3", ...numbers, ...addresses, comm].join("|");
}

/** Any record of the kinds up to one, its comm any bytes without a newline. */
export function anyRecord(lastKind = 6): fc.Arbitrary<RawRecord> {
  const u8 = fc.nat({ max: 0xff });
  const u16 = fc.nat({ max: 0xffff });
  const u32 = fc.nat({ max: 0xffffffff });
  const u64 = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constant(0n));
  const address = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const printable = fc.constantFrom(...ascii("|abc/:K ").values());
  const byte = fc.oneof(u8.filter((value) => value !== 0x0a), printable);
  const comm = fc.array(byte, { maxLength: 16 }).map((bytes) => new Uint8Array(bytes));
  return fc.record({
    socket: u64,
    endNs: u64,
    connectNs: u64,
    pid: u32,
    uid: u32,
    netns: u32,
    family: fc.constantFrom(2, 10),
    cgroup: u64,
    localPort: u16,
    remotePort: u16,
    oldState: u8,
    newState: fc.oneof(u8, fc.constant(1)),
    kind: fc.nat({ max: lastKind }),
    iss: u32,
    irs: u32,
    queueLength: u32,
    rttMinUs: fc.oneof(u32, fc.constant(0xffffffff)),
    retransmits: u32,
    error: u16,
    reasonLow: u16,
    options: u32,
    boundIpv4: u32,
    synReceivedNs: u64,
    local: address,
    remote: address,
    comm,
    tid: u32,
    task: fc.nat({ max: 3 }),
    threadComm: comm,
  });
}

/** Options of which nothing was agreed on. */
export const NO_OPTIONS = {
  timestamps: false,
  sackPermitted: false,
  windowScale: false,
  peerWindowScale: 0,
  ownWindowScale: 0,
  synData: false,
  synDataAcknowledged: false,
};
