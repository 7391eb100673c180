/**
 * What wireless access points send their controller: CAPWAP data (RFC 5415, RFC 5416).
 *
 * @module
 */
import { decodeEthernet } from "./ethernet.ts";
import type { Segment } from "./segment.ts";
import { enterTunnel, Tunnel } from "./tunnel_names.ts";
import { FrameVerdict } from "./verdict.ts";
import { decodeWireless } from "./wireless.ts";

/** Preamble and header (RFC 5415 §4.2, §4.3). */
const PREAMBLE = 0;
/** Version 0 with a header in the clear; 1 instead is DTLS. */
const PREAMBLE_CLEAR = 0;
const PREAMBLE_DTLS = 1;
const HEADER_LENGTH_FIELD = 1;
const HEADER_LENGTH_SHIFT = 3;
const FLAGS = 2;
const LENGTH = 8;
/** 16 bits from `FLAGS` on: the low bit of the wireless binding, native frame, fragment, keep alive. */
const FLAG_NATIVE = 0x0100;
const FLAG_FRAGMENT = 0x0080;
const FLAG_KEEP_ALIVE = 0x0008;

/**
 * Decodes a packet of CAPWAP's data port.
 *
 * @param view Bytes.
 * @param at Offset behind the UDP header.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param packetEnd Offset behind the last byte of the packet.
 * @param segment Filled.
 */
export function decodeCapwap(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + LENGTH > capturedEnd) return FrameVerdict.TruncatedTunnel;
  const preamble = view.getUint8(at + PREAMBLE);
  if (preamble === PREAMBLE_DTLS) return FrameVerdict.Encrypted;
  if (preamble !== PREAMBLE_CLEAR) return FrameVerdict.NotTcp;
  const length = 4 * (view.getUint8(at + HEADER_LENGTH_FIELD) >>> HEADER_LENGTH_SHIFT);
  if (length < LENGTH) return FrameVerdict.BadHeaderLength;
  const flags = view.getUint16(at + FLAGS);
  if ((flags & (FLAG_FRAGMENT | FLAG_KEEP_ALIVE)) !== 0) return FrameVerdict.NotTcp;
  if (!enterTunnel(segment, Tunnel.CAPWAP)) return FrameVerdict.TooManyTunnels;
  return (flags & FLAG_NATIVE) === 0
    ? decodeEthernet(view, at + length, capturedEnd, packetEnd, segment)
    : decodeWireless(view, at + length, capturedEnd, packetEnd, false, segment, true);
}
