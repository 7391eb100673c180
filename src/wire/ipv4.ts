/**
 * The IPv4 header (RFC 791 §3.1).
 *
 * @module
 */

import { decodeIcmp } from "./icmp_message.ts";
import { authenticationLength } from "./ipv6.ts";
import type { Segment } from "./segment.ts";
import { decodeTcp } from "./tcp.ts";
import { decodeTunnel } from "./tunnel.ts";
import { enterTunnel, Tunnel } from "./tunnel_names.ts";
import { FrameVerdict } from "./verdict.ts";

/** Field offsets, RFC 791 §3.1; `struct iphdr` of linux/ip.h has the same. */
const VERSION_IHL = 0;
const TOTAL_LENGTH = 2;
const IDENTIFICATION = 4;
const FRAGMENT = 6;
const PROTOCOL = 9;
const SOURCE = 12;
const DESTINATION = 16;

/** Bytes of the header without options. */
const HEADER_LENGTH = 20;
/** More-fragments bit and fragment offset in the 16 bits at `FRAGMENT` (RFC 791 §3.1). */
const MORE_FRAGMENTS = 0x2000;
const FRAGMENT_OFFSET = 0x1fff;
/** Bytes that the fragment offset counts in. */
const FRAGMENT_UNIT = 8;
/** Options (RFC 791 §3.1): kind, length, and of a route the pointer to the next address in it. */
const OPTION_END = 0;
const OPTION_NO_OPERATION = 1;
const OPTION_LOOSE_ROUTE = 131;
const OPTION_STRICT_ROUTE = 137;
const OPTION_LENGTH = 1;
const OPTION_LENGTH_MIN = 2;
const ROUTE_POINTER = 2;
const ADDRESS_LENGTH = 4;
/** IANA protocol numbers. */
const ICMP = 1;
const TCP = 6;
const AUTHENTICATION = 51;
/** Offset of the authentication header's length, and its least bytes (RFC 4302 §2). */
const AUTHENTICATION_LENGTH = 1;
const AUTHENTICATION_LENGTH_MIN = 12;
/** Third word of a v4-mapped address (RFC 4291 §2.5.5.2). */
const MAPPED_WORD = 0xffff;

/**
 * Decodes the IPv4 header at `at` and the TCP header behind it into `segment`. A total length of 0
 * means that the packet reaches to `originalEnd`: senders with segmentation offload and BIG TCP
 * (`iph_totlen` of the kernel's linux/ip.h) leave it so.
 *
 * @param view Bytes.
 * @param at Offset of the IPv4 header.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param originalEnd Offset behind the last byte of the frame as it was on the wire.
 * @param segment Filled.
 */
export function decodeIpv4(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + HEADER_LENGTH > capturedEnd) return FrameVerdict.TruncatedIpv4;
  const versionIhl = view.getUint8(at + VERSION_IHL);
  if (versionIhl >>> 4 !== 4) return FrameVerdict.BadIpVersion;
  const headerLength = (versionIhl & 0x0f) * 4;
  const totalLength = view.getUint16(at + TOTAL_LENGTH);
  if (headerLength < HEADER_LENGTH) return FrameVerdict.BadHeaderLength;
  if (totalLength !== 0 && totalLength < headerLength) return FrameVerdict.BadHeaderLength;
  const protocol = view.getUint8(at + PROTOCOL);
  const fragment = view.getUint16(at + FRAGMENT);
  const packetEnd = totalLength === 0 ? originalEnd : at + totalLength;
  if (packetEnd > originalEnd) return FrameVerdict.IpLengthBeyondPacket;
  // What follows the packet in the frame is Ethernet padding, not TCP.
  const readableEnd = Math.min(capturedEnd, packetEnd);
  if (protocol !== TCP) {
    // Of a fragmented tunnel packet the inner one is not whole.
    if ((fragment & (FRAGMENT_OFFSET | MORE_FRAGMENTS)) !== 0) return FrameVerdict.NotTcp;
    const behind = at + headerLength;
    if (protocol === ICMP) {
      setAddresses(view, at, segment);
      return decodeIcmp(view, behind, readableEnd, protocol, segment);
    }
    if (protocol !== AUTHENTICATION) {
      return decodeTunnel(view, behind, readableEnd, packetEnd, protocol, 4, segment);
    }
    if (behind + AUTHENTICATION_LENGTH_MIN > packetEnd) return FrameVerdict.BadHeaderLength;
    if (behind + AUTHENTICATION_LENGTH_MIN > readableEnd) return FrameVerdict.TruncatedTunnel;
    if (!enterTunnel(segment, Tunnel.AH)) return FrameVerdict.TooManyTunnels;
    const next = view.getUint8(behind);
    const offset = behind + authenticationLength(view.getUint8(behind + AUTHENTICATION_LENGTH));
    if (next !== TCP) return decodeTunnel(view, offset, readableEnd, packetEnd, next, 4, segment);
    setAddresses(view, at, segment);
    return decodeTcp(view, offset, readableEnd, packetEnd, segment);
  }
  const tcp = at + headerLength;
  if (tcp > capturedEnd) return FrameVerdict.TruncatedIpv4;
  setAddresses(view, at, segment);
  if ((fragment & (FRAGMENT_OFFSET | MORE_FRAGMENTS)) !== 0) {
    segment.tcpOffset = tcp;
    segment.packetEnd = packetEnd;
    segment.readableEnd = readableEnd;
    segment.fragmentId = segment.identification;
    segment.fragmentOffset = (fragment & FRAGMENT_OFFSET) * FRAGMENT_UNIT;
    segment.moreFragments = (fragment & MORE_FRAGMENTS) !== 0;
    return segment.fragmentOffset === 0 ? FrameVerdict.FirstFragment : FrameVerdict.LaterFragment;
  }
  if (headerLength > HEADER_LENGTH) followSourceRoute(view, at, tcp, segment);
  return decodeTcp(view, tcp, readableEnd, packetEnd, segment);
}

/**
 * Puts the last address of a source route in the place of the destination, which then is only the next
 * one on the way (RFC 791 §3.1). TCP counts its checksum over the last.
 */
function followSourceRoute(view: DataView, at: number, end: number, segment: Segment): void {
  for (let option = at + HEADER_LENGTH; option < end;) {
    const kind = view.getUint8(option);
    if (kind === OPTION_END) return;
    if (kind === OPTION_NO_OPERATION) {
      option++;
      continue;
    }
    if (option + ROUTE_POINTER >= end) return;
    const length = view.getUint8(option + OPTION_LENGTH);
    if (length < OPTION_LENGTH_MIN || option + length > end) return;
    if (kind === OPTION_LOOSE_ROUTE || kind === OPTION_STRICT_ROUTE) {
      segment.sourceRoute = true;
      // From 1 on; behind the option: the route is done.
      const isDone = view.getUint8(option + ROUTE_POINTER) > length;
      const last = option + length - ADDRESS_LENGTH;
      if (!isDone && last > option + ROUTE_POINTER) {
        setMapped(segment.destination, view.getUint32(last));
      }
      return;
    }
    option += length;
  }
}

function setAddresses(view: DataView, at: number, segment: Segment): void {
  segment.ipVersion = 4;
  segment.ipOffset = at;
  segment.sourceRoute = false;
  segment.identification = view.getUint16(at + IDENTIFICATION);
  setMapped(segment.source, view.getUint32(at + SOURCE));
  setMapped(segment.destination, view.getUint32(at + DESTINATION));
}

function setMapped(address: Uint32Array, word: number): void {
  address[0] = 0;
  address[1] = 0;
  address[2] = MAPPED_WORD;
  address[3] = word;
}
