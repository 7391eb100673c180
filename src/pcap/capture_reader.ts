/**
 * Reads a capture file from its bytes as they come: in any pieces, from a file, a pipe, or a file that
 * grows. Knows pcap and pcapng by their first bytes.
 *
 * @module
 */
import type { CaptureAxis } from "./capture_axis.ts";
import type { CaptureFault, CaptureParser, OnPacket } from "./captured_packet.ts";
import { formatHexadecimal } from "../text/hexadecimal.ts";
import { HELD_MAX, ZEROS_REASON } from "./limits.ts";
import { PCAP_HEADER_LENGTH, PcapParser, pcapVariant } from "./pcap_parser.ts";
import { isPcapng, PcapngParser } from "./pcapng_parser.ts";

/**
 * Bytes that a call of {@linkcode CaptureReader.room} has room for. So few stay in the processor's cache
 * from the read until they are parsed: a file that is mapped and not copied takes half as long again.
 */
export const READ_LENGTH = 1 << 18;
/** Bytes of a magic number. */
const MAGIC_LENGTH = 4;

/** How a file begins that a program compressed which is not read here, and how that writes the plain bytes. */
interface Compression {
  readonly magic: number;
  /** Bits of the first four bytes that count. */
  readonly mask: number;
  readonly name: string;
  readonly command: string;
}

const COMPRESSIONS: readonly Compression[] = [
  // The XZ file format, §2.1.1.1.
  { magic: 0xfd377a58, mask: 0xffff_ffff, name: "xz", command: "xz -dc" },
  // "BZh" and a digit.
  { magic: 0x425a6800, mask: 0xffff_ff00, name: "bzip2", command: "bzip2 -dc" },
  // LZ4 frame format, little endian.
  { magic: 0x04224d18, mask: 0xffff_ffff, name: "lz4", command: "lz4 -dc" },
  { magic: 0x1f9d0000, mask: 0xffff_0000, name: "compress", command: "gzip -dc" },
  // A local file header, of which APPNOTE.TXT §4.3.7 tells.
  { magic: 0x504b0304, mask: 0xffff_ffff, name: "zip", command: "unzip -p" },
];

/**
 * Turns the bytes of one capture file into packets. Its buffer has a fixed size and nothing is
 * allocated for a packet, so memory stays flat however long the file is.
 *
 * @example
 * ```ts
 * import { CaptureAxis } from "./capture_axis.ts";
 * import { CaptureReader } from "./capture_reader.ts";
 *
 * const reader = new CaptureReader(new CaptureAxis(), (packet) => console.log(packet.timeNs));
 * reader.feed(new Uint8Array([0xd4, 0xc3, 0xb2, 0xa1]));
 * reader.end();
 * if (reader.fault) console.log(reader.fault.reason); // the file ends inside its header ...
 * ```
 */
export class CaptureReader {
  /** Why the file cannot be read further; once set, what comes is ignored. */
  fault: CaptureFault | undefined;
  /** Packets that the capturing host dropped, as the file says. */
  dropped = 0;
  /** Up to when the file says that was captured, on the axis; -Infinity where it does not say. */
  capturedUntilNs: number = -Infinity;
  readonly #axis: CaptureAxis;
  readonly #onPacket: OnPacket;
  readonly #bytes = new Uint8Array(HELD_MAX + READ_LENGTH);
  readonly #view = new DataView(this.#bytes.buffer);
  #parser: CaptureParser | undefined;
  /** What is not parsed yet lies from `start` to `end` of the buffer. */
  #start = 0;
  #end = 0;
  /** Bytes to come that belong to a record of which the start was enough. */
  #skip = 0;
  /** Byte of the file that is at offset 0 of the buffer. */
  #base = 0;

  /**
   * Makes the reader of one file.
   *
   * @param axis Where times are placed; shared by files that belong together.
   * @param onPacket Called for each packet; the object is reused.
   */
  constructor(axis: CaptureAxis, onPacket: OnPacket) {
    this.#axis = axis;
    this.#onPacket = onPacket;
  }

