/**
 * Logical link control (IEEE 802.2) and SNAP behind it: what 802.3 frames with a length, 802.11 and FDDI
 * carry.
 *
 * @module
 */
import { decodeEthernet } from "./ethernet.ts";
import { decodeEtherType, decodeIp } from "./network.ts";
import type { Segment } from "./segment.ts";
import { enterTunnel } from "./tunnel_names.ts";
import { UnreadKind } from "./unread.ts";
import { FrameVerdict } from "./verdict.ts";

/** Destination and source service access points, control (IEEE 802.2 §3.2). */
const ACCESS_POINTS = 0;
const CONTROL = 2;
const LENGTH = 3;
/** Unnumbered information. */
const CONTROL_UI = 0x03;
const ACCESS_POINTS_SNAP = 0xaaaa;
const ACCESS_POINTS_IP = 0x0606;

/** SNAP (IEEE 802 §9.5): organization, protocol. */
const SNAP_ORGANIZATION = 3;
const SNAP_PROTOCOL = 6;
const SNAP_LENGTH = 8;
/** EtherTypes stand behind that of Xerox (RFC 1042) and that of bridge tunnels (802.1H). */
const ORGANIZATION_ETHERTYPE = 0x000000;
const ORGANIZATION_BRIDGE_TUNNEL = 0x0000f8;
/** 802.1: a bridged frame (RFC 2684 §5.2), Ethernet with its checksum or without, behind 2 pad bytes. */
const ORGANIZATION_8021 = 0x0080c2;
const BRIDGED_ETHERNET_CHECKSUM = 0x0001;
const BRIDGED_ETHERNET = 0x0007;
const BRIDGED_PAD_LENGTH = 2;

/**
 * Decodes from the LLC header on.
 *
 * @param view Bytes.
 * @param at Offset of the header.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param originalEnd Offset behind the last byte of the frame as it was on the wire.
 * @param tunnel What is noted where a packet follows, see `Tunnel`; 0 nothing.
 * @param segment Filled.
 */
export function decodeLlc(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  tunnel: number,
  segment: Segment,
): FrameVerdict {
  // An 802.3 frame may say that it is shorter than that.
  if (at + LENGTH > originalEnd) return FrameVerdict.NotIp;
  if (at + LENGTH > capturedEnd) return FrameVerdict.TruncatedLlc;
  const points = view.getUint16(at + ACCESS_POINTS);
  const isUi = view.getUint8(at + CONTROL) === CONTROL_UI;
  if (!isUi || points !== ACCESS_POINTS_SNAP && points !== ACCESS_POINTS_IP) {
    segment.unread = UnreadKind.LLC | points;
    return FrameVerdict.NotIp;
  }
  if (points === ACCESS_POINTS_SNAP && at + SNAP_LENGTH > capturedEnd) {
    return FrameVerdict.TruncatedLlc;
  }
  if (tunnel !== 0 && !enterTunnel(segment, tunnel)) return FrameVerdict.TooManyTunnels;
  if (points === ACCESS_POINTS_IP) {
    return decodeIp(view, at + LENGTH, capturedEnd, originalEnd, segment);
  }
  const packet = at + SNAP_LENGTH;
  const protocol = view.getUint16(at + SNAP_PROTOCOL);
  switch (view.getUint32(at + SNAP_ORGANIZATION - 1) & 0xffffff) {
    case ORGANIZATION_ETHERTYPE:
    case ORGANIZATION_BRIDGE_TUNNEL:
      return decodeEtherType(view, packet, capturedEnd, originalEnd, protocol, segment);
    case ORGANIZATION_8021:
      if (protocol === BRIDGED_ETHERNET || protocol === BRIDGED_ETHERNET_CHECKSUM) {
        const frame = packet + BRIDGED_PAD_LENGTH;
        return decodeEthernet(view, frame, capturedEnd, originalEnd, segment);
      }
  }
  segment.unread = UnreadKind.ETHERTYPE | protocol;
  return FrameVerdict.NotIp;
}
