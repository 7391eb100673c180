/**
 * Linux cooked capture headers, versions 1 and 2 (LINKTYPE_LINUX_SLL, LINKTYPE_LINUX_SLL2).
 *
 * @module
 */

import { decodeEtherType } from "./network.ts";
import type { Segment } from "./segment.ts";
import { FrameVerdict } from "./verdict.ts";

/** Protocol field and length of `struct sll_header` in libpcap's pcap/sll.h. */
const SLL_PROTOCOL = 14;
const SLL_LENGTH = 16;
/** Protocol field and length of `struct sll2_header` in libpcap's pcap/sll.h. */
const SLL2_PROTOCOL = 0;
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
  return decodeEtherType(view, at + SLL_LENGTH, capturedEnd, originalEnd, protocol, segment);
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
  const protocol = view.getUint16(at + SLL2_PROTOCOL);
  return decodeEtherType(view, at + SLL2_LENGTH, capturedEnd, originalEnd, protocol, segment);
}
