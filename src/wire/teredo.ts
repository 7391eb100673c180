/**
 * IPv6 over UDP through address translation: Teredo (RFC 4380), and AYIYA (draft-massar-v6ops-ayiya-02).
 *
 * @module
 */
import { decodeIp } from "./network.ts";
import type { Segment } from "./segment.ts";
import { enterTunnel, Tunnel } from "./tunnel_names.ts";
import { FrameVerdict } from "./verdict.ts";

/** What may stand before the packet (RFC 4380 §5.1.1): authentication first, origin last. */
const INDICATOR_AUTHENTICATION = 0x0001;
const INDICATOR_ORIGIN = 0x0000;
const INDICATOR_LENGTH = 2;
const AUTHENTICATION_ID_LENGTH = 2;
const AUTHENTICATION_VALUE_LENGTH = 3;
/** Indicator, both lengths, nonce and confirmation. */
const AUTHENTICATION_LENGTH = 13;
const ORIGIN_LENGTH = 8;

/** AYIYA §3: lengths of identity and signature, then authentication and operation, next header. */
const AYIYA_IDENTITY = 0;
const AYIYA_SIGNATURE = 1;
const AYIYA_OPERATION = 2;
const AYIYA_NEXT_HEADER = 3;
/** With the time. */
const AYIYA_LENGTH = 8;
const AYIYA_OPERATION_MASK = 0x0f;
const AYIYA_FORWARD = 1;
const IPV4_IN_IP = 4;
const IPV6_IN_IP = 41;

/**
 * Decodes a packet of Teredo's port.
 *
 * @param view Bytes.
 * @param at Offset behind the UDP header.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param packetEnd Offset behind the last byte of the packet.
 * @param segment Filled.
 */
export function decodeTeredo(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  segment: Segment,
): FrameVerdict {
  let packet = at;
  if (packet + INDICATOR_LENGTH > capturedEnd) return FrameVerdict.TruncatedTunnel;
  if (view.getUint16(packet) === INDICATOR_AUTHENTICATION) {
    if (packet + AUTHENTICATION_LENGTH > capturedEnd) return FrameVerdict.TruncatedTunnel;
    packet += AUTHENTICATION_LENGTH + view.getUint8(packet + AUTHENTICATION_ID_LENGTH) +
      view.getUint8(packet + AUTHENTICATION_VALUE_LENGTH);
    if (packet + INDICATOR_LENGTH > capturedEnd) return FrameVerdict.TruncatedTunnel;
  }
  if (view.getUint16(packet) === INDICATOR_ORIGIN) packet += ORIGIN_LENGTH;
  if (!enterTunnel(segment, Tunnel.TEREDO)) return FrameVerdict.TooManyTunnels;
  return decodeIp(view, packet, capturedEnd, packetEnd, segment);
}

/** Decodes a packet of AYIYA's port; the parameters are those of {@linkcode decodeTeredo}. */
export function decodeAyiya(
  view: DataView,
  at: number,
  capturedEnd: number,
  packetEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + AYIYA_LENGTH > capturedEnd) return FrameVerdict.TruncatedTunnel;
  const operation = view.getUint8(at + AYIYA_OPERATION) & AYIYA_OPERATION_MASK;
  const next = view.getUint8(at + AYIYA_NEXT_HEADER);
  if (operation !== AYIYA_FORWARD || next !== IPV6_IN_IP && next !== IPV4_IN_IP) {
    return FrameVerdict.NotTcp;
  }
  // The identity's length is a power of two, the signature's in 4-byte words.
  const identityLength = 1 << (view.getUint8(at + AYIYA_IDENTITY) >>> 4);
  const signatureLength = 4 * (view.getUint8(at + AYIYA_SIGNATURE) >>> 4);
  if (!enterTunnel(segment, Tunnel.AYIYA)) return FrameVerdict.TooManyTunnels;
  const packet = at + AYIYA_LENGTH + identityLength + signatureLength;
  return decodeIp(view, packet, capturedEnd, packetEnd, segment);
}
