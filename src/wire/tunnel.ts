/**
 * IP packets inside IP packets: IP in IP, GRE, and over UDP VXLAN and Geneve.
 *
 * @module
 */

import { decodeEthernet } from "./ethernet.ts";
import { decodeEtherType, decodeIp } from "./network.ts";
import type { Segment } from "./segment.ts";
import { FrameVerdict } from "./verdict.ts";

/** IANA protocol numbers: IPv4 in IP (RFC 2003), UDP, IPv6 in IP (RFC 4213), GRE (RFC 2784). */
const IPV4_IN_IP = 4;
const UDP = 17;
const IPV6_IN_IP = 41;
const GRE = 47;

/** GRE header (RFC 2784 §2.1, RFC 2890 §2): flags, protocol type, then the fields that flags announce. */
const GRE_FLAGS = 0;
const GRE_PROTOCOL = 2;
const GRE_LENGTH = 4;
const GRE_CHECKSUM_PRESENT = 0x8000;
const GRE_KEY_PRESENT = 0x2000;
const GRE_SEQUENCE_PRESENT = 0x1000;
/** Routing (RFC 1701, withdrawn) and version: other than 0 there is no IP packet behind it. */
const GRE_UNKNOWN = 0x4007;
const GRE_FIELD_LENGTH = 4;
/** Transparent Ethernet bridging (RFC 1701, IANA "IEEE 802 Numbers"). */
const ETHERTYPE_BRIDGING = 0x6558;

/** UDP header (RFC 768) and the ports of the tunnels (RFC 7348 §8, RFC 8926 §3.3). */
const UDP_DESTINATION = 2;
const UDP_LENGTH = 8;
const VXLAN_PORT = 4789;
/** Before IANA gave one: the default of Linux. */
const VXLAN_PORT_LINUX = 8472;
const GENEVE_PORT = 6081;

/** VXLAN header (RFC 7348 §5): the I flag must be set. */
const VXLAN_FLAGS = 0;
const VXLAN_FLAG_I = 0x08;
const VXLAN_LENGTH = 8;

/** Geneve header (RFC 8926 §3.4): version and options' length in 4-byte words, protocol type. */
const GENEVE_VERSION_LENGTH = 0;
const GENEVE_PROTOCOL = 2;
const GENEVE_LENGTH = 8;
const GENEVE_OPTIONS_MASK = 0x3f;

/** The kinds of tunnels, by their numbers in `Segment.tunnels` from 1 on. */
export const TUNNEL_NAMES = ["ipip", "gre", "vxlan", "geneve"] as const;

/** A kind of tunnel. */
export type TunnelName = typeof TUNNEL_NAMES[number];

const Tunnel = { IPIP: 1, GRE: 2, VXLAN: 3, GENEVE: 4 } as const;
/** Bits of a number in `Segment.tunnels`, the innermost tunnel lowest. */
const TUNNEL_BITS = 4;
const TUNNEL_MASK = 0xf;
/** Above this there are four tunnels; the bound keeps a hostile packet cheap. */
const THREE_TUNNELS_MAX = 0xfff;

const NO_TUNNELS: readonly TunnelName[] = [];

/** The tunnels that `Segment.tunnels` holds, the outermost first. */
export function tunnelNames(tunnels: number): readonly TunnelName[] {
  if (tunnels === 0) return NO_TUNNELS;
  const outer = tunnelNames(tunnels >>> TUNNEL_BITS);
  return [...outer, TUNNEL_NAMES[(tunnels & TUNNEL_MASK) - 1]];
}

/**
 * Decodes what an IP packet of another protocol than TCP carries, where that is a tunnel. Notes the
 * tunnels in `segment.tunnels`.
 *
 * @param view Bytes.
 * @param at Offset behind the IP header.
 * @param capturedEnd Offset behind the last byte captured of the packet, within `view`.
 * @param packetEnd Offset behind the last byte of the packet by its IP header.
 * @param protocol IANA protocol number of what is at `at`.
 * @param segment Filled.
 */
export function decodeTunnel(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  protocol: number,
  segment: Segment,
): FrameVerdict {
  switch (protocol) {
    case IPV4_IN_IP:
    case IPV6_IN_IP:
      if (!enter(segment, Tunnel.IPIP)) return FrameVerdict.TooManyTunnels;
      return decodeIp(view, at, capturedEnd, packetEnd, segment);
    case GRE:
      return decodeGre(view, at, capturedEnd, packetEnd, segment);
    case UDP:
      return decodeUdp(view, at, capturedEnd, packetEnd, segment);
    default:
      return FrameVerdict.NotTcp;
  }
}

function enter(segment: Segment, tunnel: number): boolean {
  if (segment.tunnels > THREE_TUNNELS_MAX) return false;
  segment.tunnels = segment.tunnels << TUNNEL_BITS | tunnel;
  return true;
}

function decodeGre(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + GRE_LENGTH > capturedEnd) return FrameVerdict.TruncatedTunnel;
  const flags = view.getUint16(at + GRE_FLAGS);
  if ((flags & GRE_UNKNOWN) !== 0) return FrameVerdict.NotTcp;
  let inner = at + GRE_LENGTH;
  for (const flag of [GRE_CHECKSUM_PRESENT, GRE_KEY_PRESENT, GRE_SEQUENCE_PRESENT]) {
    if ((flags & flag) !== 0) inner += GRE_FIELD_LENGTH;
  }
  if (!enter(segment, Tunnel.GRE)) return FrameVerdict.TooManyTunnels;
  const type = view.getUint16(at + GRE_PROTOCOL);
  return decodeInner(view, inner, capturedEnd, packetEnd, type, segment);
}

function decodeUdp(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + UDP_LENGTH > capturedEnd) return FrameVerdict.NotTcp;
  const header = at + UDP_LENGTH;
  switch (view.getUint16(at + UDP_DESTINATION)) {
    case VXLAN_PORT:
    case VXLAN_PORT_LINUX:
      if (header + VXLAN_LENGTH > capturedEnd) return FrameVerdict.TruncatedTunnel;
      if ((view.getUint8(header + VXLAN_FLAGS) & VXLAN_FLAG_I) === 0) return FrameVerdict.NotTcp;
      if (!enter(segment, Tunnel.VXLAN)) return FrameVerdict.TooManyTunnels;
      return decodeEthernet(view, header + VXLAN_LENGTH, capturedEnd, packetEnd, segment);
    case GENEVE_PORT: {
      if (header + GENEVE_LENGTH > capturedEnd) return FrameVerdict.TruncatedTunnel;
      const versionLength = view.getUint8(header + GENEVE_VERSION_LENGTH);
      if (versionLength > GENEVE_OPTIONS_MASK) return FrameVerdict.NotTcp;
      if (!enter(segment, Tunnel.GENEVE)) return FrameVerdict.TooManyTunnels;
      const type = view.getUint16(header + GENEVE_PROTOCOL);
      const inner = header + GENEVE_LENGTH + versionLength * 4;
      return decodeInner(view, inner, capturedEnd, packetEnd, type, segment);
    }
    default:
      return FrameVerdict.NotTcp;
  }
}

function decodeInner(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  type: number,
  segment: Segment,
): FrameVerdict {
  return type === ETHERTYPE_BRIDGING
    ? decodeEthernet(view, at, capturedEnd, packetEnd, segment)
    : decodeEtherType(view, at, capturedEnd, packetEnd, type, segment);
}
