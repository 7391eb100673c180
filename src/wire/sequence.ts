/**
 * TCP sequence numbers: unsigned 32-bit values whose arithmetic is modulo 2^32 (RFC 9293 §3.4).
 *
 * @module
 */

/**
 * Adds octets to a sequence number, modulo 2^32 (RFC 9293 §3.4).
 *
 * @example
 * ```ts
 * import { sequenceAdd } from "./sequence.ts";
 *
 * sequenceAdd(0xffffffff, 1); // 0
 * ```
 *
 * @param a Sequence number, 0 to 2^32 - 1.
 * @param n Octets to add, any integer of magnitude below 2^52; negative goes back.
 * @returns Sequence number, 0 to 2^32 - 1.
 */
export function sequenceAdd(a: number, n: number): number {
  return (a + n) >>> 0;
}

/**
 * Octets from one sequence number to another on the shorter way round the circle: positive when
 * `to` is after `from` in the sense of RFC 9293 §3.4 (`from < to` modulo 2^32), negative when it is
 * before. Numbers exactly 2^31 apart have no order; the result is then -2^31 both ways.
 *
 * @param from Sequence number, 0 to 2^32 - 1.
 * @param to Sequence number, 0 to 2^32 - 1.
 * @returns Signed 32-bit octet count, `from + result = to` modulo 2^32.
 */
export function sequenceDistance(from: number, to: number): number {
  return (to - from) | 0;
}

/**
 * Tells whether `start =< value < start + length` modulo 2^32. With `start` as RCV.NXT and `length`
 * as RCV.WND this is the receive window test of RFC 9293 §3.4; an acceptable acknowledgment
 * (`SND.UNA < SEG.ACK =< SND.NXT`, same section) is
 * `sequenceInWindow(segAck, sndUna + 1, sndNxt - sndUna)` with both computed modulo 2^32.
 *
 * @param value Sequence number to test, 0 to 2^32 - 1.
 * @param start First sequence number of the window, 0 to 2^32 - 1.
 * @param length Octets in the window, 0 to 2^32; nothing is in a window of 0.
 */
export function sequenceInWindow(value: number, start: number, length: number): boolean {
  return ((value - start) >>> 0) < length;
}
