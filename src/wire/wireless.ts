/**
 * Data frames of wireless networks (IEEE 802.11) that are not encrypted.
 *
 * @module
 */
import { decodeLlc } from "./llc.ts";
import type { Segment } from "./segment.ts";
import { enterTunnel, Tunnel } from "./tunnel_names.ts";
import { FrameVerdict } from "./verdict.ts";

/** Frame control (IEEE 802.11 §9.2.4.1): type and subtype, then flags. */
const FRAME_CONTROL = 0;
const FLAGS = 1;
const HEADER_LENGTH = 24;
const VERSION_AND_TYPE = 0x0f;
const DATA = 0x08;
/** Subtypes of data: without a body, and with quality of service. */
const SUBTYPE_NULL = 0x40;
const SUBTYPE_QOS = 0x80;
const FLAG_TO_AND_FROM_DS = 0x03;
const FLAG_MORE_FRAGMENTS = 0x04;
const FLAG_PROTECTED = 0x40;
const FLAG_ORDER = 0x80;
const FOURTH_ADDRESS_LENGTH = 6;
const QOS_LENGTH = 2;
const QOS_AGGREGATED = 0x80;
const HT_CONTROL_LENGTH = 4;
/** Fragment number in the low half byte of the sequence control. */
const SEQUENCE_CONTROL = 22;
const FRAGMENT_NUMBER = 0x0f;
/** Destination, source and length of each frame in an aggregated one (§9.3.2.2.2). */
const SUBFRAME_LENGTH_FIELD = 12;
const SUBFRAME_HEADER_LENGTH = 14;

/**
 * Decodes a frame from its frame control on. Of several frames in one (A-MSDU) the first counts; what
 * the link sent in pieces or encrypted is not read.
 *
 * @param view Bytes.
 * @param at Offset of the frame control.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param originalEnd Offset behind the last byte of the frame as it was on the air.
 * @param isPadded Whether the header is filled up to a multiple of 4 bytes.
 * @param segment Filled.
 * @param maySwap Whether the two bytes of its frame control may be swapped, as some controllers send it.
 */
export function decodeWireless(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  isPadded: boolean,
  segment: Segment,
  maySwap = false,
): FrameVerdict {
  if (at + HEADER_LENGTH > capturedEnd) return FrameVerdict.TruncatedWireless;
  const isSwapped = maySwap && (view.getUint8(at + FRAME_CONTROL) & VERSION_AND_TYPE) !== DATA;
  const control = view.getUint8(at + (isSwapped ? FLAGS : FRAME_CONTROL));
  const flags = view.getUint8(at + (isSwapped ? FRAME_CONTROL : FLAGS));
  if ((control & VERSION_AND_TYPE) !== DATA || (control & SUBTYPE_NULL) !== 0) {
    return FrameVerdict.NotIp;
  }
  if ((flags & FLAG_PROTECTED) !== 0) return FrameVerdict.Encrypted;
  const fragment = view.getUint8(at + SEQUENCE_CONTROL) & FRAGMENT_NUMBER;
  if ((flags & FLAG_MORE_FRAGMENTS) !== 0 || fragment !== 0) return FrameVerdict.NotIp;
  let length = HEADER_LENGTH;
  if ((flags & FLAG_TO_AND_FROM_DS) === FLAG_TO_AND_FROM_DS) length += FOURTH_ADDRESS_LENGTH;
  let isAggregated = false;
  if ((control & SUBTYPE_QOS) !== 0) {
    if (at + length + QOS_LENGTH > capturedEnd) return FrameVerdict.TruncatedWireless;
    isAggregated = (view.getUint8(at + length) & QOS_AGGREGATED) !== 0;
    length += QOS_LENGTH;
    if ((flags & FLAG_ORDER) !== 0) length += HT_CONTROL_LENGTH;
  }
  if (isPadded) length = Math.ceil(length / 4) * 4;
  let body = at + length;
  let end = originalEnd;
  if (isAggregated) {
    if (body + SUBFRAME_HEADER_LENGTH > capturedEnd) return FrameVerdict.TruncatedWireless;
    const subframeLength = view.getUint16(body + SUBFRAME_LENGTH_FIELD);
    body += SUBFRAME_HEADER_LENGTH;
    end = Math.min(end, body + subframeLength);
  }
  if (!enterTunnel(segment, Tunnel.IEEE_802_11)) return FrameVerdict.TooManyTunnels;
  return decodeLlc(view, body, Math.min(capturedEnd, end), end, 0, segment);
}
