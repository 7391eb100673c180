/**
 * From an ICMP or ICMPv6 message to the TCP segment that it quotes (RFC 792, RFC 4443, RFC 4884).
 *
 * @module
 */
import { type IcmpError, IcmpType } from "./icmp.ts";
import { authenticationLength } from "./ipv6.ts";
import type { Segment } from "./segment.ts";
import { UnreadKind } from "./unread.ts";
import { FrameVerdict } from "./verdict.ts";

/** IANA protocol numbers. */
const ICMP = 1;
const TCP = 6;
const AUTHENTICATION = 51;

/** Type, code, checksum; of errors 4 more bytes, in which RFC 4884 puts how much is quoted. */
const TYPE = 0;
const CODE = 1;
const QUOTED_WORDS = 5;
const V6_QUOTED_UNITS = 4;
const HEADER_LENGTH = 8;

/** IPv4 header (RFC 791 §3.1). */
const IPV4_LENGTH = 20;
const IPV4_TOTAL_LENGTH = 2;
const IPV4_IDENTIFICATION = 4;
const IPV4_FRAGMENT = 6;
const IPV4_FRAGMENT_OFFSET = 0x1fff;
const IPV4_PROTOCOL = 9;
const IPV4_SOURCE = 12;
const IPV4_DESTINATION = 16;
const MAPPED_WORD = 0xffff;

/** IPv6 header and those behind it (RFC 8200 §3, §4). */
const IPV6_LENGTH = 40;
const IPV6_PAYLOAD_LENGTH = 4;
const IPV6_NEXT_HEADER = 6;
const IPV6_SOURCE = 8;
const IPV6_DESTINATION = 24;
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION_OPTIONS = 60;
const EXTENSION_LENGTH_MIN = 8;
const EXTENSION_COUNT_MAX = 8;
const FRAGMENT_FIELD = 2;
const FRAGMENT_OFFSET = 0xfff8;

/** TCP header (RFC 9293 §3.1): the first 8 bytes are always quoted. */
const TCP_SEQUENCE = 4;
const TCP_QUOTED_MIN = 8;
const TCP_ACKNOWLEDGMENT = 8;
const TCP_FLAGS = 12;
const TCP_FLAGS_MASK = 0x1ff;
const TCP_WINDOW = 14;
const TCP_WINDOW_END = 16;

/**
 * Tells whether an ICMP message says that a packet reached nobody. Where it does, `segment.icmpOffset`
 * and `segment.icmpEnd` are set for {@linkcode readIcmpError}.
 *
 * @param view Bytes.
 * @param at Offset of the ICMP header.
 * @param capturedEnd Offset behind the last byte captured of the message, within `view`.
 * @param protocol IANA protocol number: ICMP or ICMPv6.
 * @param segment Its addresses and IP version are those of the packet with the message.
 * @returns `IcmpError` or `NotTcp`.
 */
export function decodeIcmp(
  view: DataView,
  at: number,
  capturedEnd: number,
  protocol: number,
  segment: Segment,
): FrameVerdict {
  segment.unread = UnreadKind.IP_PROTOCOL | protocol;
  if (at + HEADER_LENGTH > capturedEnd) return FrameVerdict.NotTcp;
  const type = view.getUint8(at + TYPE);
  const isError = protocol === ICMP
    ? type === IcmpType.DEST_UNREACH || type === IcmpType.TIME_EXCEEDED
    : type === IcmpType.V6_DEST_UNREACH || type === IcmpType.V6_TIME_EXCEED;
  if (!isError) return FrameVerdict.NotTcp;
  segment.icmpOffset = at;
  segment.icmpEnd = capturedEnd;
  return FrameVerdict.IcmpError;
}

/**
 * Reads the error that a decoder met when its verdict was `IcmpError`.
 *
 * @param view The bytes that were decoded.
 * @param segment The segment that was to be filled.
 * @param into Filled.
 * @returns Whether the error quotes at least 8 bytes of a TCP segment; else `into` means nothing.
 */
