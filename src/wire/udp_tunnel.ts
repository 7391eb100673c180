/**
 * Tunnels over UDP, told apart by their ports: VXLAN, VXLAN-GPE, Geneve, GTP-U, Teredo, AYIYA, CAPWAP, L2TP, GRE, MPLS.
 *
 * @module
 */
import { decodeCapwap } from "./capwap.ts";
import { decodeEthernet } from "./ethernet.ts";
import { decodeGre, ETHERTYPE_BRIDGING } from "./gre.ts";
import { decodeGtpU } from "./gtp_u.ts";
import { decodeL2tp } from "./l2tp.ts";
import { decodeMpls } from "./mpls.ts";
import { decodeEtherType, decodeIp } from "./network.ts";
import type { Segment } from "./segment.ts";
import { decodeAyiya, decodeTeredo } from "./teredo.ts";
import { enterTunnel, Tunnel } from "./tunnel_names.ts";
import { UnreadKind } from "./unread.ts";
import { FrameVerdict } from "./verdict.ts";

/** UDP header (RFC 768). */
const SOURCE = 0;
const DESTINATION = 2;
const LENGTH = 8;
const UDP = 17;

/** Ports (IANA "Service Names and Port Numbers"): VXLAN's second is the default of Linux. */
const Port = {
  L2TP: 1701,
  GTP_U: 2152,
  GTP_0: 3386,
  TEREDO: 3544,
  GRE: 4754,
  VXLAN: 4789,
  VXLAN_GPE: 4790,
  AYIYA: 5072,
  CAPWAP_DATA: 5247,
  GENEVE: 6081,
  /** RFC 7510 §3. */
  MPLS: 6635,
  VXLAN_LINUX: 8472,
} as const;

/** VXLAN header (RFC 7348 §5): the I flag must be set. */
const VXLAN_FLAGS = 0;
const VXLAN_FLAG_I = 0x08;
const VXLAN_LENGTH = 8;
/**
 * What VXLAN-GPE adds (draft-ietf-nvo3-vxlan-gpe §3): a version, that its next protocol counts, and that it is
 * for the tunnel itself. Without the second there is a frame of Ethernet in it, as in VXLAN.
 */
const GPE_VERSION_MASK = 0x30;
const GPE_FLAG_NEXT = 0x04;
const GPE_FLAG_OAM = 0x01;
const GPE_NEXT = 3;
/** Network service header (RFC 8300): it leads through services, and is not read. */
const ETHERTYPE_NSH = 0x894f;
const GpeNext = { IPV4: 1, IPV6: 2, ETHERNET: 3, NSH: 4, MPLS: 5 } as const;

/** Geneve header (RFC 8926 §3.4): version and options' length in 4-byte words, protocol type. */
const GENEVE_VERSION_LENGTH = 0;
const GENEVE_PROTOCOL = 2;
const GENEVE_LENGTH = 8;
const GENEVE_OPTIONS_MASK = 0x3f;

/**
 * Decodes what a UDP packet carries, where that is a tunnel.
 *
 * @param view Bytes.
 * @param at Offset of the UDP header.
 * @param capturedEnd Offset behind the last byte captured of the packet, within `view`.
 * @param packetEnd Offset behind the last byte of the packet by its IP header.
 * @param segment Filled.
 */
