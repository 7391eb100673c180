/**
 * The TCP header (RFC 9293 §3.1).
 *
 * @module
 */

import type { Segment } from "./segment.ts";
import { readTcpOptions } from "./tcp_options.ts";
import { FrameVerdict } from "./verdict.ts";

/** Field offsets, RFC 9293 §3.1; `struct tcphdr` of linux/tcp.h has the same. */
const SOURCE_PORT = 0;
const DESTINATION_PORT = 2;
const SEQUENCE = 4;
const ACKNOWLEDGMENT = 8;
const DATA_OFFSET = 12;
const FLAGS = 12;
const WINDOW = 14;
const CHECKSUM = 16;

/** Bytes of the header without options. */
const HEADER_LENGTH = 20;
/** The nine control bits in the 16 bits at `FLAGS`, AE included (RFC 9768 §3.1). */
const FLAGS_MASK = 0x1ff;

/**
 * Decodes the TCP header at `at` into `segment`. The checksum is not verified, see
 * `tcpChecksum`. Options that the capture cuts short cost the options only, not the segment (`options.truncated`).
 *
 * @param view Bytes.
 * @param at Offset of the TCP header.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param segmentEnd Offset behind the last byte of the segment by the IP header; may be behind
 * `capturedEnd`.
 * @param segment Filled.
 */
export function decodeTcp(
  view: DataView,
  at: number,
  capturedEnd: number,
  segmentEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + HEADER_LENGTH > segmentEnd) return FrameVerdict.BadHeaderLength;
  if (at + HEADER_LENGTH > capturedEnd) return FrameVerdict.TruncatedTcp;
  const headerLength = (view.getUint8(at + DATA_OFFSET) >>> 4) * 4;
  if (headerLength < HEADER_LENGTH) return FrameVerdict.BadHeaderLength;
  const payload = at + headerLength;
  if (payload > segmentEnd) return FrameVerdict.BadHeaderLength;

  segment.sourcePort = view.getUint16(at + SOURCE_PORT);
  segment.destinationPort = view.getUint16(at + DESTINATION_PORT);
  segment.sequence = view.getUint32(at + SEQUENCE);
  segment.acknowledgment = view.getUint32(at + ACKNOWLEDGMENT);
  segment.flags = view.getUint16(at + FLAGS) & FLAGS_MASK;
  segment.window = view.getUint16(at + WINDOW);
  segment.checksum = view.getUint16(at + CHECKSUM);
  segment.payloadLength = segmentEnd - payload;
  segment.tcpOffset = at;
  segment.packetEnd = segmentEnd;
  segment.readableEnd = Math.min(capturedEnd, segmentEnd);

  const optionsOffset = at + HEADER_LENGTH;
  const end = segment.readableEnd;
  const truncated = payload > end;
  const optionsLength = (truncated ? end : payload) - optionsOffset;
  segment.optionsOffset = optionsOffset;
  segment.optionsLength = optionsLength;
  readTcpOptions(view, optionsOffset, optionsLength, segment.options, truncated);
  return FrameVerdict.Tcp;
}
