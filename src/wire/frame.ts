/**
 * From a captured frame to its TCP segment, or to the reason why it holds none.
 *
 * @module
 */

import { decodeSll, decodeSll2 } from "./cooked.ts";
import { decodeEthernet } from "./ethernet.ts";
import { decodeIpv4 } from "./ipv4.ts";
import { decodeIpv6 } from "./ipv6.ts";
import { decodeLoopback } from "./loopback.ts";
import { decodeMpls } from "./mpls.ts";
import { decodeEtherType, decodeIp } from "./network.ts";
import { decodeNflog } from "./nflog.ts";
import { decodeArcnet, decodeFddi, decodeIpoib, decodePflog, readPktap } from "./other_links.ts";
import { Passage } from "./passage.ts";
import { decodePppLink, decodePppoe } from "./ppp.ts";
import { type RadioHeader, readPpi, readPrism, readRadiotap } from "./radio_header.ts";
import type { Segment } from "./segment.ts";
import { UnreadKind } from "./unread.ts";
import { FrameVerdict } from "./verdict.ts";
import { decodeWireless } from "./wireless.ts";

export { FrameVerdict, frameVerdictNames } from "./verdict.ts";

/**
 * Link types that {@linkcode decodeFrame} reads, by their numbers in capture files
 * (tcpdump.org "Link-layer header types"). Those of raw IP that a BSD kernel numbers otherwise are
 * here too, since old files hold them.
 */
export const LinkType = {
  /** BSD loopback, family in the capturing host's byte order. */
  NULL: 0,
  ETHERNET: 1,
  /** ARCnet as BSD captures it. */
  ARCNET: 7,
  /** PPP, with HDLC-like framing or without. */
  PPP: 9,
  FDDI: 10,
  /** Raw IP, DLT_RAW of most systems. */
  RAW_DLT: 12,
  /** Raw IP, DLT_RAW of OpenBSD. */
  RAW_DLT_OPENBSD: 14,
  /** PPP or Cisco's HDLC in HDLC-like framing. */
  PPP_HDLC: 50,
  /** PPPoE without the Ethernet before it. */
  PPP_ETHER: 51,
  /** Raw IP of either version. */
  RAW: 101,
  /** Cisco's HDLC. */
  C_HDLC: 104,
  /** IEEE 802.11, bare. */
  IEEE802_11: 105,
  /** OpenBSD loopback, family in network byte order. */
  LOOP: 108,
  /** Linux cooked, version 1. */
  LINUX_SLL: 113,
  /** Logged by OpenBSD's packet filter. */
  PFLOG: 117,
  /** IEEE 802.11 behind a Prism header, or one of AVS. */
  PRISM: 119,
  /** IEEE 802.11 behind radiotap. */
  RADIOTAP: 127,
  /** ARCnet as Linux captures it. */
  ARCNET_LINUX: 129,
  /** IEEE 802.11 behind an AVS header. */
  AVS: 163,
  /** Per-packet information before a frame whose link type it tells. */
  PPI: 192,
  /** PPP behind a byte that tells the direction. */
  PPP_WITH_DIRECTION: 204,
  /** MPLS labels. */
  MPLS: 219,
  /** Raw IPv4. */
  IPV4: 228,
  /** Raw IPv6. */
  IPV6: 229,
  /** Logged by the Linux firewall. */
  NFLOG: 239,
  /** IP over InfiniBand. */
  IPOIB: 242,
  /** Apple's packet tap, which tells the link type of what follows. */
  PKTAP: 258,
  /** Linux cooked, version 2. */
  LINUX_SLL2: 276,
} as const;

/**
 * Decodes a frame that starts with its link-layer header. Allocates nothing, reads nothing outside
 * `start` to `capturedEnd`, and never throws.
 *
 * @example
 * ```ts
 * import { decodeFrame, FrameVerdict, LinkType } from "./frame.ts";
 * import { Segment } from "./segment.ts";
 *
 * const frame = new Uint8Array(60);
 * const view = new DataView(frame.buffer);
 * const segment = new Segment();
 * const verdict = decodeFrame(view, 0, frame.length, frame.length, LinkType.ETHERNET, segment);
 * if (verdict === FrameVerdict.Tcp) console.log(segment.sequence);
 * ```
 *
 * @param view Bytes.
 * @param start Offset of the frame's first byte.
 * @param capturedEnd Offset behind the last byte captured of this frame.
 * @param originalLength Bytes of the frame before the capture cut it.
 * @param linkType Link type of the capture, see {@linkcode LinkType}.
 * @param segment Filled when the verdict is `FrameVerdict.Tcp`.
 */
export function decodeFrame(
  view: DataView,
  start: number,
  capturedEnd: number,
  originalLength: number,
  linkType: number,
  segment: Segment,
): FrameVerdict {
  segment.vlan = -1;
  segment.passage = Passage.UNKNOWN;
  segment.tunnels = 0;
  segment.unread = 0;
  const end = Math.min(capturedEnd, view.byteLength);
  const originalEnd = Math.max(start + originalLength, end);
  return decodeLink(view, start, end, originalEnd, linkType, segment, 0);
}

/** Link types inside what tells another one: packet taps and PPI, which have no reason to be nested. */
const LINK_DEPTH_MAX = 2;

