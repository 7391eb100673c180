/**
 * What capture programs put before a frame of IEEE 802.11: radiotap, PPI, Prism and AVS.
 *
 * @module
 */
import { FrameVerdict } from "./verdict.ts";

/** radiotap.org: version 0, pad, length, then words of which the last has its top bit clear. */
const RADIOTAP_LENGTH = 2;
const RADIOTAP_PRESENT = 4;
const RADIOTAP_HEADER_LENGTH = 8;
const PRESENT_TIME = 0x1;
const PRESENT_FLAGS = 0x2;
const PRESENT_MORE = 0x8000_0000;
const PRESENT_WORD_COUNT_MAX = 32;
const TIME_LENGTH = 8;
const FLAG_PADDED = 0x20;
const FLAG_BAD_CHECKSUM = 0x40;

/** PPI: version, flags, length, link type of what follows. */
const PPI_LENGTH = 2;
const PPI_LINK_TYPE = 4;
const PPI_HEADER_LENGTH = 8;

/** Prism: a fixed header with this first word, in the host's order; AVS: this, in network order. */
const PRISM_MESSAGE = 0x44;
const PRISM_HEADER_LENGTH = 144;
const AVS_MAGIC = 0x8021_1001;
const AVS_MAGIC_2 = 0x8021_1002;
const AVS_LENGTH = 4;
const AVS_HEADER_LENGTH = 8;

/** What such a header says of the frame behind it. */
export interface RadioHeader {
  /** Offset of the frame; -1 where it cannot be read, for the reason of `verdict`. */
  frame: number;
  verdict: FrameVerdict;
  /** Whether the frame's own header is filled up to a multiple of 4 bytes. */
  isPadded: boolean;
  /** Link type of the frame where the header tells it, else -1. */
  linkType: number;
}

const header: RadioHeader = {
  frame: -1,
  verdict: FrameVerdict.NotIp,
  isPadded: false,
  linkType: -1,
};

function unreadable(verdict: FrameVerdict): Readonly<RadioHeader> {
  header.frame = -1;
  header.verdict = verdict;
  return header;
}

function frameAt(frame: number, capturedEnd: number): Readonly<RadioHeader> {
  if (frame > capturedEnd) return unreadable(FrameVerdict.TruncatedWireless);
  header.frame = frame;
  header.isPadded = false;
  header.linkType = -1;
  return header;
}

/**
 * Reads a radiotap header. A frame that the radio received damaged is not read.
 *
 * @param view Bytes. @param at Offset of the header. @param capturedEnd Offset behind the last byte captured.
 * @returns One object that is reused.
 */
export function readRadiotap(
  view: DataView,
  at: number,
  capturedEnd: number,
): Readonly<RadioHeader> {
  if (at + RADIOTAP_HEADER_LENGTH > capturedEnd) return unreadable(FrameVerdict.TruncatedWireless);
  const length = view.getUint16(at + RADIOTAP_LENGTH, true);
  if (length < RADIOTAP_HEADER_LENGTH) return unreadable(FrameVerdict.BadHeaderLength);
  frameAt(at + length, capturedEnd);
  if (header.frame < 0) return header;
  const end = at + length;
  let field = at + RADIOTAP_PRESENT;
  const present = view.getUint32(field, true);
  for (let words = 0;; words++) {
    if (words === PRESENT_WORD_COUNT_MAX || field + 4 > end) {
      return unreadable(FrameVerdict.BadHeaderLength);
    }
    const isLast = (view.getUint32(field, true) & PRESENT_MORE) === 0;
    field += 4;
    if (isLast) break;
  }
  // Fields are aligned to their own size, from the header on.
  if ((present & PRESENT_TIME) !== 0) field = at + Math.ceil((field - at) / 8) * 8 + TIME_LENGTH;
  if ((present & PRESENT_FLAGS) === 0) return header;
  if (field + 1 > end) return unreadable(FrameVerdict.BadHeaderLength);
  const flags = view.getUint8(field);
  if ((flags & FLAG_BAD_CHECKSUM) !== 0) return unreadable(FrameVerdict.Damaged);
  header.isPadded = (flags & FLAG_PADDED) !== 0;
  return header;
}

/** Reads a PPI header; the parameters are those of {@linkcode readRadiotap}. */
export function readPpi(view: DataView, at: number, capturedEnd: number): Readonly<RadioHeader> {
  if (at + PPI_HEADER_LENGTH > capturedEnd) return unreadable(FrameVerdict.TruncatedWireless);
  const length = view.getUint16(at + PPI_LENGTH, true);
  if (length < PPI_HEADER_LENGTH) return unreadable(FrameVerdict.BadHeaderLength);
  frameAt(at + length, capturedEnd);
  header.linkType = view.getUint32(at + PPI_LINK_TYPE, true);
  return header;
}

/** Reads a Prism or AVS header; the parameters are those of {@linkcode readRadiotap}. */
export function readPrism(view: DataView, at: number, capturedEnd: number): Readonly<RadioHeader> {
  if (at + AVS_HEADER_LENGTH > capturedEnd) return unreadable(FrameVerdict.TruncatedWireless);
  const magic = view.getUint32(at);
  if (magic === AVS_MAGIC || magic === AVS_MAGIC_2) {
    const length = view.getUint32(at + AVS_LENGTH);
    if (length < AVS_HEADER_LENGTH) return unreadable(FrameVerdict.BadHeaderLength);
    return frameAt(at + length, capturedEnd);
  }
  if (magic === PRISM_MESSAGE || view.getUint32(at, true) === PRISM_MESSAGE) {
    return frameAt(at + PRISM_HEADER_LENGTH, capturedEnd);
  }
  return unreadable(FrameVerdict.NotIp);
}
