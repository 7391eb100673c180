/**
 * Frames that a switch mirrors through GRE: ERSPAN types I, II and III (draft-foschiano-erspan-03).
 *
 * @module
 */
import { decodeEthernet } from "./ethernet.ts";
import { decodeIp } from "./network.ts";
import type { Segment } from "./segment.ts";
import { enterTunnel, Tunnel } from "./tunnel_names.ts";
import { FrameVerdict } from "./verdict.ts";

/** Version in the upper half of the first byte: 1 is type II, 2 is type III. */
const VERSION = 0;
const VERSION_2 = 1;
const VERSION_3 = 2;
const LENGTH_2 = 8;
const LENGTH_3 = 12;
/** Type III: frame type, and whether a platform's subheader follows, in the last 16 bits. */
const FLAGS_3 = 10;
const FRAME_TYPE_SHIFT = 10;
const FRAME_TYPE_MASK = 0x1f;
const FRAME_TYPE_ETHERNET = 0;
const FRAME_TYPE_IP = 2;
const SUBHEADER_PRESENT = 0x0001;
const SUBHEADER_LENGTH = 8;

/**
 * Decodes a mirrored frame of type I, which has no header of its own, or II.
 *
 * @param view Bytes.
 * @param at Offset behind the GRE header.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param packetEnd Offset behind the last byte of the packet.
 * @param hasHeader Whether it is type II, which GRE's sequence number tells.
 * @param segment Filled.
 */
export function decodeErspan2(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  hasHeader: boolean,
  segment: Segment,
): FrameVerdict {
  let frame = at;
  if (hasHeader) {
    if (at + LENGTH_2 > capturedEnd) return FrameVerdict.TruncatedTunnel;
    if (view.getUint8(at + VERSION) >>> 4 !== VERSION_2) return FrameVerdict.NotIp;
    frame += LENGTH_2;
  }
  if (!enterTunnel(segment, Tunnel.ERSPAN)) return FrameVerdict.TooManyTunnels;
  return decodeEthernet(view, frame, capturedEnd, packetEnd, segment);
}

/** Decodes a mirrored frame of type III; the parameters are those of {@linkcode decodeErspan2}. */
export function decodeErspan3(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + LENGTH_3 > capturedEnd) return FrameVerdict.TruncatedTunnel;
  if (view.getUint8(at + VERSION) >>> 4 !== VERSION_3) return FrameVerdict.NotIp;
  const flags = view.getUint16(at + FLAGS_3);
  const frame = at + LENGTH_3 + ((flags & SUBHEADER_PRESENT) === 0 ? 0 : SUBHEADER_LENGTH);
  if (!enterTunnel(segment, Tunnel.ERSPAN)) return FrameVerdict.TooManyTunnels;
  switch (flags >>> FRAME_TYPE_SHIFT & FRAME_TYPE_MASK) {
    case FRAME_TYPE_ETHERNET:
      return decodeEthernet(view, frame, capturedEnd, packetEnd, segment);
    case FRAME_TYPE_IP:
      return decodeIp(view, frame, capturedEnd, packetEnd, segment);
    default:
      return FrameVerdict.NotIp;
  }
}
