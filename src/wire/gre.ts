/**
 * Generic routing encapsulation (RFC 2784, RFC 2890), and what Cisco and Aruba put into it.
 *
 * @module
 */
import { decodeErspan2, decodeErspan3 } from "./erspan.ts";
import { decodeEthernet } from "./ethernet.ts";
import { decodeEtherType } from "./network.ts";
import type { Segment } from "./segment.ts";
import { enterTunnel } from "./tunnel_names.ts";
import { FrameVerdict } from "./verdict.ts";
import { decodeWireless } from "./wireless.ts";

/** Header (RFC 2784 §2.1, RFC 2890 §2): flags, protocol type, then the fields that flags announce. */
const FLAGS = 0;
const PROTOCOL = 2;
const LENGTH = 4;
const CHECKSUM_PRESENT = 0x8000;
const KEY_PRESENT = 0x2000;
const SEQUENCE_PRESENT = 0x1000;
/** Routing (RFC 1701, withdrawn) and version: other than 0 there is no IP packet behind it. */
const UNKNOWN = 0x4007;
const FIELD_LENGTH = 4;

/** Transparent Ethernet bridging (RFC 1701, IANA "IEEE 802 Numbers"). */
export const ETHERTYPE_BRIDGING = 0x6558;
/** ERSPAN type I, or with a sequence number II; and III. */
const ETHERTYPE_ERSPAN = 0x88be;
const ETHERTYPE_ERSPAN_3 = 0x22eb;
/** Aruba's access points: 802.11 frames without their checksum, one number for each radio. */
const ARUBA_FIRST = 0x8200;
const ARUBA_LAST = 0x8370;
const ARUBA_MASK = 0x000f;

/**
 * Decodes from the GRE header on.
 *
 * @param view Bytes.
 * @param at Offset of the header.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param packetEnd Offset behind the last byte of the packet.
 * @param tunnel What it is noted as, see `Tunnel`.
 * @param segment Filled.
 */
export function decodeGre(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  tunnel: number,
  segment: Segment,
): FrameVerdict {
  if (at + LENGTH > capturedEnd) return FrameVerdict.TruncatedTunnel;
  const flags = view.getUint16(at + FLAGS);
  if ((flags & UNKNOWN) !== 0) return FrameVerdict.NotTcp;
  let inner = at + LENGTH;
  for (const flag of [CHECKSUM_PRESENT, KEY_PRESENT, SEQUENCE_PRESENT]) {
    if ((flags & flag) !== 0) inner += FIELD_LENGTH;
  }
  if (!enterTunnel(segment, tunnel)) return FrameVerdict.TooManyTunnels;
  const type = view.getUint16(at + PROTOCOL);
  switch (type) {
    case ETHERTYPE_BRIDGING:
      return decodeEthernet(view, inner, capturedEnd, packetEnd, segment);
    case ETHERTYPE_ERSPAN: {
      const hasHeader = (flags & SEQUENCE_PRESENT) !== 0;
      return decodeErspan2(view, inner, capturedEnd, packetEnd, hasHeader, segment);
    }
    case ETHERTYPE_ERSPAN_3:
      return decodeErspan3(view, inner, capturedEnd, packetEnd, segment);
  }
  if (type >= ARUBA_FIRST && type <= ARUBA_LAST && (type & ARUBA_MASK) === 0) {
    return decodeWireless(view, inner, capturedEnd, packetEnd, false, segment);
  }
  return decodeEtherType(view, inner, capturedEnd, packetEnd, type, segment);
}
