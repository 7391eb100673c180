import { markOf } from "../match/keep_packet.ts";
import type { Segment } from "../wire/segment.ts";

/** Bytes of the TCP header before its options (RFC 9293 section 3.1). */
const FIXED_LENGTH = 20;

/** A captured packet of a handshake: a copy, which outlives the buffer it was decoded from. */
export interface SeenPacket {
  /** When it was captured, nanoseconds on the axis. */
  readonly timeNs: number;
  /** Number of the place where it was captured, 0 unknown. */
  readonly place: number;
  /** Sender's address, four words. */
  readonly source: Uint32Array;
  /** Sender's port. */
  readonly sourcePort: number;
  /** Control bits, see `TcpFlag`. */
  readonly flags: number;
  /** Sequence number. */
  readonly sequence: number;
  /** Acknowledgment number; means nothing without the ACK flag. */
  readonly acknowledgment: number;
  /** Bytes of data. */
  readonly payloadLength: number;
  /** Tells it from others but its own copies, see `markOf`. */
  readonly mark: number;
  /** Packets that it was wrapped in. */
  readonly tunnels: number;
  /** The TCP header as far as it was captured: the fixed 20 bytes, then options. */
  readonly header: Uint8Array;
}

/**
 * Copies what is told of a packet out of a decoded segment.
 *
 * @param view The bytes that the segment was decoded from.
 * @param timeNs When it was captured, nanoseconds on the axis. @param place Where.
 */
export function copyPacket(
  segment: Segment,
  view: DataView<ArrayBuffer>,
  timeNs: number,
  place: number,
): SeenPacket {
  const start = view.byteOffset + segment.optionsOffset - FIXED_LENGTH;
  const length = FIXED_LENGTH + segment.optionsLength;
  return {
    timeNs,
    place,
    source: segment.source.slice(),
    sourcePort: segment.sourcePort,
    flags: segment.flags,
    sequence: segment.sequence,
    acknowledgment: segment.acknowledgment,
    payloadLength: segment.payloadLength,
    mark: markOf(segment),
    tunnels: segment.tunnels,
    header: new Uint8Array(view.buffer, start, length).slice(),
  };
}
