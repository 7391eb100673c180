/**
 * Builds what a packet can be wrapped in between its link and IP, and lists all of it as frames.
 *
 * @module
 */
import { LinkType } from "../../../src/wire/frame.ts";
import type { TunnelName } from "../../../src/wire/tunnel.ts";
import {
  buildEthernet,
  buildIpv4,
  buildIpv6,
  buildPppoe,
  concat,
  u16,
  u32,
} from "./build_frame.ts";

/** Bytes. */
export function bytes(...values: readonly number[]): Uint8Array {
  return new Uint8Array(values);
}

/** The EtherType of a packet by its IP version. */
export function etherTypeOf(packet: Uint8Array): number {
  return packet[0] >>> 4 === 6 ? 0x86dd : 0x0800;
}

/** A UDP packet (RFC 768). */
export function udp(port: number, payload: Uint8Array, sourcePort = 50_000): Uint8Array {
  return concat(u16(sourcePort, port, payload.length + 8, 0), payload);
}

/** A GRE header (RFC 2784) with so many fields, and its payload. */
export function gre(flags: number, type: number, fields: number, payload: Uint8Array): Uint8Array {
  return concat(u16(flags, type), new Uint8Array(4 * fields), payload);
}

/** LLC with SNAP (IEEE 802.2, RFC 1042). */
export function snap(packet: Uint8Array, type: number = etherTypeOf(packet)): Uint8Array {
  return concat(bytes(0xaa, 0xaa, 3, 0, 0, 0), u16(type), packet);
}

/** An 802.3 frame: a length where Ethernet has a type; padded to 60 bytes. */
export function ethernet8023(llc: Uint8Array): Uint8Array {
  const padding = new Uint8Array(Math.max(0, 46 - llc.length));
  return buildEthernet({ etherType: llc.length, payload: concat(llc, padding) });
}

/** A label stack (RFC 3032) whose last entry has the bottom bit. */
export function labels(count: number, payload: Uint8Array, isBottomless = false): Uint8Array {
  const entries = Array.from({ length: count }, (_, index) => {
    const isBottom = index === count - 1 && !isBottomless;
    return u32((16 + index) << 12 | (isBottom ? 0x100 : 0) | 64);
  });
  return concat(...entries, payload);
}

/** Fields of {@linkcode wireless}. */
export interface WirelessFields {
  subtype?: number;
  flags?: number;
  sequenceControl?: number;
  qos?: number;
  pad?: number;
}

/** A data frame of IEEE 802.11 around an LLC packet. */
export function wireless(llc: Uint8Array, fields: WirelessFields = {}): Uint8Array {
  const { subtype = 0, flags = 1 } = fields;
  return concat(
    bytes(subtype << 4 | 8, flags, 0, 0),
    new Uint8Array(18).fill(2),
    // The order of its fields is that of the wire: little endian.
    u16((fields.sequenceControl ?? 0) << 8),
    (flags & 3) === 3 ? new Uint8Array(6).fill(3) : bytes(),
    (subtype & 8) === 0 ? bytes() : bytes(fields.qos ?? 0, 0),
    (subtype & 8) === 0 || (flags & 0x80) === 0 ? bytes() : new Uint8Array(4),
    new Uint8Array(fields.pad ?? 0),
    llc,
  );
}

/** A radiotap header: `words` of present bits, then its fields. */
export function radiotap(
  words: readonly number[],
  fields: Uint8Array,
  frame: Uint8Array,
): Uint8Array {
  const length = 4 + 4 * words.length + fields.length;
  const little = words.map((word) => u32(word).reverse());
  return concat(bytes(0, 0, length & 0xff, length >>> 8), ...little, fields, frame);
}

/** A frame, and what stands around its packet. */
export interface Wrapping {
  /** The file of `src/wire` that reads it. */
  decoder: string;
  name: string;
  /** Ethernet unless told. */
  linkType?: number;
  tunnels: readonly TunnelName[];
  wrap(packet: Uint8Array): Uint8Array;
}