  /** Bytes of the file taken so far, after decompression. */
  get byteOffset(): number {
    return this.#base + this.#end;
  }

  /** Whether the bytes that came so far end inside of something. */
  get isTorn(): boolean {
    return this.#end > this.#start || this.#skip > 0;
  }

  /**
   * Where the next bytes of the file can be read into, {@linkcode READ_LENGTH} of them, until
   * {@linkcode take} is called.
   */
  room(): Uint8Array<ArrayBuffer> {
    if (this.#start > 0) {
      this.#bytes.copyWithin(0, this.#start, this.#end);
      this.#base += this.#start;
      this.#end -= this.#start;
      this.#start = 0;
    }
    return this.#bytes.subarray(this.#end, this.#end + READ_LENGTH);
  }

  /**
   * Delivers the packets that the bytes put into the {@linkcode room} complete.
   *
   * @param length How many were put there.
   */
  take(length: number): void {
    this.#end += length;
    if (this.fault === undefined) this.#parse();
    if (this.fault !== undefined) this.#start = this.#end;
  }

  /** Takes bytes from elsewhere, any number. */
  feed(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const room = this.room();
      const part = bytes.subarray(at, at + room.length);
      room.set(part);
      this.take(part.length);
      at += part.length;
    }
  }

  /** Tells that the file ends here: whether it ends inside of something, `fault` says afterwards. */
  end(): void {
    if (this.fault !== undefined) return;
    const left = this.#end - this.#start;
    if (left === 0 && this.#skip === 0 && this.#parser !== undefined) return;
    const inside = this.#parser?.unit ?? "its header";
    this.fault = {
      byteOffset: this.#base + this.#start,
      reason: this.byteOffset === 0 ? "it is empty" : `it ends inside ${inside}`,
    };
  }

  #parse(): void {
    const skipped = Math.min(this.#skip, this.#end - this.#start);
    this.#skip -= skipped;
    this.#start += skipped;
    if (this.#skip > 0) return;
    this.#parser ??= this.#detect();
    const parser = this.#parser;
    if (parser === undefined) return;
    const next = parser.fault === undefined
      ? parser.parse(this.#start, this.#end, this.#base)
      : this.#start;
    this.fault = parser.fault;
    this.#skip = Math.max(next - this.#end, 0);
    this.#start = next - this.#skip;
  }

  /** The parser for what the file begins with, undefined where that is not known yet. */
  #detect(): CaptureParser | undefined {
    if (this.#end < MAGIC_LENGTH) return undefined;
    const view = this.#view;
    if (isPcapng(view, 0)) {
      return new PcapngParser(
        view,
        this.#axis,
        this.#onPacket,
        (dropped, timeNs) => {
          this.dropped += dropped;
          if (timeNs > this.capturedUntilNs && timeNs < Infinity) this.capturedUntilNs = timeNs;
        },
      );
    }
    const variant = pcapVariant(view, 0);
    if (variant === undefined) {
      this.fault = { byteOffset: 0, reason: foreignReason(view.getUint32(0)) };
      return undefined;
    }
    if (this.#end < PCAP_HEADER_LENGTH) return undefined;
    this.#start = PCAP_HEADER_LENGTH;
    return new PcapParser(view, 0, variant, this.#axis, this.#onPacket);
  }
}

/** Why a file cannot be read that begins with these four bytes, and what to do about it. */
function foreignReason(magic: number): string {
  if (magic === 0) return ZEROS_REASON;
  const found = COMPRESSIONS.find((each) => ((magic ^ each.magic) & each.mask) === 0);
  return found === undefined
    ? `it begins with ${formatHexadecimal(magic)} and is neither pcap, pcapng nor NDJSON; ` +
      "editcap -F pcapng converts other formats"
    : `it is compressed by ${found.name}, only gzip and zstd are read; ` +
      `${found.command} FILE | synsnoop read - reads it`;
}
