/**
 * The IPv6 header and its extension headers (RFC 8200 §3, §4).
 *
 * @module
 */

import { decodeIcmp } from "./icmp_message.ts";
import type { Segment } from "./segment.ts";
import { decodeTcp } from "./tcp.ts";
import { decodeTunnel } from "./tunnel.ts";
import { enterTunnel, Tunnel } from "./tunnel_names.ts";
import { FrameVerdict } from "./verdict.ts";

/** Field offsets, RFC 8200 §3; `struct ipv6hdr` of linux/ipv6.h has the same. */
const VERSION = 0;
const PAYLOAD_LENGTH = 4;
const NEXT_HEADER = 6;
const SOURCE = 8;
const DESTINATION = 24;

/** Bytes of the fixed header. */
const HEADER_LENGTH = 40;

/** IANA protocol numbers. */
const TCP = 6;
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const ICMPV6 = 58;
const DESTINATION_OPTIONS = 60;

/** Field offsets of the extension headers (RFC 8200 §4, RFC 4302 §2). */
const EXTENSION_NEXT_HEADER = 0;
const EXTENSION_LENGTH = 1;
const FRAGMENT_FIELD = 2;
/** Fragment offset and more-fragments bit in the 16 bits at `FRAGMENT_FIELD` (RFC 8200 §4.5). */
const FRAGMENT_OFFSET = 0xfff8;
const MORE_FRAGMENTS = 0x0001;
const FRAGMENT_ID = 4;
/**
 * Routing header (RFC 8200 §4.4): the types whose last address is the end, in order (0, RFC 5095
 * withdrew it; 2, RFC 6275) or first (4, RFC 8754).
 */
const ROUTING_TYPE = 2;
const ROUTING_SEGMENTS_LEFT = 3;
const ROUTING_ADDRESSES = 8;
const ROUTING_SOURCE_ROUTE = 0;
const ROUTING_HOME_ADDRESS = 2;
const ROUTING_SEGMENT_ROUTING = 4;
const ADDRESS_LENGTH = 16;

/** Least bytes of an extension header, and all of a fragment header (RFC 8200 §4). */
const EXTENSION_LENGTH_MIN = 8;
/**
 * Extension headers followed. RFC 8200 §4.1 has each once and destination options twice, which
 * makes six; the bound keeps a hostile packet from costing more than a few.
 */
const EXTENSION_COUNT_MAX = 8;

/**
 * Decodes the IPv6 header at `at`, walks its extension headers and decodes the TCP header behind
 * them into `segment`. A payload length of 0 (RFC 2675 jumbogram, BIG TCP) means that the packet
 * reaches to `originalEnd`.
 *
 * @param view Bytes.
 * @param at Offset of the IPv6 header.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param originalEnd Offset behind the last byte of the frame as it was on the wire.
 * @param segment Filled.
 */