const overIp = (protocol: number, payload: Uint8Array) => buildIpv4({ protocol, payload });
const inEthernet = (packet: Uint8Array) => buildEthernet({ payload: packet });
const inUdp = (port: number, payload: Uint8Array) =>
  buildEthernet({ payload: overIp(17, udp(port, payload)) });
const inGre = (flags: number, type: number, fields: number, payload: Uint8Array) =>
  buildEthernet({ payload: overIp(47, gre(flags, type, fields, payload)) });
const inGpe = (next: number, payload: Uint8Array) =>
  inUdp(4790, concat(bytes(0x0c, 0, 0, next, 0, 0, 5, 0), payload));
const ppp = (packet: Uint8Array) => u16(packet[0] >>> 4 === 6 ? 0x57 : 0x21);

/** Every wrapping that is read, one row for each form of it. */
export const WRAPPINGS: readonly Wrapping[] = [
  {
    decoder: "link_tag",
    name: "Cisco MetaData",
    tunnels: ["cisco_cmd"],
    wrap: (packet) =>
      buildEthernet({
        etherType: 0x8909,
        payload: concat(bytes(1, 1, 0, 1, 0, 2), u16(etherTypeOf(packet)), packet),
      }),
  },
  {
    decoder: "link_tag",
    name: "Cisco MetaData with two options",
    tunnels: ["cisco_cmd"],
    wrap: (packet) =>
      buildEthernet({
        etherType: 0x8909,
        payload: concat(
          bytes(1, 2, 0, 1, 0, 2, 0, 3, 0, 4),
          u16(etherTypeOf(packet)),
          packet,
        ),
      }),
  },
  ...[1, 3, 8].map((count): Wrapping => ({
    decoder: "mpls",
    name: `MPLS with ${count} labels`,
    tunnels: ["mpls"],
    wrap: (packet) => buildEthernet({ etherType: 0x8847, payload: labels(count, packet) }),
  })),
  {
    decoder: "mpls",
    name: "MPLS, Ethernet behind a control word",
    tunnels: ["mpls"],
    wrap: (packet) =>
      buildEthernet({
        etherType: 0x8848,
        payload: labels(2, concat(new Uint8Array(4), inEthernet(packet))),
      }),
  },
  {
    decoder: "mpls",
    name: "MPLS, Ethernet without one",
    tunnels: ["mpls"],
    wrap: (packet) => buildEthernet({ etherType: 0x8847, payload: labels(1, inEthernet(packet)) }),
  },
  {
    decoder: "mpls",
    name: "MPLS as a link type",
    linkType: LinkType.MPLS,
    tunnels: ["mpls"],
    wrap: (packet) => labels(1, packet),
  },
  {
    decoder: "udp_tunnel",
    name: "VXLAN-GPE",
    tunnels: ["vxlan_gpe"],
    wrap: (packet) => inGpe(packet[0] >>> 4 === 6 ? 2 : 1, packet),
  },
  {
    decoder: "udp_tunnel",
    name: "VXLAN-GPE, Ethernet",
    tunnels: ["vxlan_gpe"],
    wrap: (packet) => inGpe(3, inEthernet(packet)),
  },
  {
    decoder: "mpls",
    name: "MPLS over VXLAN-GPE",
    tunnels: ["vxlan_gpe", "mpls"],
    wrap: (packet) => inGpe(5, labels(1, packet)),
  },
  {
    decoder: "mpls",
    name: "MPLS over UDP",
    tunnels: ["mpls"],
    wrap: (packet) => inUdp(6635, labels(2, packet)),
  },
  {
    decoder: "mpls",
    name: "MPLS over GRE",
    tunnels: ["gre", "mpls"],
    wrap: (packet) => inGre(0, 0x8847, 0, labels(2, packet)),
  },
  {
    decoder: "mpls",
    name: "MPLS over PPP",
    linkType: LinkType.PPP,
    tunnels: ["mpls"],
    wrap: (packet) => concat(u16(0xff03, 0x0281), labels(1, packet)),
  },
  {
    decoder: "link_tag",
    name: "VN-Tag",
    tunnels: ["vn_tag"],
    wrap: (packet) =>
      buildEthernet({
        etherType: 0x8926,
        payload: concat(bytes(0, 0, 0, 0x33), u16(etherTypeOf(packet)), packet),
      }),
  },
  {
    decoder: "link_tag",
    name: "VN-Tag between VLAN tags",
    tunnels: ["vn_tag"],
    wrap: (packet) =>
      buildEthernet({
        tags: [{ etherType: 0x8100, tci: 250 }],
        etherType: 0x8926,
        payload: concat(u32(0x33), u16(0x8100, 251, etherTypeOf(packet)), packet),
      }),
  },
  {
    decoder: "link_tag",
    name: "802.1ah",
    tunnels: ["mac_in_mac"],
    wrap: (packet) =>
      buildEthernet({
        tags: [{ etherType: 0x88a8, tci: 5 }],
        etherType: 0x88e7,
        payload: concat(u32(0x1234), inEthernet(packet)),
      }),
  },
  {
    decoder: "link_tag",
    name: "HSR",
    tunnels: ["hsr"],
    wrap: (packet) =>
      buildEthernet({
        etherType: 0x892f,
        payload: concat(u16(52, 7, etherTypeOf(packet)), packet),
      }),
  },
  {
    decoder: "llc",
    name: "LLC and SNAP",
    tunnels: ["llc_snap"],
    wrap: (packet) => ethernet8023(snap(packet)),
  },
  {
    decoder: "llc",
    name: "LLC and SNAP behind a VLAN tag",
    tunnels: ["llc_snap"],
    wrap: (packet) => {
      const llc = snap(packet);
      const tags = [{ etherType: 0x8100, tci: 9 }];
      return buildEthernet({ tags, etherType: llc.length, payload: llc });
    },
  },
  {
    decoder: "llc",
    name: "LLC without SNAP",
    tunnels: ["llc_snap"],
    wrap: (packet) => ethernet8023(concat(bytes(6, 6, 3), packet)),
  },
  {
    decoder: "llc",
    name: "a bridged frame behind SNAP",
    tunnels: ["llc_snap"],
    wrap: (packet) =>
      ethernet8023(concat(bytes(0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 7, 0, 0), inEthernet(packet))),
  },
  {
    decoder: "link_tag",
    name: "FabricPath",
    tunnels: ["fabricpath"],
    wrap: (packet) =>
      buildEthernet({ etherType: 0x8903, payload: concat(u16(0x0540), inEthernet(packet)) }),
  },
  {
    decoder: "link_tag",
    name: "TRILL with options",
    tunnels: ["trill"],
    wrap: (packet) =>
      buildEthernet({
        etherType: 0x22f3,
        payload: concat(u16(0x0041, 1, 2), new Uint8Array(4), inEthernet(packet)),
      }),
  },
  {
    decoder: "gtp_u",
    name: "GTP-U",
    tunnels: ["gtp_u"],
    wrap: (packet) => inUdp(2152, concat(bytes(0x30, 0xff), u16(packet.length), u32(7), packet)),
  },
  {
    decoder: "gtp_u",
    name: "GTP-U with a sequence number",
    tunnels: ["gtp_u"],
    wrap: (packet) =>
      inUdp(2152, concat(bytes(0x32, 0xff), u16(packet.length + 4), u32(7), u32(0x10000), packet)),
  },
  {
    decoder: "gtp_u",
    name: "GTP-U with two extensions",
    tunnels: ["gtp_u"],
    wrap: (packet) =>
      inUdp(
        2152,
        concat(
          bytes(0x34, 0xff),
          u16(packet.length + 16),
          u32(7),
          bytes(0, 0, 0, 0x85, 1, 0, 9, 0x85, 2, 0, 0, 0, 0, 0, 0, 0),
          packet,
        ),
      ),
  },
  {
    decoder: "gtp_u",
    name: "GTP version 0",
    tunnels: ["gtp_u"],
    wrap: (packet) => inUdp(3386, concat(bytes(0x1e, 0xff), new Uint8Array(18), packet)),
  },
  {
    decoder: "erspan",
    name: "ERSPAN I",
    tunnels: ["gre", "erspan"],
    wrap: (packet) => inGre(0, 0x88be, 0, inEthernet(packet)),
  },
  {
    decoder: "erspan",
    name: "ERSPAN II",
    tunnels: ["gre", "erspan"],
    wrap: (packet) =>
      inGre(0x1000, 0x88be, 1, concat(bytes(0x10, 7, 0, 5, 0, 0, 0, 0x12), inEthernet(packet))),
  },
  {
    decoder: "erspan",
    name: "ERSPAN III",
    tunnels: ["gre", "erspan"],
    wrap: (packet) =>
      inGre(0x1000, 0x22eb, 1, concat(bytes(0x20), new Uint8Array(11), inEthernet(packet))),
  },
  {
    decoder: "erspan",
    name: "ERSPAN III with a subheader",
    tunnels: ["gre", "erspan"],
    wrap: (packet) =>
      inGre(
        0x1000,
        0x22eb,
        1,
        concat(bytes(0x20), new Uint8Array(10), bytes(1), new Uint8Array(8), inEthernet(packet)),
      ),
  },
  {
    decoder: "erspan",
    name: "ERSPAN III with an IP packet",
    tunnels: ["gre", "erspan"],
    wrap: (packet) =>
      inGre(0x1000, 0x22eb, 1, concat(bytes(0x20), new Uint8Array(9), bytes(8, 0), packet)),
  },
  {
    decoder: "gre",
    name: "GRE with 802.11",
    tunnels: ["gre", "ieee_802_11"],
    wrap: (packet) => inGre(0, 0x8210, 0, wireless(snap(packet))),
  },
  {
    decoder: "udp_tunnel",
    name: "GRE over UDP",
    tunnels: ["gre_in_udp"],
    wrap: (packet) => inUdp(4754, gre(0x2000, etherTypeOf(packet), 1, packet)),
  },
  {
    decoder: "teredo",
    name: "Teredo",
    tunnels: ["teredo"],
    wrap: (packet) => inUdp(3544, packet),
  },
  {
    decoder: "teredo",
    name: "Teredo from its port, with authentication and origin",
    tunnels: ["teredo"],
    wrap: (packet) => {
      const authentication = bytes(0, 1, 2, 3, 1, 2, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0);
      const origin = new Uint8Array(8);
      const payload = udp(50_001, concat(authentication, origin, packet), 3544);
      return buildEthernet({ payload: overIp(17, payload) });
    },
  },
  {
    decoder: "teredo",
    name: "AYIYA",
    tunnels: ["ayiya"],
    wrap: (packet) =>
      inUdp(5072, concat(bytes(0x44, 0x52, 0x11, 41), u32(9), new Uint8Array(16 + 20), packet)),
  },
  {
    decoder: "ipv4",
    name: "the authentication header in IPv4, transport mode",
    tunnels: ["ah"],
    wrap: (packet) => {
      // Between the IP header, whose addresses stay, and what it carried.
      const isIpv6 = packet[0] >>> 4 === 6;
      const headerLength = isIpv6 ? 40 : 20;
      const inner = packet.subarray(headerLength);
      const header = concat(bytes(6, 4, 0, 0), new Uint8Array(20));
      if (isIpv6) {
        const extensions = [{ header: 51, body: header.subarray(1) }];
        const payload = buildIpv6({ extensions, payload: inner });
        payload.set(packet.subarray(8, 40), 8);
        return buildEthernet({ payload });
      }
      const payload = buildIpv4({ protocol: 51, payload: concat(header, inner) });
      payload.set(packet.subarray(12, 20), 12);
      return buildEthernet({ payload });
    },
  },
  {
    decoder: "ipv4",
    name: "the authentication header in IPv4, tunnel mode",
    tunnels: ["ah", "ipip"],
    wrap: (packet) =>
      buildEthernet({
        payload: overIp(51, concat(bytes(4, 4, 0, 0), new Uint8Array(20), packet)),
      }),
  },
  {
    decoder: "capwap",
    name: "CAPWAP with an Ethernet frame",
    tunnels: ["capwap"],
    wrap: (packet) =>
      inUdp(5247, concat(bytes(0, 2 << 3, 0x02, 0), new Uint8Array(4), inEthernet(packet))),
  },
  {
    decoder: "capwap",
    name: "CAPWAP with a native frame, to any port",
    tunnels: ["capwap", "ieee_802_11"],
    wrap: (packet) => {
      const header = concat(bytes(0, 4 << 3, 0x03, 0x20), new Uint8Array(12));
      const payload = udp(50_001, concat(header, wireless(snap(packet))), 5247);
      return buildEthernet({ payload: overIp(17, payload) });
    },
  },
  {
    decoder: "capwap",
    name: "CAPWAP with a native frame whose frame control is swapped",
    tunnels: ["capwap", "ieee_802_11"],
    wrap: (packet) => {
      const header = concat(bytes(0, 4 << 3, 0x03, 0x20), new Uint8Array(12));
      const frame = wireless(snap(packet));
      const swapped = frame.with(0, frame[1]).with(1, frame[0]);
      return inUdp(5247, concat(header, swapped));
    },
  },
  {
    decoder: "l2tp",
    name: "L2TP with every field",
    tunnels: ["l2tp"],
    wrap: (packet) =>
      inUdp(
        1701,
        concat(
          u16(0x4a02, packet.length + 21, 7, 8, 0, 0, 3),
          new Uint8Array(3),
          u16(0xff03),
          ppp(packet),
          packet,
        ),
      ),
  },
  {
    decoder: "l2tp",
    name: "L2TP with none",
    tunnels: ["l2tp"],
    wrap: (packet) => inUdp(1701, concat(u16(0x0002, 7, 8), ppp(packet), packet)),
  },
  ...[0, 4, 8].map((cookie): Wrapping => ({
    decoder: "l2tp",
    name: `L2TP version 3 with a cookie of ${cookie} bytes`,
    tunnels: ["l2tp"],
    wrap: (packet) =>
      inUdp(
        1701,
        concat(u32(0x3_0000), u32(9), new Uint8Array(cookie).fill(0xee), inEthernet(packet)),
      ),
  })),
  {
    decoder: "l2tp",
    name: "L2TP version 3 over IP",
    tunnels: ["l2tp"],
    wrap: (packet) =>
      buildEthernet({ payload: overIp(115, concat(u32(9, 0x40000000), inEthernet(packet))) }),
  },
  {
    decoder: "wireless",
    name: "802.11 alone",
    linkType: LinkType.IEEE802_11,
    tunnels: ["ieee_802_11"],
    wrap: (packet) => wireless(snap(packet)),
  },
  {
    decoder: "wireless",
    name: "802.11 between access points, quality of service and HT control",
    linkType: LinkType.IEEE802_11,
    tunnels: ["ieee_802_11"],
    wrap: (packet) => wireless(snap(packet), { subtype: 8, flags: 0x83 }),
  },
  {
    decoder: "wireless",
    name: "802.11, the first of several frames in one",
    linkType: LinkType.IEEE802_11,
    tunnels: ["ieee_802_11"],
    wrap: (packet) => {
      const llc = snap(packet);
      const body = concat(new Uint8Array(12), u16(llc.length), llc, new Uint8Array(40));
      return wireless(body, { subtype: 8, qos: 0x80 });
    },
  },
  {
    decoder: "radio_header",
    name: "radiotap",
    linkType: LinkType.RADIOTAP,
    tunnels: ["ieee_802_11"],
    wrap: (packet) => concat(radiotap([0], bytes(), wireless(snap(packet))), bytes(1, 2, 3, 4)),
  },
  {
    decoder: "radio_header",
    name: "radiotap with time, flags, two words and padding",
    linkType: LinkType.RADIOTAP,
    tunnels: ["ieee_802_11"],
    wrap: (packet) =>
      radiotap(
        [0x8000_0003, 0],
        // To a multiple of 8, the time, the flags.
        concat(new Uint8Array(4), new Uint8Array(8), bytes(0x20)),
        wireless(snap(packet), { subtype: 8, pad: 2 }),
      ),
  },
  {
    decoder: "radio_header",
    name: "PPI",
    linkType: LinkType.PPI,
    tunnels: ["ieee_802_11"],
    wrap: (packet) => concat(bytes(0, 0, 12, 0, 105, 0, 0, 0, 9, 9, 9, 9), wireless(snap(packet))),
  },
  {
    decoder: "radio_header",
    name: "PPI before Ethernet",
    linkType: LinkType.PPI,
    tunnels: [],
    wrap: (packet) => concat(bytes(0, 0, 8, 0, 1, 0, 0, 0), inEthernet(packet)),
  },
  {
    decoder: "radio_header",
    name: "Prism",
    linkType: LinkType.PRISM,
    tunnels: ["ieee_802_11"],
    wrap: (packet) => concat(bytes(0x44, 0, 0, 0), new Uint8Array(140), wireless(snap(packet))),
  },
  {
    decoder: "radio_header",
    name: "AVS",
    linkType: LinkType.AVS,
    tunnels: ["ieee_802_11"],
    wrap: (packet) => concat(u32(0x80211001, 64), new Uint8Array(56), wireless(snap(packet))),
  },
  {
    decoder: "other_links",
    name: "FDDI",
    linkType: LinkType.FDDI,
    tunnels: ["fddi"],
    wrap: (packet) => concat(bytes(0x54), new Uint8Array(12).fill(2), snap(packet)),
  },
  {
    decoder: "other_links",
    name: "IPoIB",
    linkType: LinkType.IPOIB,
    tunnels: ["ipoib"],
    wrap: (packet) => concat(new Uint8Array(40), u16(etherTypeOf(packet), 0), packet),
  },
  {
    decoder: "other_links",
    name: "ARCnet",
    linkType: LinkType.ARCNET,
    tunnels: ["arcnet"],
    wrap: (packet) => concat(bytes(1, 2, packet[0] >>> 4 === 6 ? 196 : 212, 0, 0, 1), packet),
  },
  {
    decoder: "other_links",
    name: "ARCnet, an exception frame",
    linkType: LinkType.ARCNET,
    tunnels: ["arcnet"],
    wrap: (packet) =>
      concat(
        bytes(1, 2, packet[0] >>> 4 === 6 ? 196 : 212, 0xff, 0xff, 0xff, 212, 0, 0, 1),
        packet,
      ),
  },
  {
    decoder: "other_links",
    name: "ARCnet on Linux",
    linkType: LinkType.ARCNET_LINUX,
    tunnels: ["arcnet"],
    wrap: (packet) => concat(bytes(1, 2, 0, 0, packet[0] >>> 4 === 6 ? 196 : 212, 0, 0, 1), packet),
  },
  {
    decoder: "other_links",
    name: "OpenBSD's packet filter",
    linkType: LinkType.PFLOG,
    tunnels: [],
    wrap: (packet) => concat(bytes(61, packet[0] >>> 4 === 6 ? 24 : 2), new Uint8Array(62), packet),
  },
  {
    decoder: "other_links",
    name: "Apple's packet tap",
    linkType: LinkType.PKTAP,
    tunnels: [],
    wrap: (packet) =>
      concat(
        bytes(108, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0),
        new Uint8Array(96),
        inEthernet(packet),
      ),
  },
  {
    decoder: "frame",
    name: "PPP with a direction",
    linkType: LinkType.PPP_WITH_DIRECTION,
    tunnels: [],
    wrap: (packet) => concat(bytes(1), ppp(packet), packet),
  },
  {
    decoder: "ppp",
    name: "PPPoE",
    tunnels: [],
    wrap: (packet) =>
      buildEthernet({
        etherType: 0x8864,
        payload: buildPppoe(packet[0] >>> 4 === 6 ? 0x57 : 0x21, packet),
      }),
  },
];
