/**
 * IP packets inside IP packets, by the protocol number of what an IP header is followed by.
 *
 * @module
 */

import { decodeGre } from "./gre.ts";
import { decodeL2tpSession } from "./l2tp.ts";
import { decodeMpls } from "./mpls.ts";
import { decodeIp } from "./network.ts";
import type { Segment } from "./segment.ts";
import { enterTunnel, Tunnel } from "./tunnel_names.ts";
import { decodeUdp } from "./udp_tunnel.ts";
import { UnreadKind } from "./unread.ts";
import { FrameVerdict } from "./verdict.ts";

export { TUNNEL_NAMES, type TunnelName, tunnelNames } from "./tunnel_names.ts";

/**
 * IANA protocol numbers: IPv4 in IP (RFC 2003), UDP, IPv6 in IP (RFC 4213), GRE (RFC 2784), L2TP version 3
 * (RFC 3931), MPLS (RFC 4023).
 */
const IPV4_IN_IP = 4;
const UDP = 17;
const IPV6_IN_IP = 41;
const GRE = 47;
const L2TP = 115;
const MPLS_IN_IP = 137;

/**
 * Decodes what an IP packet of another protocol than TCP carries, where that is a tunnel. Notes the
 * tunnels in `segment.tunnels`.
 *
 * @param view Bytes.
 * @param at Offset behind the IP header.
 * @param capturedEnd Offset behind the last byte captured of the packet, within `view`.
 * @param packetEnd Offset behind the last byte of the packet by its IP header.
 * @param protocol IANA protocol number of what is at `at`.
 * @param version IP version of the packet that carries it.
 * @param segment Filled.
 */
export function decodeTunnel(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  protocol: number,
  version: 4 | 6,
  segment: Segment,
): FrameVerdict {
  switch (protocol) {
    case UDP:
      return decodeUdp(view, at, capturedEnd, packetEnd, segment);
    case IPV4_IN_IP:
    case IPV6_IN_IP: {
      const isSixInFour = protocol === IPV6_IN_IP && version === 4;
      const tunnel = isSixInFour ? Tunnel.SIX_IN_FOUR : Tunnel.IPIP;
      if (!enterTunnel(segment, tunnel)) return FrameVerdict.TooManyTunnels;
      return decodeIp(view, at, capturedEnd, packetEnd, segment);
    }
    case GRE:
      return decodeGre(view, at, capturedEnd, packetEnd, Tunnel.GRE, segment);
    case L2TP:
      return decodeL2tpSession(view, at, capturedEnd, packetEnd, segment);
    case MPLS_IN_IP:
      return decodeMpls(view, at, capturedEnd, packetEnd, segment);
    default:
      segment.unread = UnreadKind.IP_PROTOCOL | protocol;
      return FrameVerdict.NotTcp;
  }
}
