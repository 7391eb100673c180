/**
 * TCP segments in links, tags, tunnels and extension headers that are nested at random.
 *
 * @module
 */
import { LinkType } from "../../src/wire/frame.ts";
import type { Random } from "../random.ts";
import {
  buildEthernet,
  buildIpv4,
  buildIpv6,
  buildLoopback,
  buildNflog,
  buildPppoe,
  buildSll,
  buildSll2,
  buildTcp,
  concat,
  ipv6Authentication,
  type Ipv6Extension,
  ipv6Fragment,
  linuxSynOptions,
  u16,
  u32,
} from "../unit/wire/build_frame.ts";
import { bytes, etherTypeOf, gre, labels, udp } from "../unit/wire/build_wrapping.ts";

/** A frame and how it was made, the outermost first. */
export interface WrappedFrame {
  linkType: number;
  frame: Uint8Array;
  made: readonly string[];
}

/** With the authentication header there are five at most, as many as are followed. */
const TUNNELS_MAX = 2;
const PROTOCOL = { IPIP: 4, UDP: 17, IPV6: 41, GRE: 47 } as const;
const TAG = { etherType: 0x8100, tci: 5 };
const IPV4_ADDRESSES = ["10.0.0.1", "192.0.2.9", "198.51.100.200", "203.0.113.5"];
const IPV6_ADDRESSES = ["2001:db8::1", "2001:db8:5::77", "fe80::1", "fd00::9"];
/** `AF_INET6` of the systems that write BSD loopback frames. */
const IPV6_FAMILIES = [24, 28, 30];

/** Makes one frame. */
export function wrapAtRandom(random: Random): WrappedFrame {
  const made: string[] = [];
  const packet = new Wrapper(random, made).packet(random.below(TUNNELS_MAX + 1));
  const { linkType, frame } = inLink(packet, random, made);
  return { linkType, frame, made: made.toReversed() };
}

/** What an IP packet carries. */
interface Payload {
  protocol: number;
  payload: Uint8Array;
}

class Wrapper {
  readonly #random: Random;
  readonly #made: string[];

  constructor(random: Random, made: string[]) {
    this.#random = random;
    this.#made = made;
  }

  /** An IP packet with so many tunnels in it. */
  packet(tunnels: number): Uint8Array {
    const { protocol, payload } = tunnels === 0 ? this.#segment() : this.#tunnel(tunnels - 1);
    return this.#random.percent(50)
      ? this.#ipv4(protocol, payload)
      : this.#ipv6(protocol, payload, tunnels === 0);
  }

