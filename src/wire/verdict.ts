/**
 * What a decoder says about a frame: it holds a TCP segment, or the reason why not.
 *
 * @module
 */

/**
 * What became of a frame. `Tcp` (0) means that the `Segment` is filled; every other code is the
 * reason why it is not (what the segment then holds is unspecified). The codes are dense, so they
 * index an array of counters; {@linkcode frameVerdictNames} names those.
 *
 * - `UnknownLink`: the link type of the capture has no decoder here.
 * - `NotIp`: another protocol than IPv4 or IPv6 (ARP, spanning tree, ...).
 * - `NotTcp`: IP, but another protocol than TCP (or hidden by ESP).
 *   Of these three `Segment.unread` names the protocol that nothing here reads.
 * - `FirstFragment`, `LaterFragment`: a part of an IP packet with TCP, for `FragmentAssembler` to put
 *   together with the others.
 * - `BadIpVersion`: the link layer announced the other IP version than the packet's own field.
 * - `BadHeaderLength`: a length no packet can have: IHL or data offset below 5, or a header beyond
 *   the end that the IP header gives.
 * - `TooManyVlanTags`, `TooManyIpv6Extensions`, `TooManyTunnels`, `TooManyLabels`: longer than the
 *   decoder follows.
 * - `Encrypted`: 802.11 or CAPWAP, protected.
 * - `IcmpError`: an ICMP error, which may quote a TCP segment: `readIcmpError` tells.
 * - `Damaged`: the radio received the frame with a wrong checksum.
 * - `IpLengthBeyondPacket`, `BadIpChecksum`, `BadTcpChecksum`, `LoneFragment`, `OtherHost`,
 *   `SourceRoute`: the host that receives the packet throws it away (see
 *   {@linkcode DISCARD_NAMES}), so it decides nothing. `OtherHost`: the link brought it to another
 *   host's address though IP names this one.
 * - `Truncated…`: the capture ends inside this header (`TruncatedIp`: before the IP version).
 */
export const FrameVerdict = {
  Tcp: 0,
  UnknownLink: 1,
  NotIp: 2,
  NotTcp: 3,
  LaterFragment: 4,
  FirstFragment: 5,
  BadIpVersion: 6,
  BadHeaderLength: 7,
  TooManyVlanTags: 8,
  TooManyIpv6Extensions: 9,
  TruncatedEthernet: 10,
  TruncatedCooked: 11,
  TruncatedLoopback: 12,
  TruncatedVlanTag: 13,
  TruncatedPppoe: 14,
  TruncatedIp: 15,
  TruncatedIpv4: 16,
  TruncatedIpv6: 17,
  TruncatedIpv6Extension: 18,
  TruncatedTcp: 19,
  TruncatedNflog: 20,
  TruncatedTunnel: 21,
  TooManyTunnels: 22,
  Encrypted: 23,
  TruncatedPpp: 24,
  TruncatedTag: 25,
  TruncatedLlc: 26,
  TruncatedWireless: 27,
  TruncatedLink: 28,
  TooManyLabels: 29,
  Damaged: 30,
  IcmpError: 31,
  IpLengthBeyondPacket: 32,
  BadIpChecksum: 33,
  BadTcpChecksum: 34,
  LoneFragment: 35,
  OtherHost: 36,
  SourceRoute: 37,
} as const;

/** One of the codes of {@linkcode FrameVerdict}. */
export type FrameVerdict = typeof FrameVerdict[keyof typeof FrameVerdict];

/** The name of each {@linkcode FrameVerdict} in snake_case, indexed by its code: counter names. */
export const frameVerdictNames: readonly string[] = [
  "tcp",
  "unknown_link",
  "not_ip",
  "not_tcp",
  "later_fragment",
  "first_fragment",
  "bad_ip_version",
  "bad_header_length",
  "too_many_vlan_tags",
  "too_many_ipv6_extensions",
  "truncated_ethernet",
  "truncated_cooked",
  "truncated_loopback",
  "truncated_vlan_tag",
  "truncated_pppoe",
  "truncated_ip",
  "truncated_ipv4",
  "truncated_ipv6",
  "truncated_ipv6_extension",
  "truncated_tcp",
  "truncated_nflog",
  "truncated_tunnel",
  "too_many_tunnels",
  "encrypted",
  "truncated_ppp",
  "truncated_tag",
  "truncated_llc",
  "truncated_wireless",
  "truncated_link",
  "too_many_labels",
  "damaged",
  "icmp_error",
  "ip_length_beyond_packet",
  "bad_ip_checksum",
  "bad_tcp_checksum",
  "lone_fragment",
  "other_host",
  "source_route",
];

/** Names of the verdicts on packets that the receiving kernel throws away. */
export const DISCARD_NAMES: ReadonlySet<string> = new Set([
  FrameVerdict.IpLengthBeyondPacket,
  FrameVerdict.BadIpChecksum,
  FrameVerdict.BadTcpChecksum,
  FrameVerdict.LoneFragment,
  FrameVerdict.OtherHost,
  FrameVerdict.SourceRoute,
].map((verdict) => frameVerdictNames[verdict]));