function decodeLink(
  view: DataView,
  start: number,
  end: number,
  originalEnd: number,
  linkType: number,
  segment: Segment,
  depth: number,
): FrameVerdict {
  switch (linkType) {
    case LinkType.ETHERNET:
      return decodeEthernet(view, start, end, originalEnd, segment);
    case LinkType.LINUX_SLL:
      return decodeSll(view, start, end, originalEnd, segment);
    case LinkType.LINUX_SLL2:
      return decodeSll2(view, start, end, originalEnd, segment);
    case LinkType.NULL:
    case LinkType.LOOP:
      return decodeLoopback(view, start, end, originalEnd, segment);
    case LinkType.RAW:
    case LinkType.RAW_DLT:
    case LinkType.RAW_DLT_OPENBSD:
      return decodeIp(view, start, end, originalEnd, segment);
    case LinkType.IPV4:
      return decodeIpv4(view, start, end, originalEnd, segment);
    case LinkType.IPV6:
      return decodeIpv6(view, start, end, originalEnd, segment);
    case LinkType.PPP:
    case LinkType.PPP_HDLC:
    case LinkType.C_HDLC:
      return decodePppLink(view, start, end, originalEnd, segment);
    case LinkType.PPP_ETHER:
      return decodePppoe(view, start, end, originalEnd, segment);
    case LinkType.NFLOG:
      return decodeNflog(view, start, end, originalEnd, segment);
    default:
      return decodeRareLink(view, start, end, originalEnd, linkType, segment, depth);
  }
}

function decodeRareLink(
  view: DataView,
  at: number,
  end: number,
  originalEnd: number,
  linkType: number,
  segment: Segment,
  depth: number,
): FrameVerdict {
  switch (linkType) {
    case LinkType.IEEE802_11:
      return decodeWireless(view, at, end, originalEnd, false, segment);
    case LinkType.RADIOTAP:
      return decodeRadio(view, readRadiotap(view, at, end), end, originalEnd, segment);
    case LinkType.PRISM:
    case LinkType.AVS:
      return decodeRadio(view, readPrism(view, at, end), end, originalEnd, segment);
    case LinkType.PPI: {
      const inner = readPpi(view, at, end);
      if (inner.frame < 0) return inner.verdict;
      if (depth === LINK_DEPTH_MAX) return FrameVerdict.TooManyTunnels;
      return decodeLink(view, inner.frame, end, originalEnd, inner.linkType, segment, depth + 1);
    }
    case LinkType.PKTAP: {
      const inner = readPktap(view, at, end);
      if (inner.frame < 0) return inner.verdict;
      if (depth === LINK_DEPTH_MAX) return FrameVerdict.TooManyTunnels;
      return decodeLink(view, inner.frame, end, originalEnd, inner.linkType, segment, depth + 1);
    }
    case LinkType.PFLOG:
      return decodePflog(view, at, end, originalEnd, segment);
    case LinkType.PPP_WITH_DIRECTION:
      return decodePppLink(view, at + 1, end, originalEnd, segment);
    case LinkType.MPLS:
      return decodeMpls(view, at, end, originalEnd, segment);
    case LinkType.FDDI:
      return decodeFddi(view, at, end, originalEnd, segment);
    case LinkType.IPOIB:
      return decodeIpoib(view, at, end, originalEnd, segment);
    case LinkType.ARCNET:
      return decodeArcnet(view, at, end, originalEnd, false, segment);
    case LinkType.ARCNET_LINUX:
      return decodeArcnet(view, at, end, originalEnd, true, segment);
    default:
      segment.unread = UnreadKind.LINK_TYPE | linkType & 0xffff;
      return FrameVerdict.UnknownLink;
  }
}

function decodeRadio(
  view: DataView,
  { frame, verdict, isPadded }: Readonly<RadioHeader>,
  end: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  if (frame < 0) return verdict;
  return decodeWireless(view, frame, end, originalEnd, isPadded, segment);
}

/**
 * Decodes a packet that starts with its network header, as an AF_PACKET socket of type SOCK_DGRAM
 * delivers it. Allocates nothing, reads nothing outside `start` to `capturedEnd`, and never throws.
 *
 * The kernel takes the outer VLAN tag off and reports it beside the packet; of a QinQ frame the
 * inner tag then stays at the start of the packet, with the tag's own EtherType as the protocol.
 * `segment.vlan` is the id of such a tag, so a caller that knows the outer one puts it there
 * afterwards.
 *
 * @param view Bytes.
 * @param start Offset of the packet's first byte.
 * @param capturedEnd Offset behind the last byte captured of this packet.
 * @param originalLength Bytes from `start` to the packet's end before the capture cut it.
 * @param segment Filled when the verdict is `FrameVerdict.Tcp`.
 * @param protocolHint EtherType of what is at `start`, in host byte order (`sll_protocol` of
 * `struct sockaddr_ll`); 0 takes the IP version from the packet itself.
 */
export function decodePacket(
  view: DataView,
  start: number,
  capturedEnd: number,
  originalLength: number,
  segment: Segment,
  protocolHint = 0,
): FrameVerdict {
  segment.vlan = -1;
  segment.passage = Passage.UNKNOWN;
  segment.tunnels = 0;
  segment.unread = 0;
  const end = Math.min(capturedEnd, view.byteLength);
  const originalEnd = Math.max(start + originalLength, end);
  return protocolHint === 0
    ? decodeIp(view, start, end, originalEnd, segment)
    : decodeEtherType(view, start, end, originalEnd, protocolHint, segment);
}
