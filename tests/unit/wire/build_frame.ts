/**
 * Builds frames for tests: TCP in IPv4 or IPv6 in any link layer, each field free to be wrong.
 * Checksums are left 0, as a host leaves them to its network adapter, but for {@linkcode finished} ones.
 *
 * @module
 */

import { parseAddress } from "../../../src/wire/address.ts";

/** An address as text or as four words, IPv4 as v4-mapped. */
export type Address = string | Uint32Array;

/** Fields of {@linkcode buildTcp}; what is left out gets a plain value. */
export interface TcpFields {
  sourcePort?: number;
  destinationPort?: number;
  sequence?: number;
  acknowledgment?: number;
  /** Nine bits, see `TcpFlag`; SYN by default. */
  flags?: number;
  window?: number;
  /** Option area, padded here with zeros to a multiple of 4 bytes. */
  options?: Uint8Array;
  payload?: Uint8Array;
  /** In 4-byte words; by default what the options make it. */
  dataOffset?: number;
}

/** Fields of {@linkcode buildIpv4}. */
export interface Ipv4Fields {
  source?: Address;
  destination?: Address;
  /** IANA protocol number, TCP by default. */
  protocol?: number;
  payload?: Uint8Array;
  /** IPv4 options, padded here with zeros to a multiple of 4 bytes. */
  options?: Uint8Array;
  /** By default the true one. */
  totalLength?: number;
  /** In 4-byte words; by default the true one. */
  headerLength?: number;
  version?: number;
  identification?: number;
  /** In 8-byte units. */
  fragmentOffset?: number;
  moreFragments?: boolean;
}

/** An IPv6 extension header: its protocol number, and its bytes but for the next-header field. */
export interface Ipv6Extension {
  header: number;
  /** From the length field on; 1 byte short of a multiple of 8 (of 4 for AH). */
  body: Uint8Array;
}

/** Fields of {@linkcode buildIpv6}. */
export interface Ipv6Fields {
  source?: Address;
  destination?: Address;
  /** Protocol behind the extension headers, TCP by default. */
  protocol?: number;
  extensions?: readonly Ipv6Extension[];
  payload?: Uint8Array;
  /** By default the true one. */
  payloadLength?: number;
  version?: number;
}

/** A VLAN tag: its own EtherType and the whole TCI. */
export interface VlanTag {
  etherType: number;
  tci: number;
}

/** Fields of the link-layer builders. */
export interface LinkFields {
  /** EtherType of the payload; by default by the payload's IP version. */
  etherType?: number;
  /** Outermost first. */
  tags?: readonly VlanTag[];
  payload?: Uint8Array;
}

const NO_BYTES = new Uint8Array(0);

/** Joins byte arrays. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Bytes of unsigned integers, most significant byte first: `u16(0x1234)` is `12 34`. */
export function u16(...values: readonly number[]): Uint8Array {
  return concat(...values.map((value) => new Uint8Array([value >>> 8, value])));
}

/** The same with 32 bits a value. */
export function u32(...values: readonly number[]): Uint8Array {
  return concat(
    ...values.map((value) => new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value])),
  );
}

/** One TCP option: kind, length, then the data. */
export function tcpOption(kind: number, data: Uint8Array | readonly number[] = []): Uint8Array {
  return new Uint8Array([kind, data.length + 2, ...data]);
}

/** The option area of a usual Linux SYN: MSS, SACK permitted, timestamps, NOP, window scale. */
export function linuxSynOptions(
  { mss = 1460, windowScale = 7, timestampValue = 1, timestampEcho = 0 }: {
    mss?: number;
    windowScale?: number;
    timestampValue?: number;
    timestampEcho?: number;
  } = {},
): Uint8Array {
  return concat(
    tcpOption(2, u16(mss)),
    tcpOption(4),
    tcpOption(8, u32(timestampValue, timestampEcho)),
    new Uint8Array([1]),
    tcpOption(3, [windowScale]),
  );
}

