/**
 * BSD loopback headers (LINKTYPE_NULL, LINKTYPE_LOOP): an address family, then the packet.
 *
 * @module
 */

import { decodeIpv4 } from "./ipv4.ts";
import { decodeIpv6 } from "./ipv6.ts";
import type { Segment } from "./segment.ts";
import { FrameVerdict } from "./verdict.ts";

/** Bytes of the header: the family alone. */
const HEADER_LENGTH = 4;
/** Families are small, so a greater value was written in the other byte order. */
const FAMILY_MAX = 0xffff;

const AF_INET = 2;
/** IPv6 has another number on each system (LINKTYPE_NULL of tcpdump.org). */
const AF_INET6_LINUX = 10;
const AF_INET6_NETBSD_OPENBSD = 24;
const AF_INET6_FREEBSD = 28;
const AF_INET6_DARWIN = 30;

/**
 * Decodes a BSD loopback frame into `segment`. LINKTYPE_LOOP has the family in network byte order
 * and LINKTYPE_NULL in that of the capturing host; both orders are taken for both.
 *
 * @param view Bytes.
 * @param at Offset of the family.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param originalEnd Offset behind the last byte of the frame as it was captured.
 * @param segment Filled.
 */
export function decodeLoopback(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + HEADER_LENGTH > capturedEnd) return FrameVerdict.TruncatedLoopback;
  const bigEndian = view.getUint32(at);
  const packet = at + HEADER_LENGTH;
  const family = bigEndian > FAMILY_MAX ? view.getUint32(at, true) : bigEndian;
  if (family === AF_INET) return decodeIpv4(view, packet, capturedEnd, originalEnd, segment);
  if (!isIpv6Family(family)) return FrameVerdict.NotIp;
  return decodeIpv6(view, packet, capturedEnd, originalEnd, segment);
}

/** Whether an address family is that of IPv6 on some system. */
export function isIpv6Family(family: number): boolean {
  return family === AF_INET6_LINUX || family === AF_INET6_NETBSD_OPENBSD ||
    family === AF_INET6_FREEBSD || family === AF_INET6_DARWIN;
}