export function decodeUdp(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  segment: Segment,
): FrameVerdict {
  segment.unread = UnreadKind.IP_PROTOCOL | UDP;
  if (at + LENGTH > capturedEnd) return FrameVerdict.NotTcp;
  const payload = at + LENGTH;
  // Most tunnels choose their source port by what is inside and send to the well-known one. Of the
  // others a client may sit behind address translation, so that the answer goes to any port.
  switch (view.getUint16(at + DESTINATION)) {
    case Port.VXLAN:
    case Port.VXLAN_LINUX:
      return decodeVxlan(view, payload, capturedEnd, packetEnd, segment);
    case Port.VXLAN_GPE:
      return decodeVxlanGpe(view, payload, capturedEnd, packetEnd, segment);
    case Port.GENEVE:
      return decodeGeneve(view, payload, capturedEnd, packetEnd, segment);
    case Port.MPLS:
      return decodeMpls(view, payload, capturedEnd, packetEnd, segment);
    case Port.GRE:
      return decodeGre(view, payload, capturedEnd, packetEnd, Tunnel.GRE_IN_UDP, segment);
    case Port.GTP_U:
    case Port.GTP_0:
      return decodeGtpU(view, payload, capturedEnd, packetEnd, segment);
    case Port.TEREDO:
      return decodeTeredo(view, payload, capturedEnd, packetEnd, segment);
    case Port.AYIYA:
      return decodeAyiya(view, payload, capturedEnd, packetEnd, segment);
    case Port.CAPWAP_DATA:
      return decodeCapwap(view, payload, capturedEnd, packetEnd, segment);
    case Port.L2TP:
      return decodeL2tp(view, payload, capturedEnd, packetEnd, segment);
  }
  switch (view.getUint16(at + SOURCE)) {
    case Port.TEREDO:
      return decodeTeredo(view, payload, capturedEnd, packetEnd, segment);
    case Port.AYIYA:
      return decodeAyiya(view, payload, capturedEnd, packetEnd, segment);
    case Port.CAPWAP_DATA:
      return decodeCapwap(view, payload, capturedEnd, packetEnd, segment);
    case Port.L2TP:
      return decodeL2tp(view, payload, capturedEnd, packetEnd, segment);
    default:
      return FrameVerdict.NotTcp;
  }
}

function decodeVxlan(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + VXLAN_LENGTH > capturedEnd) return FrameVerdict.TruncatedTunnel;
  if ((view.getUint8(at + VXLAN_FLAGS) & VXLAN_FLAG_I) === 0) return FrameVerdict.NotTcp;
  if (!enterTunnel(segment, Tunnel.VXLAN)) return FrameVerdict.TooManyTunnels;
  return decodeEthernet(view, at + VXLAN_LENGTH, capturedEnd, packetEnd, segment);
}

function decodeVxlanGpe(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + VXLAN_LENGTH > capturedEnd) return FrameVerdict.TruncatedTunnel;
  const flags = view.getUint8(at + VXLAN_FLAGS);
  const isForTunnel = (flags & (GPE_VERSION_MASK | GPE_FLAG_OAM)) !== 0;
  if ((flags & VXLAN_FLAG_I) === 0 || isForTunnel) return FrameVerdict.NotTcp;
  const next = (flags & GPE_FLAG_NEXT) === 0 ? GpeNext.ETHERNET : view.getUint8(at + GPE_NEXT);
  if (next === GpeNext.NSH) segment.unread = UnreadKind.ETHERTYPE | ETHERTYPE_NSH;
  if (next === 0 || next === GpeNext.NSH || next > GpeNext.MPLS) return FrameVerdict.NotTcp;
  if (!enterTunnel(segment, Tunnel.VXLAN_GPE)) return FrameVerdict.TooManyTunnels;
  const inner = at + VXLAN_LENGTH;
  switch (next) {
    case GpeNext.ETHERNET:
      return decodeEthernet(view, inner, capturedEnd, packetEnd, segment);
    case GpeNext.MPLS:
      return decodeMpls(view, inner, capturedEnd, packetEnd, segment);
    default:
      return decodeIp(view, inner, capturedEnd, packetEnd, segment);
  }
}

function decodeGeneve(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + GENEVE_LENGTH > capturedEnd) return FrameVerdict.TruncatedTunnel;
  const versionLength = view.getUint8(at + GENEVE_VERSION_LENGTH);
  if (versionLength > GENEVE_OPTIONS_MASK) return FrameVerdict.NotTcp;
  if (!enterTunnel(segment, Tunnel.GENEVE)) return FrameVerdict.TooManyTunnels;
  const type = view.getUint16(at + GENEVE_PROTOCOL);
  const inner = at + GENEVE_LENGTH + versionLength * 4;
  return type === ETHERTYPE_BRIDGING
    ? decodeEthernet(view, inner, capturedEnd, packetEnd, segment)
    : decodeEtherType(view, inner, capturedEnd, packetEnd, type, segment);
}