/** A TCP segment (RFC 9293 §3.1). */
export function buildTcp(fields: TcpFields = {}): Uint8Array {
  const options = padded(fields.options ?? NO_BYTES, 4);
  const dataOffset = fields.dataOffset ?? 5 + options.length / 4;
  return concat(
    u16(fields.sourcePort ?? 40000, fields.destinationPort ?? 443),
    u32(fields.sequence ?? 1000, fields.acknowledgment ?? 0),
    u16(dataOffset << 12 | (fields.flags ?? 0x02), fields.window ?? 64240, 0, 0),
    options,
    fields.payload ?? NO_BYTES,
  );
}

/** An IPv4 packet (RFC 791 §3.1), with {@linkcode buildTcp} inside by default. */
export function buildIpv4(fields: Ipv4Fields = {}): Uint8Array {
  const options = padded(fields.options ?? NO_BYTES, 4);
  const payload = fields.payload ?? buildTcp();
  const headerLength = fields.headerLength ?? 5 + options.length / 4;
  const moreFragments = fields.moreFragments ? 0x2000 : 0;
  return concat(
    new Uint8Array([(fields.version ?? 4) << 4 | headerLength, 0]),
    u16(fields.totalLength ?? 20 + options.length + payload.length),
    u16(fields.identification ?? 0, moreFragments | (fields.fragmentOffset ?? 0)),
    new Uint8Array([64, fields.protocol ?? 6, 0, 0]),
    addressBytes(fields.source ?? "192.0.2.1").subarray(12),
    addressBytes(fields.destination ?? "198.51.100.2").subarray(12),
    options,
    payload,
  );
}

/** What is wrong with the checksums of a packet that {@linkcode finished} made. */
export interface ChecksumFaults {
  /** Is added to the header's. */
  ip?: number;
  /** Is added to TCP's. */
  tcp?: number;
  /** TCP's is that of the pseudo-header alone, with this length of the segment. */
  pseudoLength?: number;
}

/** A copy of an IP packet with TCP right behind its header, its checksums right or as asked. */
export function finished(packet: Uint8Array, faults: ChecksumFaults = {}): Uint8Array {
  const copy = packet.slice();
  const view = new DataView(copy.buffer);
  const isIpv4 = copy[0] >>> 4 === 4;
  const header = isIpv4 ? (copy[0] & 15) * 4 : 40;
  const put = (at: number, value: number) => view.setUint16(at, value & 0xffff);
  if (isIpv4) {
    put(10, 0);
    put(10, (onesComplement(copy.subarray(0, header)) ^ 0xffff) + (faults.ip ?? 0));
  }
  const length = faults.pseudoLength ?? copy.length - header;
  const addresses = isIpv4 ? copy.subarray(12, 20) : copy.subarray(8, 40);
  const pseudoHeader = concat(addresses, u32(length, 6));
  put(header + 16, 0);
  const sum = faults.pseudoLength === undefined
    ? onesComplement(concat(pseudoHeader, copy.subarray(header))) ^ 0xffff
    : onesComplement(pseudoHeader);
  put(header + 16, sum + (faults.tcp ?? 0));
  return copy;
}

