/**
 * From an EtherType, or from a packet's own version field, to the IP decoder: VLAN tags and PPPoE
 * on the way.
 *
 * @module
 */

import { decodeIpv4 } from "./ipv4.ts";
import { decodeIpv6 } from "./ipv6.ts";
import { decodeLinkTag } from "./link_tag.ts";
import { decodePppoe } from "./ppp.ts";
import type { Segment } from "./segment.ts";
import { FrameVerdict } from "./verdict.ts";

/** EtherTypes that lead to IP (IANA "IEEE 802 Numbers", linux/if_ether.h `ETH_P_*`). */
export const EtherType = {
  IPV4: 0x0800,
  /** Customer tag, IEEE 802.1Q. */
  VLAN: 0x8100,
  IPV6: 0x86dd,
  /** PPPoE session stage, RFC 2516 §4. */
  PPPOE_SESSION: 0x8864,
  /** Service tag, IEEE 802.1ad. */
  SERVICE_VLAN: 0x88a8,
  /** Outer tag of QinQ switches from before 802.1ad. */
  OLD_QINQ: 0x9100,
} as const;

/** Lengths in the IP headers (RFC 791 §3.1, RFC 8200 §3), and how much of a header has both. */
const IPV4_TOTAL_LENGTH = 2;
const IPV6_PAYLOAD_LENGTH = 4;
const IPV6_LENGTH = 40;
const IP_LENGTHS = 6;

/** A VLAN tag behind its TPID: TCI, then the next EtherType (IEEE 802.1Q §9.3). */
const VLAN_TCI = 0;
const VLAN_ETHERTYPE = 2;
const VLAN_TAG_LENGTH = 4;
/** VLAN id in the TCI. */
const VLAN_ID = 0x0fff;
/** Tags followed: two are in use, the bound keeps a hostile frame cheap. */
const VLAN_TAG_COUNT_MAX = 4;

/**
 * Decodes what an EtherType announces. The first VLAN tag met sets `segment.vlan` if it is -1.
 *
 * @param view Bytes.
 * @param at Offset behind the EtherType: of the packet, or of a tag's TCI.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param originalEnd Offset behind the last byte of the frame as it was on the wire.
 * @param etherType EtherType, see {@linkcode EtherType}; a value below 0x600 is the length field of
 * an 802.3 frame.
 * @param segment Filled.
 */
export function decodeEtherType(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  etherType: number,
  segment: Segment,
): FrameVerdict {
  let type = etherType;
  let offset = at;
  for (let tags = 0; isVlanTag(type); tags++) {
    if (tags === VLAN_TAG_COUNT_MAX) return FrameVerdict.TooManyVlanTags;
    if (offset + VLAN_TAG_LENGTH > capturedEnd) return FrameVerdict.TruncatedVlanTag;
    if (segment.vlan === -1) segment.vlan = view.getUint16(offset + VLAN_TCI) & VLAN_ID;
    type = view.getUint16(offset + VLAN_ETHERTYPE);
    offset += VLAN_TAG_LENGTH;
  }
  switch (type) {
    case EtherType.IPV4:
      return decodeIpv4(view, offset, capturedEnd, originalEnd, segment);
    case EtherType.IPV6:
      return decodeIpv6(view, offset, capturedEnd, originalEnd, segment);
    case EtherType.PPPOE_SESSION:
      return decodePppoe(view, offset, capturedEnd, originalEnd, segment);
    default:
      return decodeLinkTag(view, offset, capturedEnd, originalEnd, type, segment);
  }
}

/**
 * Decodes an IP packet of the version that its own first four bits give (RFC 791 §3.1, RFC 8200 §3).
 *
 * @param view Bytes.
 * @param at Offset of the IP header.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param originalEnd Offset behind the last byte of the frame as it was on the wire.
 * @param segment Filled.
 */
export function decodeIp(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at >= capturedEnd) return FrameVerdict.TruncatedIp;
  switch (view.getUint8(at) >>> 4) {
    case 4:
      return decodeIpv4(view, at, capturedEnd, originalEnd, segment);
    case 6:
      return decodeIpv6(view, at, capturedEnd, originalEnd, segment);
    default:
      return FrameVerdict.NotIp;
  }
}

/**
 * Bytes of an IP packet by its own header, 0 where that does not tell.
 *
 * @param view Bytes.
 * @param at Offset of the IP header.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 */
export function ipLength(view: DataView, at: number, capturedEnd: number): number {
  if (at + IP_LENGTHS > capturedEnd) return 0;
  if (view.getUint8(at) >>> 4 === 4) return view.getUint16(at + IPV4_TOTAL_LENGTH);
  const payloadLength = view.getUint16(at + IPV6_PAYLOAD_LENGTH);
  return payloadLength === 0 ? 0 : IPV6_LENGTH + payloadLength;
}

function isVlanTag(type: number): boolean {
  return type === EtherType.VLAN || type === EtherType.SERVICE_VLAN ||
    type === EtherType.OLD_QINQ;
}