export function decodeIpv6(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + HEADER_LENGTH > capturedEnd) return FrameVerdict.TruncatedIpv6;
  if (view.getUint8(at + VERSION) >>> 4 !== 6) return FrameVerdict.BadIpVersion;
  const payloadLength = view.getUint16(at + PAYLOAD_LENGTH);
  const packetEnd = payloadLength === 0 ? originalEnd : at + HEADER_LENGTH + payloadLength;
  if (packetEnd > originalEnd) return FrameVerdict.IpLengthBeyondPacket;
  // What follows the packet in the frame is Ethernet padding, not TCP.
  const readableEnd = Math.min(capturedEnd, packetEnd);

  let next = view.getUint8(at + NEXT_HEADER);
  let offset = at + HEADER_LENGTH;
  let routing = -1;
  let isPart = false;
  for (let count = 0; next !== TCP; count++) {
    if (!isExtension(next)) {
      // Of a fragmented tunnel packet the inner one is not whole.
      if (isPart) return FrameVerdict.NotTcp;
      if (next === ICMPV6) {
        setAddresses(view, at, segment);
        return decodeIcmp(view, offset, readableEnd, next, segment);
      }
      return decodeTunnel(view, offset, readableEnd, packetEnd, next, 6, segment);
    }
    if (count === EXTENSION_COUNT_MAX) return FrameVerdict.TooManyIpv6Extensions;
    if (offset + EXTENSION_LENGTH_MIN > packetEnd) return FrameVerdict.BadHeaderLength;
    if (offset + EXTENSION_LENGTH_MIN > readableEnd) return FrameVerdict.TruncatedIpv6Extension;
    const header = next;
    if (header === AUTHENTICATION && !enterTunnel(segment, Tunnel.AH)) {
      return FrameVerdict.TooManyTunnels;
    }
    next = view.getUint8(offset + EXTENSION_NEXT_HEADER);
    if (header === FRAGMENT) {
      const field = view.getUint16(offset + FRAGMENT_FIELD);
      if ((field & (FRAGMENT_OFFSET | MORE_FRAGMENTS)) !== 0) {
        isPart = true;
        segment.fragmentId = view.getUint32(offset + FRAGMENT_ID);
        segment.fragmentOffset = field & FRAGMENT_OFFSET;
        segment.moreFragments = (field & MORE_FRAGMENTS) !== 0;
        // The chain may go on in the first fragment, where TCP can still follow.
        if (segment.fragmentOffset !== 0 && next !== TCP) {
          return isExtension(next) ? FrameVerdict.LaterFragment : FrameVerdict.NotTcp;
        }
      }
    } else if (header === ROUTING) {
      routing = offset;
    }
    offset += extensionLength(header, view.getUint8(offset + EXTENSION_LENGTH));
  }

  setAddresses(view, at, segment);
  if (isPart) {
    segment.tcpOffset = offset;
    segment.packetEnd = packetEnd;
    segment.readableEnd = readableEnd;
    return segment.fragmentOffset === 0 ? FrameVerdict.FirstFragment : FrameVerdict.LaterFragment;
  }
  if (routing >= 0) followRoute(view, routing, offset, segment);
  return decodeTcp(view, offset, readableEnd, packetEnd, segment);
}

/**
 * Puts the last address of a routing header in the place of the destination, which then is only the next
 * one on the way (RFC 8200 §4.4). TCP counts its checksum over the last (§8.1).
 */
function followRoute(view: DataView, at: number, end: number, segment: Segment): void {
  if (view.getUint8(at + ROUTING_SEGMENTS_LEFT) === 0) return;
  const type = view.getUint8(at + ROUTING_TYPE);
  const last = type === ROUTING_SEGMENT_ROUTING
    ? at + ROUTING_ADDRESSES
    : type === ROUTING_SOURCE_ROUTE || type === ROUTING_HOME_ADDRESS
    ? at + extensionLength(ROUTING, view.getUint8(at + EXTENSION_LENGTH)) - ADDRESS_LENGTH
    : -1;
  if (last < at + ROUTING_ADDRESSES || last + ADDRESS_LENGTH > end) return;
  for (let word = 0; word < 4; word++) {
    segment.destination[word] = view.getUint32(last + 4 * word);
  }
}

function setAddresses(view: DataView, at: number, segment: Segment): void {
  segment.ipVersion = 6;
  segment.ipOffset = at;
  segment.sourceRoute = false;
  segment.identification = 0;
  for (let word = 0; word < 4; word++) {
    segment.source[word] = view.getUint32(at + SOURCE + 4 * word);
    segment.destination[word] = view.getUint32(at + DESTINATION + 4 * word);
  }
}

function isExtension(header: number): boolean {
  return header === HOP_BY_HOP || header === ROUTING || header === FRAGMENT ||
    header === AUTHENTICATION || header === DESTINATION_OPTIONS;
}

function extensionLength(header: number, length: number): number {
  switch (header) {
    case FRAGMENT:
      return EXTENSION_LENGTH_MIN;
    case AUTHENTICATION:
      return authenticationLength(length);
    default:
      return (length + 1) * 8;
  }
}

/**
 * Bytes of an authentication header, whose length is in 4-byte units minus 2 in both IP versions, alone
 * among the headers of IPv6 (RFC 4302 §2.2).
 *
 * @param length Its length field.
 */
export function authenticationLength(length: number): number {
  return (length + 2) * 4;
}
