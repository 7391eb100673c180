/**
 * Checksums of IPv4 and TCP, as far as a captured packet lets them be judged (RFC 1071).
 *
 * @module
 */
import type { Segment } from "./segment.ts";

/** What a checksum says. */
export const Checksum = {
  /** It is right. */
  RIGHT: 0,
  /**
   * It is one that the sender leaves for its network adapter to finish, or was never filled in: 0, or
   * the sum of the pseudo-header alone.
   */
  UNFINISHED: 1,
  /** It is wrong: the host that receives the packet throws it away. */
  WRONG: 2,
  /** Not all that it covers was captured. */
  UNKNOWN: 3,
} as const;

/** One of {@linkcode Checksum}. */
export type Checksum = typeof Checksum[keyof typeof Checksum];

/** RFC 791 §3.1, and the protocol's number in the pseudo-header. */
const IPV4_CHECKSUM = 10;
const TCP_PROTOCOL = 6;
const ONES = 0xffff;

/**
 * Judges the header checksum of the IPv4 packet that a segment was decoded from; of IPv6, which has
 * none, it is right.
 *
 * @param view The bytes that were decoded.
 */
export function ipChecksum(view: DataView, { ipVersion, ipOffset }: Segment): Checksum {
  if (ipVersion === 6) return Checksum.RIGHT;
  const length = (view.getUint8(ipOffset) & 0x0f) * 4;
  if (fold(sumOf(view, ipOffset, ipOffset + length)) === ONES) return Checksum.RIGHT;
  return view.getUint16(ipOffset + IPV4_CHECKSUM) === 0 ? Checksum.UNFINISHED : Checksum.WRONG;
}

/**
 * Judges the checksum of a segment with its pseudo-header (RFC 9293 §3.1).
 *
 * @param view The bytes that were decoded.
 */
export function tcpChecksum(view: DataView, segment: Segment): Checksum {
  const { ipVersion, tcpOffset, packetEnd, readableEnd, source, destination, checksum } = segment;
  if (readableEnd < packetEnd) return Checksum.UNKNOWN;
  const length = packetEnd - tcpOffset;
  const addresses = sumOfAddress(source, ipVersion) + sumOfAddress(destination, ipVersion) +
    TCP_PROTOCOL;
  const pseudoHeader = addresses + (length >>> 16) + (length & ONES);
  if (fold(pseudoHeader + sumOf(view, tcpOffset, packetEnd)) === ONES) return Checksum.RIGHT;
  // With segmentation offload the adapter knows the length of each piece, the sender does not.
  const isUnfinished = checksum === 0 || checksum === fold(pseudoHeader) ||
    checksum === fold(addresses);
  return isUnfinished ? Checksum.UNFINISHED : Checksum.WRONG;
}

/** The Internet checksum of bytes, as it stands in a header whose own field counts as 0. */
export function internetChecksum(view: DataView, at: number, end: number): number {
  return fold(sumOf(view, at, end)) ^ ONES;
}

/** The sum of 16-bit words, most of them two at a time; below 2^53 for any packet. */
function sumOf(view: DataView, at: number, end: number): number {
  let uppers = 0;
  let lowers = 0;
  let offset = at;
  for (; offset + 3 < end; offset += 4) {
    const words = view.getUint32(offset);
    uppers += words >>> 16;
    lowers += words & ONES;
  }
  if (offset + 1 < end) {
    uppers += view.getUint16(offset);
    offset += 2;
  }
  if (offset < end) lowers += view.getUint8(offset) << 8;
  return uppers + lowers;
}

function sumOfAddress(words: Uint32Array, ipVersion: 4 | 6): number {
  const last = (words[3] >>> 16) + (words[3] & ONES);
  if (ipVersion === 4) return last;
  let sum = last;
  for (let index = 0; index < 3; index++) sum += (words[index] >>> 16) + (words[index] & ONES);
  return sum;
}

function fold(sum: number): number {
  let folded = sum;
  // Of packets beyond 64 KiB; shifts take 32 bits.
  while (folded > 0xffff_ffff) folded = Math.floor(folded / 0x10000) + folded % 0x10000;
  while (folded > ONES) folded = (folded >>> 16) + (folded & ONES);
  return folded;
}
