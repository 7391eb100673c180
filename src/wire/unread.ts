/**
 * Protocols at which the way to a TCP segment ended because nothing here reads them: their numbers and
 * names, and how often each was met.
 *
 * @module
 */
import type { Segment } from "./segment.ts";
import { FrameVerdict, frameVerdictNames } from "./verdict.ts";

/** What numbers a protocol; above the number itself in `Segment.unread`. */
export const UnreadKind = {
  ETHERTYPE: 1 << 16,
  /** IANA protocol number. */
  IP_PROTOCOL: 2 << 16,
  /** DSAP and SSAP of an LLC header (IEEE 802.2). */
  LLC: 3 << 16,
  /** PPP protocol number. */
  PPP: 4 << 16,
  /** Link type of a capture file. */
  LINK_TYPE: 5 << 16,
} as const;

const NUMBER = 0xffff;
const PREFIXES = ["", "ethertype_", "ip_protocol_", "llc_", "ppp_", "link_type_"] as const;

/**
 * Names of protocols that may carry IP and are not read, or not always. IANA "IEEE 802 Numbers" and
 * "Protocol Numbers"; tcpdump.org "Link-layer header types".
 */
const NAMES: ReadonlyMap<number, string> = new Map([
  [UnreadKind.ETHERTYPE | 0x0600, "xns"],
  [UnreadKind.ETHERTYPE | 0x0bad, "vines"],
  [UnreadKind.ETHERTYPE | 0x22f3, "trill"],
  [UnreadKind.ETHERTYPE | 0x6003, "decnet"],
  [UnreadKind.ETHERTYPE | 0x809b, "appletalk"],
  [UnreadKind.ETHERTYPE | 0x8137, "ipx"],
  [UnreadKind.ETHERTYPE | 0x876b, "tcp_compression"],
  [UnreadKind.ETHERTYPE | 0x880b, "ppp"],
  [UnreadKind.ETHERTYPE | 0x88a4, "ethercat"],
  [UnreadKind.ETHERTYPE | 0x88cd, "sercos"],
  [UnreadKind.ETHERTYPE | 0x88e5, "macsec"],
  [UnreadKind.ETHERTYPE | 0x8906, "fcoe"],
  [UnreadKind.ETHERTYPE | 0x8915, "roce"],
  [UnreadKind.ETHERTYPE | 0x894f, "nsh"],
  [UnreadKind.ETHERTYPE | 0xdada, "edsa"],
  [UnreadKind.IP_PROTOCOL | 9, "igp"],
  [UnreadKind.IP_PROTOCOL | 33, "dccp"],
  [UnreadKind.IP_PROTOCOL | 50, "esp"],
  [UnreadKind.IP_PROTOCOL | 55, "mobile"],
  [UnreadKind.IP_PROTOCOL | 94, "ipip_nos"],
  [UnreadKind.IP_PROTOCOL | 97, "etherip"],
  [UnreadKind.IP_PROTOCOL | 108, "ipcomp"],
  [UnreadKind.PPP | 0x003d, "multilink"],
  [UnreadKind.PPP | 0x00fb, "compressed_link"],
  [UnreadKind.PPP | 0x00fd, "compressed"],
  [UnreadKind.LINK_TYPE | 107, "frame_relay"],
  [UnreadKind.LINK_TYPE | 123, "sunatm"],
  [UnreadKind.LINK_TYPE | 189, "usb"],
  [UnreadKind.LINK_TYPE | 195, "ieee_802_15_4"],
  [UnreadKind.LINK_TYPE | 197, "erf"],
  [UnreadKind.LINK_TYPE | 220, "usb_linux"],
  [UnreadKind.LINK_TYPE | 227, "can"],
]);

/**
 * What every network has beside TCP and what never wraps it: counted together, so that what might hide
 * handshakes stands out.
 */
