/**
 * One packet as a capture file holds it, and where it was captured.
 *
 * @module
 */

/** Where packets of a file were captured: an interface description of pcapng, or a whole pcap file. */
export interface CaptureInterface {
  /** Position in its section of the file, 0 the first. */
  readonly number: number;
  /** LINKTYPE of its packets (tcpdump.org "Link-layer header types"). */
  readonly linkType: number;
  /** Most bytes of a packet that the capture kept; 0 no limit. */
  readonly snapLength: number;
  /** Its name on the capturing host (`if_name`); untrusted text, undefined where the file has none. */
  readonly name: string | undefined;
  /**
   * Whether synsnoop captured there, through a filter that shows no data which a server sends before the
   * third packet of a handshake (`if_filter`).
   */
  readonly hidesData: boolean;
  /** Packets that the capturing host dropped there, by the last statistics in the file. */
  dropped: number;
}

/**
 * A packet of a capture file. One object is filled anew for each packet, and its bytes lie in a buffer
 * that is reused too: copy what must outlive the call that handed it out.
 */
export class CapturedPacket {
  /** Holds the packet's bytes from `start` to `end`. */
  view: DataView<ArrayBuffer> = new DataView(new ArrayBuffer(0));
  /** Offset of the first byte. */
  start = 0;
  /** Offset behind the last byte captured. */
  end = 0;
  /** Bytes of the packet before the capture cut it. */
  originalLength = 0;
  /** Where it was captured. */
  interface: CaptureInterface = {
    number: 0,
    linkType: 0,
    snapLength: 0,
    name: undefined,
    hidesData: false,
    dropped: 0,
  };
  /** The kernel's index of its interface, where the packet's own header has it; 0 unknown. */
  interfaceIndex = 0;
  /**
   * When it was captured: integer nanoseconds after the epoch of the `CaptureAxis`. Begins as -0, which
   * to the engine is no small integer: giving that up after 2^31 ns would cost it what it has compiled.
   */
  timeNs = -0;
  /**
   * Where `timeNs` is Infinity, since the time is too far from the axis: its whole second of Unix time,
   * and the nanoseconds behind that.
   */
  farSeconds = 0;
  farNs = 0;
  /** Whether the file gives a valid time. Otherwise `timeNs` is the packet's second or the time before. */
  timed = true;
  /** Offset of the packet's pcapng options. */
  optionsStart = 0;
  /** Offset behind them; `optionsStart` where there are none. */
  optionsEnd = 0;
  /** Byte order of the options. */
  littleEndian = true;
}

/** Why a file cannot be read any further. All packets before it were delivered. */
export interface CaptureFault {
  /** Where in the file, after decompression: the first byte of the record or block at fault. */
  readonly byteOffset: number;
  /** What is wrong, in words that fit behind "Cannot read ...: ". */
  readonly reason: string;
}

/** Takes each packet in the order of the file; see {@linkcode CapturedPacket} for what may be kept. */
export type OnPacket = (packet: CapturedPacket) => void;

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
