/**
 * Layer two tunneling: L2TP version 2 with PPP in it (RFC 2661), version 3 with Ethernet (RFC 3931).
 *
 * @module
 */
import { decodeEthernet } from "./ethernet.ts";
import { decodePppLink } from "./ppp.ts";
import type { Segment } from "./segment.ts";
import { enterTunnel, Tunnel } from "./tunnel_names.ts";
import { FrameVerdict } from "./verdict.ts";

/** Flags and version (RFC 2661 §3.1), then the fields that flags announce. */
const FLAGS = 0;
const FLAGS_LENGTH = 2;
const CONTROL = 0x8000;
const LENGTH_PRESENT = 0x4000;
const SEQUENCE_PRESENT = 0x0800;
const OFFSET_PRESENT = 0x0200;
const VERSION_MASK = 0x000f;
const TUNNEL_AND_SESSION_LENGTH = 4;
/** Of version 3 over UDP: flags, version and a reserved field; then as over IP. */
const LENGTH_3_UDP = 4;
const SESSION_LENGTH = 4;
/**
 * Cookie and sublayer, which both ends agreed on and no packet tells: none, the sublayer, a cookie of
 * 4 or 8 bytes, each with it or without (RFC 3931 §4.1, §4.6).
 */
const LENGTHS_BEHIND_SESSION = [0, 4, 8, 12] as const;

/**
 * Decodes a packet of L2TP's port.
 *
 * @param view Bytes.
 * @param at Offset behind the UDP header.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param packetEnd Offset behind the last byte of the packet.
 * @param segment Filled.
 */
export function decodeL2tp(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + FLAGS_LENGTH > capturedEnd) return FrameVerdict.TruncatedTunnel;
  const flags = view.getUint16(at + FLAGS);
  if ((flags & CONTROL) !== 0) return FrameVerdict.NotTcp;
  switch (flags & VERSION_MASK) {
    case 2:
      return decodeVersion2(view, at, capturedEnd, packetEnd, segment);
    case 3:
      return decodeL2tpSession(view, at + LENGTH_3_UDP, capturedEnd, packetEnd, segment);
    default:
      return FrameVerdict.NotTcp;
  }
}

function decodeVersion2(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  segment: Segment,
): FrameVerdict {
  const flags = view.getUint16(at + FLAGS);
  let frame = at + FLAGS_LENGTH + TUNNEL_AND_SESSION_LENGTH;
  if ((flags & LENGTH_PRESENT) !== 0) frame += 2;
  if ((flags & SEQUENCE_PRESENT) !== 0) frame += 4;
  if ((flags & OFFSET_PRESENT) !== 0) {
    if (frame + 2 > capturedEnd) return FrameVerdict.TruncatedTunnel;
    frame += 2 + view.getUint16(frame);
  }
  if (frame > capturedEnd) return FrameVerdict.TruncatedTunnel;
  if (!enterTunnel(segment, Tunnel.L2TP)) return FrameVerdict.TooManyTunnels;
  return decodePppLink(view, frame, capturedEnd, packetEnd, segment);
}

/** Decodes from the session of version 3 on; the parameters are those of {@linkcode decodeL2tp}. */
export function decodeL2tpSession(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  segment: Segment,
): FrameVerdict {
  const session = at + SESSION_LENGTH;
  if (session > capturedEnd) return FrameVerdict.TruncatedTunnel;
  // Session 0 is a control message.
  if (view.getUint32(at) === 0) return FrameVerdict.NotTcp;
  if (!enterTunnel(segment, Tunnel.L2TP)) return FrameVerdict.TooManyTunnels;
  const { vlan, tunnels } = segment;
  let verdict: FrameVerdict = FrameVerdict.NotIp;
  for (const length of LENGTHS_BEHIND_SESSION) {
    segment.vlan = vlan;
    segment.tunnels = tunnels;
    verdict = decodeEthernet(view, session + length, capturedEnd, packetEnd, segment);
    if (verdict === FrameVerdict.Tcp || verdict === FrameVerdict.IcmpError) return verdict;
  }
  segment.unread = 0;
  return verdict;
}
