/**
 * Tags between an EtherType and the packet that VLAN is not: each is skipped, or holds another frame.
 *
 * @module
 */
import { decodeEthernet } from "./ethernet.ts";
import { decodeLlc } from "./llc.ts";
import { decodeMpls } from "./mpls.ts";
import { decodeEtherType } from "./network.ts";
import type { Segment } from "./segment.ts";
import { enterTunnel, Tunnel } from "./tunnel_names.ts";
import { UnreadKind } from "./unread.ts";
import { FrameVerdict } from "./verdict.ts";

/** EtherTypes of tags (IANA "IEEE 802 Numbers"). */
const ETHERTYPE_MPLS = 0x8847;
const ETHERTYPE_MPLS_UPSTREAM = 0x8848;
const ETHERTYPE_TRILL = 0x22f3;
const ETHERTYPE_HSR = 0x892f;
const ETHERTYPE_MAC_IN_MAC = 0x88e7;
const ETHERTYPE_FABRICPATH = 0x8903;
const ETHERTYPE_CISCO_CMD = 0x8909;
const ETHERTYPE_VN_TAG = 0x8926;
/** Below this it is a length (IEEE 802.3 §3.2.6). */
const ETHERTYPE_MIN = 0x600;

/** Cisco MetaData: version, then options' length in 4-byte words; an EtherType behind the options. */
const CMD_LENGTH = 1;
const CMD_OPTIONS = 2;
const CMD_OPTION_WORDS_MAX = 8;
/** Direction, pointer, destination and source interface of VN-Tag; path, size, sequence of HSR. */
const VN_TAG_LENGTH = 4;
const HSR_LENGTH = 4;
/** Priority, flags and service identifier of the I-TAG (IEEE 802.1Q §9.7). */
const I_TAG_LENGTH = 4;
/** FTag and time to live. */
const FABRICPATH_LENGTH = 2;
/** TRILL (RFC 6325 §3): options' length in 4-byte words in bits 6 to 10 of the first 16. */
const TRILL_LENGTH = 6;
const TRILL_OPTIONS_SHIFT = 6;
const TRILL_OPTIONS_MASK = 0x1f;
const ETHERTYPE_LENGTH = 2;

/**
 * Decodes what an EtherType announces that is neither IP nor VLAN nor PPPoE.
 *
 * @param view Bytes.
 * @param at Offset behind the EtherType.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param originalEnd Offset behind the last byte of the frame as it was on the wire.
 * @param type The EtherType, or the length of an 802.3 frame.
 * @param segment Filled.
 */
export function decodeLinkTag(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  type: number,
  segment: Segment,
): FrameVerdict {
  switch (type) {
    case ETHERTYPE_MPLS:
    case ETHERTYPE_MPLS_UPSTREAM:
      return decodeMpls(view, at, capturedEnd, originalEnd, segment);
    case ETHERTYPE_CISCO_CMD:
      return decodeCiscoCmd(view, at, capturedEnd, originalEnd, segment);
    case ETHERTYPE_VN_TAG: {
      const next = at + VN_TAG_LENGTH;
      return decodeBehindTag(view, next, capturedEnd, originalEnd, Tunnel.VN_TAG, segment);
    }
    case ETHERTYPE_HSR: {
      const next = at + HSR_LENGTH;
      return decodeBehindTag(view, next, capturedEnd, originalEnd, Tunnel.HSR, segment);
    }
    case ETHERTYPE_MAC_IN_MAC:
      if (!enterTunnel(segment, Tunnel.MAC_IN_MAC)) return FrameVerdict.TooManyTunnels;
      return decodeEthernet(view, at + I_TAG_LENGTH, capturedEnd, originalEnd, segment);
    case ETHERTYPE_FABRICPATH:
      if (!enterTunnel(segment, Tunnel.FABRICPATH)) return FrameVerdict.TooManyTunnels;
      return decodeEthernet(view, at + FABRICPATH_LENGTH, capturedEnd, originalEnd, segment);
    case ETHERTYPE_TRILL:
      return decodeTrill(view, at, capturedEnd, originalEnd, segment);
  }
  if (type >= ETHERTYPE_MIN) {
    segment.unread = UnreadKind.ETHERTYPE | type;
    return FrameVerdict.NotIp;
  }
  // What follows the length is padding.
  const end = Math.min(originalEnd, at + type);
  return decodeLlc(view, at, Math.min(capturedEnd, end), end, Tunnel.LLC_SNAP, segment);
}

function decodeCiscoCmd(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + CMD_OPTIONS > capturedEnd) return FrameVerdict.TruncatedTag;
  const words = view.getUint8(at + CMD_LENGTH);
  if (words > CMD_OPTION_WORDS_MAX) return FrameVerdict.BadHeaderLength;
  const next = at + CMD_OPTIONS + 4 * words;
  return decodeBehindTag(view, next, capturedEnd, originalEnd, Tunnel.CISCO_CMD, segment);
}

function decodeTrill(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + TRILL_LENGTH > capturedEnd) return FrameVerdict.TruncatedTag;
  if (!enterTunnel(segment, Tunnel.TRILL)) return FrameVerdict.TooManyTunnels;
  const words = view.getUint16(at) >>> TRILL_OPTIONS_SHIFT & TRILL_OPTIONS_MASK;
  return decodeEthernet(view, at + TRILL_LENGTH + 4 * words, capturedEnd, originalEnd, segment);
}

/** Decodes from the EtherType at `at` on, which is the last field of a tag. */
function decodeBehindTag(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  tunnel: number,
  segment: Segment,
): FrameVerdict {
  const packet = at + ETHERTYPE_LENGTH;
  if (packet > capturedEnd) return FrameVerdict.TruncatedTag;
  if (!enterTunnel(segment, tunnel)) return FrameVerdict.TooManyTunnels;
  return decodeEtherType(view, packet, capturedEnd, originalEnd, view.getUint16(at), segment);
}
