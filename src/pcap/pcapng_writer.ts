/**
 * Writes pcapng (draft-ietf-opsawg-pcapng): the packets of one handshake after those of another.
 *
 * @module
 */
import { KEPT_LENGTH_MAX, type KeptPacket } from "./kept_packets.ts";
import { INTERFACE_COUNT_MAX } from "./limits.ts";
import {
  Direction,
  HANDSHAKE_COMMENT,
  HANDSHAKE_FILTER,
  paddedLength,
  PcapngOption,
} from "./pcapng_option.ts";
import { BlockType, BYTE_ORDER_MAGIC } from "./pcapng_parser.ts";

/** Bytes of a comment; what is longer is cut. */
export const COMMENT_LENGTH_MAX = 1_024;

/** Room for any block: a packet with its comment and flags, an interface with its name. */
const BLOCK_ROOM = 4_096;
const FIRST_CAPACITY = 64 * 1024;
/** Section header (§4.1): version 1.0; a length that is not told. */
const VERSION_MAJOR = 1;
const LENGTH_UNKNOWN = 0xffff_ffff;
/** `if_tsresol`: 10^-9 s. */
const NANOSECONDS = 9;
const SECOND_NS = 1_000_000_000n;
const LINK_TYPES = 0x1_0000;
const SECTION_COMMENT =
  "The packets of each handshake stand together, in the order in which handshakes ended; " +
  "reordercap sorts them by time";

/** What the writer must be told. */
export interface PcapngWriterOptions {
  /** Whole seconds of Unix time at which the axis of the packets' times begins. */
  epochSeconds(): number;
  /** Name of the interface of a place, undefined where it is unknown. */
  interfaceName(place: number): string | undefined;
  /** See `CaptureInterface.hidesData`. */
  hidesData(place: number): boolean;
}

/**
 * Makes the blocks of a pcapng file in a buffer that is used again; {@linkcode take} gives them away.
 * Interfaces are described when their first packet comes, one for each place and link type.
 */
export class PcapngWriter {
  readonly #options: PcapngWriterOptions;
  readonly #encoder = new TextEncoder();
  #bytes = new Uint8Array(FIRST_CAPACITY);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  /** Numbers of the interfaces described in this section, by place and link type. */
  readonly #interfaces = new Map<number, number>();

  /** Begins with a section header, so that a file without packets is one too. */
  constructor(options: PcapngWriterOptions) {
    this.#options = options;
    this.beginSection();
  }

  /** Bytes that {@linkcode take} would give. */
  get length(): number {
    return this.#length;
  }

  /** Begins a section: what was described before counts no more, so it may be lost. */
  beginSection(): void {
    this.#interfaces.clear();
    const at = this.#beginBlock(BlockType.SECTION);
    this.#u32(BYTE_ORDER_MAGIC);
    this.#u32(VERSION_MAJOR);
    this.#u32(LENGTH_UNKNOWN);
    this.#u32(LENGTH_UNKNOWN);
    this.#text(PcapngOption.COMMENT, SECTION_COMMENT);
    this.#text(PcapngOption.SHB_USERAPPL, "synsnoop");
    this.#endBlock(at, true);
  }