export function readIcmpError(
  view: DataView,
  { icmpOffset, icmpEnd, source, ipVersion, vlan, tunnels }: Segment,
  into: IcmpError,
): boolean {
  into.isIpv6 = ipVersion === 6;
  into.type = view.getUint8(icmpOffset + TYPE);
  into.code = view.getUint8(icmpOffset + CODE);
  into.reporter.set(source);
  const { quoted } = into;
  quoted.vlan = vlan;
  quoted.tunnels = tunnels;
  // 0 where the sender does not say it: all that follows is quoted then.
  const told = into.isIpv6
    ? view.getUint8(icmpOffset + V6_QUOTED_UNITS) * 8
    : view.getUint8(icmpOffset + QUOTED_WORDS) * 4;
  const packet = icmpOffset + HEADER_LENGTH;
  const end = told === 0 ? icmpEnd : Math.min(icmpEnd, packet + told);
  return into.isIpv6 ? readIpv6(view, packet, end, quoted) : readIpv4(view, packet, end, quoted);
}

function readIpv4(view: DataView, at: number, end: number, quoted: Segment): boolean {
  if (at + IPV4_LENGTH > end) return false;
  const versionIhl = view.getUint8(at);
  const length = (versionIhl & 0x0f) * 4;
  if (versionIhl >>> 4 !== 4 || length < IPV4_LENGTH) return false;
  if (view.getUint8(at + IPV4_PROTOCOL) !== TCP) return false;
  if ((view.getUint16(at + IPV4_FRAGMENT) & IPV4_FRAGMENT_OFFSET) !== 0) return false;
  quoted.ipVersion = 4;
  quoted.identification = view.getUint16(at + IPV4_IDENTIFICATION);
  setMapped(quoted.source, view.getUint32(at + IPV4_SOURCE));
  setMapped(quoted.destination, view.getUint32(at + IPV4_DESTINATION));
  // Behind the packet's own end there is padding. Some systems quote a length of their own making.
  const total = view.getUint16(at + IPV4_TOTAL_LENGTH);
  const packetEnd = total < length + TCP_QUOTED_MIN ? end : Math.min(end, at + total);
  return readTcp(view, at + length, packetEnd, quoted);
}

function readIpv6(view: DataView, at: number, end: number, quoted: Segment): boolean {
  if (at + IPV6_LENGTH > end || view.getUint8(at) >>> 4 !== 6) return false;
  const total = IPV6_LENGTH + view.getUint16(at + IPV6_PAYLOAD_LENGTH);
  const packetEnd = total === IPV6_LENGTH ? end : Math.min(end, at + total);
  let next = view.getUint8(at + IPV6_NEXT_HEADER);
  let offset = at + IPV6_LENGTH;
  for (let count = 0; next !== TCP; count++) {
    if (count === EXTENSION_COUNT_MAX || offset + EXTENSION_LENGTH_MIN > packetEnd) return false;
    const length = view.getUint8(offset + 1);
    switch (next) {
      case HOP_BY_HOP:
      case ROUTING:
      case DESTINATION_OPTIONS:
        next = view.getUint8(offset);
        offset += (length + 1) * 8;
        break;
      case FRAGMENT:
        if ((view.getUint16(offset + FRAGMENT_FIELD) & FRAGMENT_OFFSET) !== 0) return false;
        next = view.getUint8(offset);
        offset += EXTENSION_LENGTH_MIN;
        break;
      case AUTHENTICATION:
        next = view.getUint8(offset);
        offset += authenticationLength(length);
        break;
      default:
        return false;
    }
  }
  quoted.ipVersion = 6;
  quoted.identification = 0;
  for (let word = 0; word < 4; word++) {
    quoted.source[word] = view.getUint32(at + IPV6_SOURCE + 4 * word);
    quoted.destination[word] = view.getUint32(at + IPV6_DESTINATION + 4 * word);
  }
  return readTcp(view, offset, packetEnd, quoted);
}

function readTcp(view: DataView, at: number, end: number, quoted: Segment): boolean {
  if (at + TCP_QUOTED_MIN > end) return false;
  quoted.sourcePort = view.getUint16(at);
  quoted.destinationPort = view.getUint16(at + 2);
  quoted.sequence = view.getUint32(at + TCP_SEQUENCE);
  const isLong = at + TCP_WINDOW_END <= end;
  quoted.acknowledgment = isLong ? view.getUint32(at + TCP_ACKNOWLEDGMENT) : 0;
  quoted.flags = isLong ? view.getUint16(at + TCP_FLAGS) & TCP_FLAGS_MASK : 0;
  quoted.window = isLong ? view.getUint16(at + TCP_WINDOW) : 0;
  quoted.payloadLength = 0;
  quoted.options.reset();
  quoted.optionsLength = 0;
  return true;
}

function setMapped(address: Uint32Array, word: number): void {
  address[0] = 0;
  address[1] = 0;
  address[2] = MAPPED_WORD;
  address[3] = word;
}
