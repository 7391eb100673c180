/**
 * The Ethernet header (IEEE 802.3 §3.1.1, LINKTYPE_ETHERNET).
 *
 * @module
 */

import { decodeEtherType } from "./network.ts";
import type { Segment } from "./segment.ts";
import { FrameVerdict } from "./verdict.ts";

/** Offset of `h_proto` in `struct ethhdr` of linux/if_ether.h. */
const ETHERTYPE = 12;
/** Bytes of the header, `ETH_HLEN` of linux/if_ether.h. */
const HEADER_LENGTH = 14;

/**
 * Decodes an Ethernet frame with any VLAN tags into `segment`.
 *
 * @param view Bytes.
 * @param at Offset of the destination MAC address.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param originalEnd Offset behind the last byte of the frame as it was on the wire.
 * @param segment Filled.
 */
export function decodeEthernet(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + HEADER_LENGTH > capturedEnd) return FrameVerdict.TruncatedEthernet;
  return decodeEtherType(
    view,
    at + HEADER_LENGTH,
    capturedEnd,
    originalEnd,
    view.getUint16(at + ETHERTYPE),
    segment,
  );
}
