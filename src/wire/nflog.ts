/**
 * Packets that the Linux firewall logged (LINKTYPE_NFLOG).
 *
 * @module
 */

import { decodeIp, ipLength } from "./network.ts";
import type { Segment } from "./segment.ts";
import { FrameVerdict } from "./verdict.ts";

/** Header (tcpdump.org LINKTYPE_NFLOG): family, version, resource id; then TLVs in host byte order. */
const FAMILY = 0;
const VERSION = 1;
const HEADER_LENGTH = 4;
/** Families of packets: `NFPROTO_IPV4` and `NFPROTO_IPV6`; logged ARP and bridge frames differ. */
const NFPROTO_IPV4 = 2;
const NFPROTO_IPV6 = 10;

/** `struct nflog_tlv`: length with this header, then type; each TLV is padded to 4 bytes. */
const TLV_LENGTH = 0;
const TLV_TYPE = 2;
const TLV_HEADER_LENGTH = 4;
/** `NFULA_PAYLOAD` of linux/netfilter/nfnetlink_log.h: the packet. */
const NFULA_PAYLOAD = 9;
/** TLVs walked: the kernel has 21 types, the bound keeps a hostile frame cheap. */
const TLV_COUNT_MAX = 64;

/**
 * Decodes a logged packet into `segment`. The TLVs are in the byte order of the logging host, which
 * the frame does not tell but by their types, which are small numbers.
 *
 * @param view Bytes.
 * @param at Offset of the NFLOG header.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param originalEnd Offset behind the last byte of the frame as it was captured.
 * @param segment Filled.
 */
export function decodeNflog(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + HEADER_LENGTH > capturedEnd) return FrameVerdict.TruncatedNflog;
  const family = view.getUint8(at + FAMILY);
  if (view.getUint8(at + VERSION) !== 0) return FrameVerdict.NotIp;
  if (family !== NFPROTO_IPV4 && family !== NFPROTO_IPV6) return FrameVerdict.NotIp;
  let offset = at + HEADER_LENGTH;
  for (let count = 0; count < TLV_COUNT_MAX; count++) {
    if (offset + TLV_HEADER_LENGTH > capturedEnd) return FrameVerdict.TruncatedNflog;
    // A type is below 256, so its other byte is 0 and tells the order.
    const littleEndian = view.getUint8(offset + TLV_TYPE + 1) === 0;
    const length = view.getUint16(offset + TLV_LENGTH, littleEndian);
    if (length < TLV_HEADER_LENGTH) return FrameVerdict.BadHeaderLength;
    if (view.getUint16(offset + TLV_TYPE, littleEndian) === NFULA_PAYLOAD) {
      const packet = offset + TLV_HEADER_LENGTH;
      const end = Math.min(offset + length, originalEnd, capturedEnd);
      // The rule may log no more than the first bytes of a packet, and does not say so.
      const packetEnd = Math.max(end, packet + ipLength(view, packet, end));
      return decodeIp(view, packet, end, packetEnd, segment);
    }
    offset += Math.ceil(length / 4) * 4;
  }
  return FrameVerdict.NotIp;
}
