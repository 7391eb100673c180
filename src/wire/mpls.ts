/**
 * MPLS label stacks (RFC 3032), and what a pseudowire has behind one.
 *
 * @module
 */
import { decodeEthernet } from "./ethernet.ts";
import { decodeIpv4 } from "./ipv4.ts";
import { decodeIpv6 } from "./ipv6.ts";
import type { Segment } from "./segment.ts";
import { enterTunnel, Tunnel } from "./tunnel_names.ts";
import { FrameVerdict } from "./verdict.ts";

/** A stack entry (RFC 3032 §2.1): label, traffic class, bottom of stack, time to live. */
const ENTRY_LENGTH = 4;
const ENTRY_BOTTOM = 2;
const BOTTOM_OF_STACK = 0x01;
/** Entries followed: networks stack three or four, the bound keeps a hostile packet cheap. */
const ENTRY_COUNT_MAX = 8;
/** A pseudowire's control word begins with 0, its associated channel with 1 (RFC 4385 §3, §5). */
const CONTROL_WORD_LENGTH = 4;
const ASSOCIATED_CHANNEL = 1;

/**
 * Decodes from the first label on. Nothing in the stack says what it carries: a first half byte of 4
 * or 6 is IP (RFC 4928 §2), another one Ethernet with a control word or without.
 *
 * @param view Bytes.
 * @param at Offset of the outermost stack entry.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param originalEnd Offset behind the last byte of the frame as it was on the wire.
 * @param segment Filled.
 */
export function decodeMpls(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  let packet = at;
  for (let count = 0, isBottom = false; !isBottom; count++) {
    if (count === ENTRY_COUNT_MAX) return FrameVerdict.TooManyLabels;
    if (packet + ENTRY_LENGTH > capturedEnd) return FrameVerdict.TruncatedTag;
    isBottom = (view.getUint8(packet + ENTRY_BOTTOM) & BOTTOM_OF_STACK) !== 0;
    packet += ENTRY_LENGTH;
  }
  if (packet >= capturedEnd) return FrameVerdict.TruncatedTag;
  if (!enterTunnel(segment, Tunnel.MPLS)) return FrameVerdict.TooManyTunnels;
  switch (view.getUint8(packet) >>> 4) {
    case 4:
      return decodeIpv4(view, packet, capturedEnd, originalEnd, segment);
    case 6:
      return decodeIpv6(view, packet, capturedEnd, originalEnd, segment);
    case ASSOCIATED_CHANNEL:
      return FrameVerdict.NotIp;
    case 0: {
      // A destination address may begin with 0 too: a word that leads to no packet was none.
      const { vlan, tunnels } = segment;
      const frame = packet + CONTROL_WORD_LENGTH;
      const verdict = decodeEthernet(view, frame, capturedEnd, originalEnd, segment);
      if (verdict !== FrameVerdict.NotIp) return verdict;
      segment.vlan = vlan;
      segment.tunnels = tunnels;
    }
  }
  return decodeEthernet(view, packet, capturedEnd, originalEnd, segment);
}