  #segment(): Payload {
    const random = this.#random;
    this.#made.push("TCP");
    const payload = buildTcp({
      sourcePort: 1 + random.below(60_000),
      destinationPort: random.pick([22, 80, 443, 5432]),
      sequence: random.below(2 ** 32),
      acknowledgment: random.below(2 ** 32),
      flags: random.pick([0x02, 0x12, 0x10, 0x04, 0x14, 0xc2, 0x1d2]),
      window: random.below(2 ** 16),
      options: random.percent(60) ? linuxSynOptions({ mss: 500 + random.below(1_000) }) : undefined,
      payload: random.percent(30) ? random.bytes(random.below(20)) : undefined,
    });
    return { protocol: 6, payload };
  }

  #ipv4(protocol: number, payload: Uint8Array): Uint8Array {
    const random = this.#random;
    const options = random.percent(20) ? bytes(1, 1, 1, 0) : undefined;
    this.#made.push(options ? "IPv4 with options" : "IPv4");
    const [source, destination] = [random.pick(IPV4_ADDRESSES), random.pick(IPV4_ADDRESSES)];
    return buildIpv4({ source, destination, protocol, payload, options });
  }

  #ipv6(protocol: number, payload: Uint8Array, isInnermost: boolean): Uint8Array {
    const random = this.#random;
    const extensions: Ipv6Extension[] = [];
    const [hopByHop, routing, destinationOptions] = [0, 43, 60];
    if (random.percent(20)) extensions.push(this.#padding(hopByHop));
    if (random.percent(20)) extensions.push(this.#padding(destinationOptions));
    // All of its route is behind it.
    if (random.percent(15)) extensions.push({ header: routing, body: new Uint8Array(7) });
    if (random.percent(10)) extensions.push(ipv6Fragment(0, false));
    if (isInnermost && random.percent(10)) extensions.push(ipv6Authentication());
    if (random.percent(10)) extensions.push(this.#padding(destinationOptions));
    this.#made.push(`IPv6 with ${extensions.map(({ header }) => header).join() || "nothing"}`);
    const [source, destination] = [random.pick(IPV6_ADDRESSES), random.pick(IPV6_ADDRESSES)];
    return buildIpv6({ source, destination, protocol, payload, extensions });
  }

  /** Options that are one PadN. */
  #padding(header: number): Ipv6Extension {
    const units = 1 + this.#random.below(3);
    const body = new Uint8Array(8 * units - 1);
    body.set([units - 1, 1, body.length - 3]);
    return { header, body };
  }

  #tunnel(others: number): Payload {
    const random = this.#random;
    const packet = this.packet(others);
    const isIpv6 = packet[0] >>> 4 === 6;
    switch (random.below(6)) {
      case 0:
        this.#made.push("IP in IP");
        return { protocol: isIpv6 ? PROTOCOL.IPV6 : PROTOCOL.IPIP, payload: packet };
      case 1:
        return { protocol: PROTOCOL.GRE, payload: this.#gre(packet) };
      case 2:
        return this.#udp(4789, concat(bytes(8, 0, 0, 0), u32(0x500), this.#ethernet(packet)));
      case 3: {
        const isFrame = random.percent(30);
        const inner = isFrame ? this.#ethernet(packet) : packet;
        const next = isFrame ? 3 : isIpv6 ? 2 : 1;
        return this.#udp(4790, concat(bytes(12, 0, 0, next), u32(0x500), inner));
      }
      case 4: {
        const isFrame = random.percent(50);
        const inner = isFrame ? this.#ethernet(packet) : packet;
        const words = random.below(4);
        const options = words === 0
          ? bytes()
          : concat(u16(0x0102), bytes(0, words - 1), new Uint8Array(4 * (words - 1)));
        const type = isFrame ? 0x6558 : etherTypeOf(packet);
        return this.#udp(6081, concat(bytes(words, 0), u16(type), u32(0x500), options, inner));
      }
      default:
        return this.#udp(6635, labels(1 + random.below(3), packet));
    }
  }

  #udp(port: number, payload: Uint8Array): Payload {
    this.#made.push(`UDP port ${port}`);
    return { protocol: PROTOCOL.UDP, payload: udp(port, payload) };
  }

  #gre(packet: Uint8Array): Uint8Array {
    const random = this.#random;
    // Checksum, key and sequence number, each of one word.
    const flags = [0x8000, 0x2000, 0x1000].filter(() => random.percent(30));
    const all = flags.reduce((sum, flag) => sum | flag, 0);
    this.#made.push(`GRE with ${flags.length} fields`);
    switch (random.below(3)) {
      case 0:
        return gre(all, etherTypeOf(packet), flags.length, packet);
      case 1:
        return gre(all, 0x6558, flags.length, this.#ethernet(packet));
      default:
        return gre(all, 0x8847, flags.length, labels(1 + random.below(3), packet));
    }
  }

  #ethernet(packet: Uint8Array): Uint8Array {
    return inEthernet(packet, this.#random, this.#made);
  }
}

function inEthernet(packet: Uint8Array, random: Random, made: string[]): Uint8Array {
  const isIpv6 = packet[0] >>> 4 === 6;
  switch (random.below(6)) {
    case 0:
      made.push("Ethernet with PPPoE");
      return buildEthernet({
        etherType: 0x8864,
        payload: buildPppoe(isIpv6 ? 0x57 : 0x21, packet),
      });
    case 1:
      made.push("Ethernet with MPLS");
      return buildEthernet({ etherType: 0x8847, payload: labels(2, packet) });
    default: {
      const tags = Array.from({ length: random.below(3) }, () => ({
        etherType: random.pick([0x8100, 0x88a8]),
        tci: 1 + random.below(4_094),
      }));
      made.push(`Ethernet with ${tags.length} tags`);
      return buildEthernet({ payload: packet, tags });
    }
  }
}

function inLink(
  packet: Uint8Array,
  random: Random,
  made: string[],
): { linkType: number; frame: Uint8Array } {
  const isIpv6 = packet[0] >>> 4 === 6;
  const ppp = isIpv6 ? 0x57 : 0x21;
  const family = isIpv6 ? random.pick(IPV6_FAMILIES) : 2;
  const tags = random.percent(30) ? [TAG] : [];
  switch (random.below(12)) {
    case 0:
      return { linkType: LinkType.RAW, frame: packet };
    case 1:
      return { linkType: isIpv6 ? LinkType.IPV6 : LinkType.IPV4, frame: packet };
    case 2:
      return { linkType: LinkType.LINUX_SLL, frame: buildSll({ payload: packet, tags }) };
    case 3:
      return { linkType: LinkType.LINUX_SLL2, frame: buildSll2({ payload: packet, tags }) };
    case 4:
      return { linkType: LinkType.NULL, frame: buildLoopback(family, true, packet) };
    case 5:
      return { linkType: LinkType.LOOP, frame: buildLoopback(family, false, packet) };
    case 6:
      return {
        linkType: random.pick([LinkType.PPP, LinkType.PPP_HDLC]),
        frame: concat(u16(0xff03, ppp), packet),
      };
    case 7:
      return { linkType: LinkType.PPP_ETHER, frame: buildPppoe(ppp, packet) };
    case 8:
      return { linkType: LinkType.NFLOG, frame: buildNflog(isIpv6 ? 10 : 2, true, [9, packet]) };
    default:
      return { linkType: LinkType.ETHERNET, frame: inEthernet(packet, random, made) };
  }
}