  /**
   * Writes a packet.
   *
   * @param packet It, its times on the axis.
   * @param handshake What to say of the handshake that begins with this packet: printable text.
   */
  packet(packet: KeptPacket, handshake?: string): void {
    const { view, start, end, direction } = packet;
    const number = this.#interfaceOf(packet);
    const at = this.#beginBlock(BlockType.ENHANCED_PACKET);
    this.#u32(number);
    this.#time(packet.timeNs);
    this.#u32(end - start);
    this.#u32(packet.originalLength);
    this.#bytes.set(
      new Uint8Array(view.buffer, view.byteOffset + start, end - start),
      this.#length,
    );
    this.#pad(end - start);
    if (handshake !== undefined) this.#text(PcapngOption.COMMENT, HANDSHAKE_COMMENT + handshake);
    if (direction !== Direction.UNKNOWN) {
      this.#option(PcapngOption.EPB_FLAGS, 4);
      this.#u32(direction);
    }
    this.#endBlock(at, handshake !== undefined || direction !== Direction.UNKNOWN);
  }

  /**
   * Writes statistics of every interface of the section: from when to when it was captured on, and at
   * the first one how many packets were dropped on all of them, for that is not known apart.
   *
   * @param startNs On the axis. @param endNs On the axis.
   */
  statistics(startNs: number, endNs: number, dropped: number): void {
    for (const number of this.#interfaces.values()) {
      const at = this.#beginBlock(BlockType.STATISTICS);
      this.#u32(number);
      this.#time(endNs);
      if (number === 0 && this.#interfaces.size > 1) {
        this.#text(PcapngOption.COMMENT, "Drops are those of all interfaces");
      }
      this.#option(PcapngOption.ISB_STARTTIME, 8);
      this.#time(startNs);
      this.#option(PcapngOption.ISB_ENDTIME, 8);
      this.#time(endNs);
      if (number === 0) {
        this.#option(PcapngOption.ISB_OSDROP, 8);
        // A number of 64 bits in the section's byte order, unlike times.
        this.#u32(dropped >>> 0);
        this.#u32(Math.floor(dropped / 2 ** 32));
      }
      this.#endBlock(at, true);
    }
  }

  /** The blocks since the last call, all whole; valid until the next call of any method. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #interfaceOf({ place, linkType }: KeptPacket): number {
    const key = place * LINK_TYPES + linkType;
    const known = this.#interfaces.get(key);
    if (known !== undefined) return known;
    if (this.#interfaces.size === INTERFACE_COUNT_MAX) this.beginSection();
    const number = this.#interfaces.size;
    this.#interfaces.set(key, number);
    const at = this.#beginBlock(BlockType.INTERFACE);
    this.#u32(linkType);
    this.#u32(KEPT_LENGTH_MAX);
    const name = this.#options.interfaceName(place);
    if (name !== undefined) this.#text(PcapngOption.IF_NAME, name);
    if (this.#options.hidesData(place)) this.#text(PcapngOption.IF_FILTER, HANDSHAKE_FILTER);
    this.#option(PcapngOption.IF_TSRESOL, 1);
    this.#bytes[this.#length] = NANOSECONDS;
    this.#pad(1);
    this.#endBlock(at, true);
    return number;
  }

  #beginBlock(type: number): number {
    const at = this.#length;
    if (this.#bytes.length - at < BLOCK_ROOM) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#u32(type);
    this.#u32(0);
    return at;
  }

  #endBlock(at: number, hasOptions: boolean): void {
    if (hasOptions) this.#option(PcapngOption.END, 0);
    const length = this.#length + 4 - at;
    this.#u32(length);
    this.#view.setUint32(at + 4, length, true);
  }

  #u32(value: number): void {
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  /** 64 bits, the upper half first whatever the byte order (§4.3). */
  #time(timeNs: number): void {
    const unixNs = BigInt(this.#options.epochSeconds()) * SECOND_NS + BigInt(timeNs);
    this.#u32(Number(unixNs >> 32n));
    this.#u32(Number(unixNs & 0xffff_ffffn));
  }

  #option(code: number, length: number): void {
    this.#u32(length * 0x1_0000 + code);
  }

  #text(code: number, text: string): void {
    const room = this.#bytes.subarray(this.#length + 4, this.#length + 4 + COMMENT_LENGTH_MAX);
    // Cuts at a whole character.
    const { written } = this.#encoder.encodeInto(text, room);
    this.#option(code, written);
    this.#pad(written);
  }

  /** Goes on behind some bytes that were put there, at the next multiple of four. */
  #pad(written: number): void {
    const end = this.#length + written;
    this.#length += paddedLength(written);
    this.#bytes.fill(0, end, this.#length);
  }
}
