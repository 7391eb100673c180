/**
 * Linux cooked capture headers, versions 1 and 2 (LINKTYPE_LINUX_SLL, LINKTYPE_LINUX_SLL2).
 *
 * @module
 */

import { decodeLlc } from "./llc.ts";
import { decodeEtherType, EtherType } from "./network.ts";
import { passageOf } from "./passage.ts";
import type { Segment } from "./segment.ts";
import { Tunnel } from "./tunnel_names.ts";
import { FrameVerdict } from "./verdict.ts";

/** Fields and length of `struct sll_header` in libpcap's pcap/sll.h. */
const SLL_PACKET_TYPE = 0;
const SLL_HARDWARE_TYPE = 2;
const SLL_PROTOCOL = 14;
const SLL_LENGTH = 16;
/** Below this the protocol is a number of Linux' own: this one, `ETH_P_802_2`, is LLC. */
const ETHERTYPE_MIN = 0x600;
const PROTOCOL_LLC = 4;
/** `ARPHRD_ETHER` (linux/if_arp.h). */
const ETHERNET = 1;
/** Bytes that {@linkcode writeTaggedSll} writes. */
export const TAGGED_SLL_LENGTH = SLL_LENGTH + 4;
/** Fields and length of `struct sll2_header` in libpcap's pcap/sll.h. */
const SLL2_PROTOCOL = 0;
const SLL2_PACKET_TYPE = 10;
const SLL2_LENGTH = 20;

/**
 * Decodes a frame with a Linux cooked header of version 1 into `segment`.
 *
 * @param view Bytes.
 * @param at Offset of the cooked header.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param originalEnd Offset behind the last byte of the frame as it was captured.
 * @param segment Filled.
 */
export function decodeSll(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + SLL_LENGTH > capturedEnd) return FrameVerdict.TruncatedCooked;
  const protocol = view.getUint16(at + SLL_PROTOCOL);
  return decodeProtocol(view, at + SLL_LENGTH, capturedEnd, originalEnd, protocol, segment);
}

/**
 * Decodes a frame with a Linux cooked header of version 2 into `segment`.
 *
 * @param view Bytes.
 * @param at Offset of the cooked header.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param originalEnd Offset behind the last byte of the frame as it was captured.
 * @param segment Filled.
 */
export function decodeSll2(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + SLL2_LENGTH > capturedEnd) return FrameVerdict.TruncatedCooked;
  // That of version 1 tells nothing: packets of all interfaces have one place there.
  segment.passage = passageOf(view.getUint8(at + SLL2_PACKET_TYPE));
  const protocol = view.getUint16(at + SLL2_PROTOCOL);
  return decodeProtocol(view, at + SLL2_LENGTH, capturedEnd, originalEnd, protocol, segment);
}

function decodeProtocol(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  protocol: number,
  segment: Segment,
): FrameVerdict {
  if (protocol >= ETHERTYPE_MIN) {
    return decodeEtherType(view, at, capturedEnd, originalEnd, protocol, segment);
  }
  if (protocol !== PROTOCOL_LLC) return FrameVerdict.NotIp;
  return decodeLlc(view, at, capturedEnd, originalEnd, Tunnel.LLC_SNAP, segment);
}

/**
 * Writes a cooked header of version 1 and a VLAN tag behind it: what libpcap makes of a packet whose tag
 * the kernel took off. The link-layer address in it stays empty.
 *
 * @param view Where to, at its start: {@linkcode TAGGED_SLL_LENGTH} bytes.
 * @param packetType `sll_pkttype` of `struct sockaddr_ll` (linux/if_packet.h).
 * @param vlanId The tag's VLAN id.
 * @param protocol EtherType of what follows.
 */
export function writeTaggedSll(
  view: DataView,
  packetType: number,
  vlanId: number,
  protocol: number,
): void {
  for (let at = 0; at < SLL_LENGTH; at += 4) view.setUint32(at, 0);
  view.setUint16(SLL_PACKET_TYPE, packetType);
  view.setUint16(SLL_HARDWARE_TYPE, ETHERNET);
  view.setUint16(SLL_PROTOCOL, EtherType.VLAN);
  view.setUint16(SLL_LENGTH, vlanId);
  view.setUint16(SLL_LENGTH + 2, protocol);
}
