/**
 * The user plane of mobile networks: GTP-U version 1 (3GPP TS 29.281) and version 0 (TS 09.60).
 *
 * @module
 */
import { decodeIp } from "./network.ts";
import type { Segment } from "./segment.ts";
import { enterTunnel, Tunnel } from "./tunnel_names.ts";
import { FrameVerdict } from "./verdict.ts";

/** Header (TS 29.281 §5.1): version and flags, message type, length, tunnel endpoint. */
const FLAGS = 0;
const MESSAGE_TYPE = 1;
const LENGTH = 8;
const LENGTH_0 = 20;
const VERSION_SHIFT = 5;
/** Not GTP'. */
const PROTOCOL_TYPE = 0x10;
const EXTENSION = 0x04;
const EXTENSION_SEQUENCE_OR_N_PDU = 0x07;
/** Message type of a user's packet. */
const G_PDU = 0xff;
/** Sequence number, N-PDU number, type of the next extension header: all or none. */
const OPTIONAL_LENGTH = 4;
/** Extensions followed: one or two are in use, the bound keeps a hostile packet cheap. */
const EXTENSION_COUNT_MAX = 8;

/**
 * Decodes from the GTP header on.
 *
 * @param view Bytes.
 * @param at Offset of the header.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param packetEnd Offset behind the last byte of the packet.
 * @param segment Filled.
 */
export function decodeGtpU(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + LENGTH > capturedEnd) return FrameVerdict.TruncatedTunnel;
  const flags = view.getUint8(at + FLAGS);
  if ((flags & PROTOCOL_TYPE) === 0 || view.getUint8(at + MESSAGE_TYPE) !== G_PDU) {
    return FrameVerdict.NotTcp;
  }
  let packet = at + LENGTH;
  switch (flags >>> VERSION_SHIFT) {
    case 0:
      packet = at + LENGTH_0;
      break;
    case 1:
      if ((flags & EXTENSION_SEQUENCE_OR_N_PDU) === 0) break;
      packet += OPTIONAL_LENGTH;
      if (packet > capturedEnd) return FrameVerdict.TruncatedTunnel;
      if ((flags & EXTENSION) === 0) break;
      for (let count = 0; view.getUint8(packet - 1) !== 0; count++) {
        if (count === EXTENSION_COUNT_MAX) return FrameVerdict.TooManyTunnels;
        if (packet + 1 > capturedEnd) return FrameVerdict.TruncatedTunnel;
        // In 4-byte words, the type of the next one last (TS 29.281 §5.2.1).
        const words = view.getUint8(packet);
        if (words === 0) return FrameVerdict.BadHeaderLength;
        packet += 4 * words;
        if (packet > capturedEnd) return FrameVerdict.TruncatedTunnel;
      }
      break;
    default:
      return FrameVerdict.NotTcp;
  }
  if (!enterTunnel(segment, Tunnel.GTP_U)) return FrameVerdict.TooManyTunnels;
  return decodeIp(view, packet, capturedEnd, packetEnd, segment);
}
