/**
 * Options of pcapng blocks (draft-ietf-opsawg-pcapng §3.5): code, length, value, padded to 4 bytes.
 *
 * @module
 */
import { Passage } from "../wire/passage.ts";
import type { Segment } from "../wire/segment.ts";
import type { CapturedPacket } from "./captured_packet.ts";

/** Option codes, by the block that they stand in (draft-ietf-opsawg-pcapng §3.5, §4.2 to §4.6). */
export const PcapngOption = {
  END: 0,
  COMMENT: 1,
  /** Section header: the program that wrote it. */
  SHB_USERAPPL: 4,
  /** Interface description. */
  IF_NAME: 2,
  IF_TSRESOL: 9,
  IF_FILTER: 11,
  IF_TSOFFSET: 14,
  /** Enhanced packet, and obsolete packet with the same number. */
  EPB_FLAGS: 2,
  /** Interface statistics. */
  ISB_STARTTIME: 2,
  ISB_ENDTIME: 3,
  ISB_IFDROP: 5,
  ISB_OSDROP: 7,
} as const;

const CODE = 0;
const LENGTH = 2;
const HEADER_LENGTH = 4;

/**
 * How a packet passed its interface: direction and reception type, the lowest bits of `epb_flags`
 * (draft-ietf-opsawg-pcapng §4.3.1).
 */
export const Direction = {
  UNKNOWN: 0b00,
  INBOUND: 0b01,
  OUTBOUND: 0b10,
  /** It came in, and was for another host: an interface in promiscuous mode shows it. */
  OVERHEARD: 0b100_01,
} as const;

const DIRECTION_MASK = 0b11;
const RECEPTION_MASK = 0b111_00;
const PASSAGES: Readonly<Record<number, number>> = {
  [Direction.INBOUND]: Passage.RECEIVED,
  [Direction.OUTBOUND]: Passage.SENT,
};

/**
 * The value of `if_filter` (§4.2) where synsnoop captured: 0 for a filter in words, and the words. It
 * shows no data that a server sends before the third packet, which may acknowledge it all the same.
 */
export const HANDSHAKE_FILTER = "\0SYN, SYN-ACK, the ACK that completes, RST, ICMP errors";

/** How the comment at the first packet of a handshake begins, where synsnoop wrote the file. */
export const HANDSHAKE_COMMENT = "synsnoop: ";
/**
 * Behind that come the outcome and the two ends: more than the name of a process has room for, which
 * other programs may write as a comment.
 */
const OF_HANDSHAKE = /^synsnoop: [a-z_]+ \S+ → \S+(?:,|$)/;
/** The flags are the words at its end: the name of a process may say the same, but its number follows. */
const MISTIMED = /, clock_set(?:, [a-z_]+)*$/;
const CUT_OFF = /, trace_ended(?:, [a-z_]+)*$/;

/**
 * Finds an option.
 *
 * @param view Bytes. @param at Offset of the first option. @param end Offset behind the last one.
 * @param littleEndian Byte order of the section.
 * @param code Which, see {@linkcode PcapngOption}. @param least Bytes that its value must have.
 * @returns Offset of its value, -1 where there is none.
 */
export function findOption(
  view: DataView,
  at: number,
  end: number,
  littleEndian: boolean,
  code: number,
  least: number,
): number {
  while (at + HEADER_LENGTH <= end) {
    const found = view.getUint16(at + CODE, littleEndian);
    const length = view.getUint16(at + LENGTH, littleEndian);
    const value = at + HEADER_LENGTH;
    if (found === PcapngOption.END || value + length > end) return -1;
    if (found === code && length >= least) return value;
    at = value + paddedLength(length);
  }
  return -1;
}

/** The text of an option whose value is at `at`, as {@linkcode findOption} returned it. */
export function optionText(view: DataView<ArrayBuffer>, at: number, littleEndian: boolean): string {
  const length = view.getUint16(at - HEADER_LENGTH + LENGTH, littleEndian);
  // Some writers end it with a zero byte, which is no part of it.
  return new TextDecoder().decode(new Uint8Array(view.buffer, at, length)).replace(/\0+$/, "");
}

/** Rounds a length up to the 32 bits that pcapng aligns everything to. */
export function paddedLength(length: number): number {
  return Math.ceil(length / 4) * 4;
}

/**
 * The comments that stand at a packet in its file, in order; untrusted text. Only while the packet is
 * at hand.
 */
export function packetComments(packet: CapturedPacket): string[] {
  const { view, optionsEnd, littleEndian } = packet;
  const comments: string[] = [];
  let at = packet.optionsStart;
  for (;;) {
    at = findOption(view, at, optionsEnd, littleEndian, PcapngOption.COMMENT, 0);
    if (at < 0) return comments;
    comments.push(optionText(view, at, littleEndian));
    at += paddedLength(view.getUint16(at - HEADER_LENGTH + LENGTH, littleEndian));
  }
}

/** Where a packet went by its own flags, see {@linkcode Direction}. */
export function directionOf(packet: CapturedPacket): number {
  const { view, optionsStart, optionsEnd, littleEndian } = packet;
  const at = findOption(view, optionsStart, optionsEnd, littleEndian, PcapngOption.EPB_FLAGS, 4);
  const flags = at < 0 ? Direction.UNKNOWN : view.getUint32(at, littleEndian);
  const isOverheard = (flags & (DIRECTION_MASK | RECEPTION_MASK)) === Direction.OVERHEARD;
  return isOverheard ? Direction.OVERHEARD : flags & DIRECTION_MASK;
}

/**
 * Has a segment say how its packet passed its interface, where the packet's flags tell.
 *
 * @param direction See {@linkcode Direction}.
 */
export function notePassage(segment: Segment, direction: number): void {
  if (direction !== Direction.UNKNOWN) segment.passage = PASSAGES[direction] ?? Passage.UNKNOWN;
}

/** Whether a packet's own flags say that the capturing host sent it. */
export function isOutbound(packet: CapturedPacket): boolean {
  return directionOf(packet) === Direction.OUTBOUND;
}

/**
 * Whether the packets of another handshake begin here, in a file that synsnoop wrote: those stand
 * together, whatever happened meanwhile.
 */
export function beginsHandshake(packet: CapturedPacket): boolean {
  return packet.optionsEnd > packet.optionsStart &&
    packetComments(packet).some((comment) => OF_HANDSHAKE.test(comment));
}

/** Whether the times of the packets of the handshake that begins here cannot be subtracted. */
export function beginsMistimed(packet: CapturedPacket): boolean {
  return isFlagged(packet, MISTIMED);
}

/** Whether the trace or the file ended before the end of the handshake that begins here was known. */
export function beginsCutOff(packet: CapturedPacket): boolean {
  return isFlagged(packet, CUT_OFF);
}

function isFlagged(packet: CapturedPacket, flag: RegExp): boolean {
  return packet.optionsEnd > packet.optionsStart &&
    packetComments(packet).some((comment) => OF_HANDSHAKE.test(comment) && flag.test(comment));
}
