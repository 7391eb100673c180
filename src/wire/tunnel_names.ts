/**
 * What a packet can be wrapped in between its link and its own IP header, and how a segment notes it.
 *
 * @module
 */
import type { Segment } from "./segment.ts";

/**
 * The kinds of wrapping, by their numbers in `Segment.tunnels` from 1 on: tunnels, tags other than
 * VLAN, and links other than Ethernet that bring their own way to IP.
 */
export const TUNNEL_NAMES = [
  "ipip",
  "gre",
  "vxlan",
  "geneve",
  "6in4",
  "ah",
  "gre_in_udp",
  "erspan",
  "gtp_u",
  "teredo",
  "ayiya",
  "capwap",
  "l2tp",
  "mpls",
  "cisco_cmd",
  "vn_tag",
  "mac_in_mac",
  "llc_snap",
  "fabricpath",
  "trill",
  "hsr",
  "ieee_802_11",
  "fddi",
  "ipoib",
  "arcnet",
  "vxlan_gpe",
] as const;

/** A kind of wrapping. */
export type TunnelName = typeof TUNNEL_NAMES[number];

/** The number of each kind in `Segment.tunnels`. */
export const Tunnel = {
  IPIP: 1,
  GRE: 2,
  VXLAN: 3,
  GENEVE: 4,
  /** IPv6 in IPv4 (RFC 4213). */
  SIX_IN_FOUR: 5,
  /** IPsec's authentication header (RFC 4302). */
  AH: 6,
  /** GRE over UDP (RFC 8086). */
  GRE_IN_UDP: 7,
  ERSPAN: 8,
  GTP_U: 9,
  TEREDO: 10,
  AYIYA: 11,
  CAPWAP: 12,
  L2TP: 13,
  MPLS: 14,
  /** Cisco MetaData, which carries the security group tag. */
  CISCO_CMD: 15,
  VN_TAG: 16,
  /** Provider backbone bridges, IEEE 802.1ah. */
  MAC_IN_MAC: 17,
  LLC_SNAP: 18,
  FABRICPATH: 19,
  TRILL: 20,
  HSR: 21,
  IEEE_802_11: 22,
  FDDI: 23,
  IPOIB: 24,
  ARCNET: 25,
  VXLAN_GPE: 26,
} as const;

/** Bits of a number in `Segment.tunnels`, the innermost lowest. */
const TUNNEL_BITS = 6;
const TUNNEL_MASK = 0x3f;
/** Above this there are five; the bound keeps a hostile packet cheap, and the number a small integer. */
const FOUR_TUNNELS_MAX = 0xff_ffff;

const NO_TUNNELS: readonly TunnelName[] = [];

/**
 * Notes that a segment lies in one more wrapping.
 *
 * @param tunnel Its number, see {@linkcode Tunnel}.
 * @returns Whether it may be followed: not a sixth one.
 */
export function enterTunnel(segment: Segment, tunnel: number): boolean {
  if (segment.tunnels > FOUR_TUNNELS_MAX) return false;
  segment.tunnels = segment.tunnels << TUNNEL_BITS | tunnel;
  return true;
}

/** The wrappings that `Segment.tunnels` holds, the outermost first. */
export function tunnelNames(tunnels: number): readonly TunnelName[] {
  if (tunnels === 0) return NO_TUNNELS;
  const outer = tunnelNames(tunnels >>> TUNNEL_BITS);
  return [...outer, TUNNEL_NAMES[(tunnels & TUNNEL_MASK) - 1]];
}
