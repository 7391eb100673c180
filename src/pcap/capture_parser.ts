import type { CaptureFault } from "./captured_packet.ts";

/**
 * Reads the records of one format out of a buffer. A `CaptureReader` keeps the buffer and asks it.
 */
export interface CaptureParser {
  /**
   * Delivers every whole packet from `at` on.
   *
   * @param at Offset of the first record not read yet. @param end Offset behind the last byte there.
   * @param base Byte of the file that is at offset 0 of the buffer; may be negative.
   * @returns Offset of the first record that is not read: it goes on behind `end`, is at fault, or
   * there is none. Beyond `end` where the rest of a long record is to be skipped.
   */
  parse(at: number, end: number, base: number): number;
  /** Set when the record that `parse` returned cannot be read. */
  readonly fault: CaptureFault | undefined;
  /** What a file that ends inside a record ends inside of: "a packet", "a block". */
  readonly unit: string;
}

/** Names a byte sequence that stands at the begin of a file: `0xd4c3b2a1`. */
export function formatMagic(magic: number): string {
  return `0x${magic.toString(16).padStart(8, "0")}`;
}