const ORDINARY: ReadonlySet<number> = new Set([
  // ARP, wake-on-LAN, reverse ARP, PPPoE discovery, EAPOL, slow protocols, LLDP, PROFINET, 802.1X
  // pre-authentication, PTP, OAM, MRP, loopback.
  ...[0x0806, 0x0842, 0x8035, 0x8863, 0x888e, 0x8809, 0x88cc, 0x8892, 0x88c7, 0x88f7, 0x8902]
    .map((number) => UnreadKind.ETHERTYPE | number),
  ...[0x88e3, 0x88f5, 0x88f6, 0x9000].map((number) => UnreadKind.ETHERTYPE | number),
  // Cisco's CDP, VTP, DTP, UDLD and spanning tree, behind SNAP.
  ...[0x2000, 0x2003, 0x2004, 0x0111, 0x010b, 0x010c].map((number) =>
    UnreadKind.ETHERTYPE | number
  ),
  // ICMP, IGMP, UDP, EIGRP, ICMPv6, no next header, OSPF, PIM, VRRP, SCTP, RSVP, HIP, shim6.
  ...[1, 2, 17, 46, 58, 59, 88, 89, 103, 112, 132, 139, 140]
    .map((number) => UnreadKind.IP_PROTOCOL | number),
  // Spanning tree, IS-IS, NetBIOS, null and global addresses.
  ...[0x4242, 0xfefe, 0xf0f0, 0xf0f1, 0x0000, 0x0001, 0xffff, 0xe0e0]
    .map((number) => UnreadKind.LLC | number),
  // LCP, PAP, CHAP, link quality, IPCP, IPv6CP, CCP, EAP.
  ...[0xc021, 0xc023, 0xc223, 0xc025, 0x8021, 0x8057, 0x80fd, 0xc227]
    .map((number) => UnreadKind.PPP | number),
]);

/** The name of a counter for a protocol: its kind, its number, and its name where one is known. */
export function unreadName(unread: number): string {
  const kind = unread & ~NUMBER;
  const number = unread & NUMBER;
  const digits = kind === UnreadKind.IP_PROTOCOL || kind === UnreadKind.LINK_TYPE
    ? String(number)
    : `0x${number.toString(16).padStart(4, "0")}`;
  const name = NAMES.get(unread);
  return `${PREFIXES[unread >>> 16]}${digits}${name === undefined ? "" : `_${name}`}`;
}

/** Protocols counted one by one; a capture of noise must not make the summary endless. */
const PROTOCOL_COUNT_MAX = 24;

/** How often frames got each verdict, those of unread protocols by protocol. */
export class VerdictCounts {
  readonly #verdicts = new Float64Array(frameVerdictNames.length);
  readonly #unread = new Map<number, number>();

  /**
   * Counts a frame that holds no TCP segment.
   *
   * @param verdict What the decoder said.
   * @param segment The segment that it would have filled: `unread` in it names the protocol.
   */
  add(verdict: FrameVerdict, { unread }: Segment): void {
    const isUnread = verdict === FrameVerdict.NotIp || verdict === FrameVerdict.NotTcp ||
      verdict === FrameVerdict.UnknownLink;
    if (isUnread && unread !== 0 && !ORDINARY.has(unread)) {
      const count = this.#unread.get(unread) ?? 0;
      if (count > 0 || this.#unread.size < PROTOCOL_COUNT_MAX) {
        this.#unread.set(unread, count + 1);
        return;
      }
    }
    // An error that quotes no TCP segment.
    const counted = verdict === FrameVerdict.IcmpError ? FrameVerdict.NotTcp : verdict;
    this.#verdicts[counted]++;
  }

  /**
   * Counts by reason: the names of `frameVerdictNames`, then {@linkcode unreadName}s.
   *
   * @param loneFragments Fragments that are no part of a whole packet.
   */
  byReason(loneFragments = 0): Record<string, number> {
    const reasons: Record<string, number> = {};
    this.#verdicts.forEach((count, verdict) => {
      if (count > 0) reasons[frameVerdictNames[verdict]] = count;
    });
    if (loneFragments > 0) reasons[frameVerdictNames[FrameVerdict.LoneFragment]] = loneFragments;
    for (const [unread, count] of this.#unread) reasons[unreadName(unread)] = count;
    return reasons;
  }
}
