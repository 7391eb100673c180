/**
 * PPP: behind PPPoE, in HDLC-like framing, or bare; and Cisco's HDLC, which shares link types with it.
 *
 * @module
 */

import { decodeIpv4 } from "./ipv4.ts";
import { decodeIpv6 } from "./ipv6.ts";
import { decodeMpls } from "./mpls.ts";
import { decodeEtherType } from "./network.ts";
import type { Segment } from "./segment.ts";
import { UnreadKind } from "./unread.ts";
import { FrameVerdict } from "./verdict.ts";

/** PPPoE header (RFC 2516 §4): version and type, code, session, length. */
const PPPOE_CODE = 1;
const PPPOE_CODE_SESSION_DATA = 0;
const PPPOE_LENGTH = 6;

/** HDLC-like framing (RFC 1662 §3.1): address and control, both fixed. */
const HDLC_ADDRESS_CONTROL = 0xff03;
const HDLC_LENGTH = 2;

/** Cisco's HDLC (RFC 1547 §4.3.1): address unicast or multicast, control 0, EtherType. */
const CISCO_UNICAST = 0x0f00;
const CISCO_MULTICAST = 0x8f00;
const CISCO_ETHERTYPE = 2;
const CISCO_LENGTH = 4;

/** Protocol numbers (RFC 1332 §2, RFC 5072 §2, RFC 3032 §4.3). */
const PPP_IPV4 = 0x0021;
const PPP_IPV6 = 0x0057;
const PPP_MPLS = 0x0281;
const PROTOCOL_LENGTH = 2;

/**
 * Decodes a PPPoE session packet from its header on.
 *
 * @param view Bytes.
 * @param at Offset of the header.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param originalEnd Offset behind the last byte of the frame as it was on the wire.
 * @param segment Filled.
 */
export function decodePppoe(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + PPPOE_LENGTH > capturedEnd) return FrameVerdict.TruncatedPppoe;
  if (view.getUint8(at + PPPOE_CODE) !== PPPOE_CODE_SESSION_DATA) return FrameVerdict.NotIp;
  return decodePpp(view, at + PPPOE_LENGTH, capturedEnd, originalEnd, segment);
}

/**
 * Decodes a frame of a PPP link: with HDLC-like framing before the protocol field or without, or of
 * Cisco's HDLC. The parameters are those of {@linkcode decodePppoe}.
 */
export function decodePppLink(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + HDLC_LENGTH > capturedEnd) return FrameVerdict.TruncatedPpp;
  switch (view.getUint16(at)) {
    case HDLC_ADDRESS_CONTROL:
      return decodePpp(view, at + HDLC_LENGTH, capturedEnd, originalEnd, segment);
    case CISCO_UNICAST:
    case CISCO_MULTICAST: {
      if (at + CISCO_LENGTH > capturedEnd) return FrameVerdict.TruncatedPpp;
      const type = view.getUint16(at + CISCO_ETHERTYPE);
      return decodeEtherType(view, at + CISCO_LENGTH, capturedEnd, originalEnd, type, segment);
    }
    default:
      return decodePpp(view, at, capturedEnd, originalEnd, segment);
  }
}

/** Decodes from the protocol field on, which is one byte where it was compressed (RFC 1661 §6.5). */
function decodePpp(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + PROTOCOL_LENGTH > capturedEnd) return FrameVerdict.TruncatedPpp;
  // The low bit ends the field, so the upper of two bytes never has it (RFC 1661 §2).
  const first = view.getUint8(at);
  const isCompressed = (first & 1) !== 0;
  const packet = at + (isCompressed ? 1 : PROTOCOL_LENGTH);
  const protocol = isCompressed ? first : view.getUint16(at);
  switch (protocol) {
    case PPP_IPV4:
      return decodeIpv4(view, packet, capturedEnd, originalEnd, segment);
    case PPP_IPV6:
      return decodeIpv6(view, packet, capturedEnd, originalEnd, segment);
    case PPP_MPLS:
      return decodeMpls(view, packet, capturedEnd, originalEnd, segment);
    default:
      segment.unread = UnreadKind.PPP | protocol;
      return FrameVerdict.NotIp;
  }
}