/** The sum of 16-bit words with its carries added (RFC 1071). */
function onesComplement(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += bytes[at] << 8 | (bytes[at + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

/** An IPv6 packet (RFC 8200 §3), with {@linkcode buildTcp} inside by default. */
export function buildIpv6(fields: Ipv6Fields = {}): Uint8Array {
  const extensions = fields.extensions ?? [];
  const headers = [...extensions.map(({ header }) => header), fields.protocol ?? 6];
  const payload = concat(
    ...extensions.map(({ body }, index) => concat(new Uint8Array([headers[index + 1]]), body)),
    fields.payload ?? buildTcp(),
  );
  return concat(
    new Uint8Array([(fields.version ?? 6) << 4, 0, 0, 0]),
    u16(fields.payloadLength ?? payload.length),
    new Uint8Array([headers[0], 64]),
    addressBytes(fields.source ?? "2001:db8::1"),
    addressBytes(fields.destination ?? "2001:db8::2"),
    payload,
  );
}

/** A hop-by-hop (0), routing (43) or destination options (60) header of `8 * units` bytes. */
export function ipv6Extension(header: number, units = 1): Ipv6Extension {
  const body = new Uint8Array(8 * units - 1);
  body[0] = units - 1;
  return { header, body };
}

/** A fragment header (RFC 8200 §4.5); `offset` in 8-byte units. */
export function ipv6Fragment(offset: number, moreFragments: boolean): Ipv6Extension {
  return {
    header: 44,
    body: concat(new Uint8Array(1), u16(offset << 3 | (moreFragments ? 1 : 0)), u32(7)),
  };
}

/** An authentication header (RFC 4302 §2) with `icvWords` words of integrity check value. */
export function ipv6Authentication(icvWords = 3): Ipv6Extension {
  const body = new Uint8Array(4 * (3 + icvWords) - 1);
  body[0] = 1 + icvWords;
  return { header: 51, body };
}

/**
 * An ICMP message (RFC 792, RFC 4443 §2.1) with 8 bytes of header, its checksum 0.
 *
 * @param quoted What follows the header. @param rest The second four bytes of the header.
 */
export function buildIcmp(type: number, code: number, quoted: Uint8Array, rest = 0): Uint8Array {
  return concat(new Uint8Array([type, code, 0, 0]), u32(rest), quoted);
}

/** An Ethernet frame, with {@linkcode buildIpv4} inside by default. */
export function buildEthernet(fields: LinkFields = {}): Uint8Array {
  const { protocol, rest } = tagged(fields);
  return concat(new Uint8Array(12).fill(2), u16(protocol), rest);
}

/** A Linux cooked frame of version 1 (LINKTYPE_LINUX_SLL). */
export function buildSll(fields: LinkFields = {}): Uint8Array {
  const { protocol, rest } = tagged(fields);
  return concat(u16(0, 1, 6), new Uint8Array(8).fill(2), u16(protocol), rest);
}

/** A Linux cooked frame of version 2 (LINKTYPE_LINUX_SLL2). */
export function buildSll2(fields: LinkFields = {}): Uint8Array {
  const { protocol, rest } = tagged(fields);
  return concat(
    u16(protocol, 0),
    u32(3),
    u16(1),
    new Uint8Array([0, 6]),
    new Uint8Array(8).fill(2),
    rest,
  );
}

/** A BSD loopback frame (LINKTYPE_NULL, LINKTYPE_LOOP). */
export function buildLoopback(
  family: number,
  littleEndian: boolean,
  payload: Uint8Array = buildIpv4(),
): Uint8Array {
  const header = u32(family);
  return concat(littleEndian ? header.reverse() : header, payload);
}

/** A packet logged by the Linux firewall (LINKTYPE_NFLOG): its TLVs, in a host's byte order. */
export function buildNflog(
  family: number,
  littleEndian: boolean,
  ...tlvs: readonly (readonly [type: number, value: Uint8Array])[]
): Uint8Array {
  const parts = tlvs.map(([type, value]) => {
    const header = u16(value.length + 4, type);
    const ordered = littleEndian ? header.map((_, at) => header[at ^ 1]) : header;
    return padded(concat(ordered, value), 4);
  });
  return concat(new Uint8Array([family, 0, 0, 5]), ...parts);
}

/** A PPPoE session packet (RFC 2516 §4): what follows EtherType 0x8864. */
export function buildPppoe(protocol: number, payload: Uint8Array, code = 0): Uint8Array {
  return concat(new Uint8Array([0x11, code]), u16(1, payload.length + 2, protocol), payload);
}

/** The VLAN tags behind the first one's EtherType, then the payload. */
export function buildTags(fields: LinkFields): Uint8Array {
  return tagged(fields).rest;
}

function tagged(fields: LinkFields): { protocol: number; rest: Uint8Array } {
  const payload = fields.payload ?? buildIpv4();
  const tags = fields.tags ?? [];
  const types = [
    ...tags.map(({ etherType }) => etherType),
    fields.etherType ?? (payload[0] >>> 4 === 6 ? 0x86dd : 0x0800),
  ];
  const rest = concat(...tags.map(({ tci }, index) => u16(tci, types[index + 1])), payload);
  return { protocol: types[0], rest };
}

function addressBytes(address: Address): Uint8Array {
  const words = typeof address === "string" ? parseAddress(address) : address;
  if (words === undefined) throw new TypeError(`Cannot build address "${address}": not an address`);
  return u32(...words);
}

function padded(bytes: Uint8Array, multiple: number): Uint8Array {
  return concat(bytes, new Uint8Array((multiple - bytes.length % multiple) % multiple));
}
