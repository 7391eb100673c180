/**
 * The TCP segment that a frame decoder fills.
 *
 * @module
 */

import { TcpOptions } from "./tcp_options.ts";

export { type EcnSetup, ecnSetup, TcpFlag } from "./tcp_flags.ts";

/**
 * What one frame says about TCP. A mutable scratch object: decoding into it allocates nothing and
 * overwrites what it held, so copy what must outlive the next frame. Filled only when the decoder's
 * verdict is `FrameVerdict.Tcp`.
 */
export class Segment {
  /** IP version of the packet. An IPv6 packet may carry v4-mapped addresses; this tells. */
  ipVersion: 4 | 6 = 4;
  /** Source address, four words, IPv4 as v4-mapped. */
  readonly source: Uint32Array = new Uint32Array(4);
  /** Destination address, four words, IPv4 as v4-mapped. */
  readonly destination: Uint32Array = new Uint32Array(4);
  /** Source port (RFC 9293 §3.1). */
  sourcePort = 0;
  /** Destination port (RFC 9293 §3.1). */
  destinationPort = 0;
  /** Sequence number, unsigned 32 bits: of the SYN itself when that flag is set. */
  sequence = 0;
  /** Acknowledgment number, unsigned 32 bits; means something only with the ACK flag. */
  acknowledgment = 0;
  /** Control bits, see `TcpFlag`. */
  flags = 0;
  /**
   * Identification of the IPv4 packet, 16 bits (RFC 791 §3.1); 0 in IPv6, and in IPv4 where the sender
   * gives none to packets that must not be fragmented (RFC 6864 §4.1).
   */
  identification = 0;
  /** Checksum as sent, 16 bits; not verified. */
  checksum = 0;
  /** Window as sent, 16 bits, without the shift of the window scale option. */
  window = 0;
  /**
   * Bytes of TCP payload by the length in the IP header, also where the capture holds fewer. Where
   * that length is 0 (segmentation offload, BIG TCP, RFC 2675 jumbograms) by the frame's original
   * length. Never negative.
   */
  payloadLength = 0;
  /** Outermost VLAN id in the frame's own bytes, 0 to 4095 (0: priority tag only), -1 none. */
  vlan: number = -1;
  /** How the packet passed the place where it was captured, see `Passage`. */
  passage = 0;
  /** What the packet is wrapped in, see `tunnelNames`; 30 bits, 0 nothing. */
  tunnels = 0;
  /**
   * The protocol at which decoding ended because nothing here reads it, see `UnreadKind`; 0 none.
   * Set where the verdict is `NotIp`, `NotTcp` or `UnknownLink`.
   */
  unread = 0;
  /** Where the packet's IP header begins in the decoded view. */
  ipOffset = 0;
  /** Where its TCP header begins; of a fragment its data. */
  tcpOffset = 0;
  /** Where the packet ends by its IP header, which may be behind what was captured. */
  packetEnd = 0;
  /** Offset behind the last byte of the packet that was captured. */
  readableEnd = 0;
  /** Whether the IPv4 packet carries a source route (RFC 791 §3.1), which hosts refuse as a rule. */
  sourceRoute = false;
  /** Of a fragment: the number that all fragments of its packet have. */
  fragmentId = 0;
  /** Of a fragment: bytes of the packet's data before it. */
  fragmentOffset = 0;
  /** Whether it is a fragment that others follow in its packet. */
  moreFragments = false;
  /** Where the ICMP message begins that the verdict `IcmpError` is about. */
  icmpOffset = 0;
  /** Offset behind the last byte of that message that was captured. */
  icmpEnd = 0;
  /** Options of the segment. */
  readonly options: TcpOptions = new TcpOptions();
  /** Offset of the option area in the decoded view. */
  optionsOffset = 0;
  /** Bytes of the option area that the capture holds, 0 to 40. */
  optionsLength = 0;
}
