/**
 * The pcapng format (draft-ietf-opsawg-pcapng): sections, interfaces and the blocks with packets.
 *
 * @module
 */
import { type CaptureAxis, TimeScale } from "./capture_axis.ts";
import {
  CapturedPacket,
  type CaptureFault,
  type CaptureInterface,
  type CaptureParser,
  type OnPacket,
} from "./captured_packet.ts";
import { formatHexadecimal } from "../text/hexadecimal.ts";
import {
  BLOCK_LENGTH_MAX,
  HELD_MAX,
  INTERFACE_COUNT_MAX,
  INTERFACE_NAME_MAX,
  ZEROS_REASON,
} from "./limits.ts";
import {
  findOption,
  HANDSHAKE_FILTER,
  optionText,
  paddedLength,
  PcapngOption,
} from "./pcapng_option.ts";

/** Block types (draft-ietf-opsawg-pcapng §4, §11.1; the obsolete packet block: appendix A). */
export const BlockType = {
  INTERFACE: 1,
  OBSOLETE_PACKET: 2,
  SIMPLE_PACKET: 3,
  STATISTICS: 5,
  ENHANCED_PACKET: 6,
  SECTION: 0x0a0d0d0a,
} as const;

/** Of every block (§3.1): type, total length, body, total length again. */
const TYPE = 0;
const TOTAL_LENGTH = 4;
const TRAILER_LENGTH = 4;
const BLOCK_LENGTH_MIN = 12;

/** Section header block (§4.1). Its type reads the same in both byte orders; this number tells it. */
const BYTE_ORDER = 8;
/** Written in a section's own byte order. */
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const SECTION_VERSION_MAJOR = 12;
const SECTION_VERSION_MINOR = 14;
const SECTION_LENGTH_MIN = 28;
/** Bytes that tell a section's byte order and length. */
const SECTION_BEGIN_LENGTH = 12;

/** Interface description block (§4.2). */
const INTERFACE_LINK_TYPE = 8;
const INTERFACE_SNAP_LENGTH = 12;
const INTERFACE_OPTIONS = 16;
const INTERFACE_LENGTH_MIN = 20;
/** Without `if_tsresol`, microseconds. */
const MICROSECONDS = 6;

/** Enhanced packet block (§4.3) and obsolete packet block (appendix A): the same but for the start. */
const PACKET_INTERFACE = 8;
const PACKET_TIME_HIGH = 12;
const PACKET_TIME_LOW = 16;
const PACKET_CAPTURED_LENGTH = 20;
const PACKET_ORIGINAL_LENGTH = 24;
const PACKET_DATA = 28;
const PACKET_LENGTH_MIN = 32;

/** Simple packet block (§4.4). */
const SIMPLE_ORIGINAL_LENGTH = 8;
const SIMPLE_DATA = 12;
const SIMPLE_LENGTH_MIN = 16;

/** Interface statistics block (§4.6). */
const STATISTICS_INTERFACE = 8;
const STATISTICS_TIME_HIGH = 12;
const STATISTICS_TIME_LOW = 16;
const STATISTICS_OPTIONS = 20;
const STATISTICS_LENGTH_MIN = 24;

/** Whether a file that begins with these four bytes is pcapng. */
export function isPcapng(view: DataView, at: number): boolean {
  return view.getUint32(at) === BlockType.SECTION;
}

/** An interface and the scale of its times. */
interface ScaledInterface extends CaptureInterface {
  readonly scale: TimeScale;
}

/** Reads the blocks of a pcapng file. */
export class PcapngParser implements CaptureParser {
  readonly unit = "a block";
  fault: CaptureFault | undefined;
  readonly #view: DataView<ArrayBuffer>;
  readonly #axis: CaptureAxis;
  readonly #onPacket: OnPacket;
  readonly #onStatistics: (dropped: number, timeNs: number) => void;
  readonly #packet = new CapturedPacket();
  #littleEndian = true;
  #interfaces: ScaledInterface[] = [];

  /**
   * Reads nothing yet.
   *
   * @param view The buffer. @param axis Where times are placed. @param onPacket Takes the packets.
   * @param onStatistics Takes how many more packets the capturing host dropped on an interface, and
   * up to when it captured there; NaN where that is no valid time.
   */
  constructor(
    view: DataView<ArrayBuffer>,
    axis: CaptureAxis,
    onPacket: OnPacket,
    onStatistics: (dropped: number, timeNs: number) => void,
  ) {
    this.#view = view;
    this.#axis = axis;
    this.#onPacket = onPacket;
    this.#onStatistics = onStatistics;
    this.#packet.view = view;
  }

  /** See {@linkcode CaptureParser.parse}. */
  parse(at: number, end: number, base: number): number {
    const view = this.#view;
    while (at + SECTION_BEGIN_LENGTH <= end) {
      const isSection = view.getUint32(at + TYPE) === BlockType.SECTION;
      const reason = isSection ? this.#readByteOrder(at) : undefined;
      const type = view.getUint32(at + TYPE, this.#littleEndian);
      const length = view.getUint32(at + TOTAL_LENGTH, this.#littleEndian);
      // Some writers leave out the padding in the length, though not in the block.
      const next = at + paddedLength(length);
      const blockReason = reason ?? lengthReason(type, length);
      if (blockReason !== undefined) return this.#fail(base + at, blockReason, at);
      if (next > end && end - at < HELD_MAX) return at;
      // Of a block longer than what is held at once the start is read and the rest skipped.
      const bodyEnd = next <= end ? next - TRAILER_LENGTH : end;
      if (next <= end && view.getUint32(bodyEnd, this.#littleEndian) !== length) {
        const trailer = view.getUint32(bodyEnd, this.#littleEndian);
        return this.#fail(
          base + at,
          `a block is ${length} bytes by its start and ${trailer} by its end`,
          at,
        );
      }
      const bodyReason = this.#readBlock(type, at, bodyEnd);
      if (bodyReason !== undefined) return this.#fail(base + at, bodyReason, at);
      at = next;
    }
    return at;
  }

  #fail(byteOffset: number, reason: string, at: number): number {
    this.fault = { byteOffset, reason };
    return at;
  }

  #readByteOrder(at: number): string | undefined {
    const magic = this.#view.getUint32(at + BYTE_ORDER);
    if (
      magic !== BYTE_ORDER_MAGIC && this.#view.getUint32(at + BYTE_ORDER, true) !== BYTE_ORDER_MAGIC
    ) {
      return `a section's byte order cannot be told from ${formatHexadecimal(magic)}`;
    }
    this.#littleEndian = magic !== BYTE_ORDER_MAGIC;
    return undefined;
  }

  /** @returns What is wrong with the block. */
  #readBlock(type: number, at: number, end: number): string | undefined {
    switch (type) {
      case BlockType.ENHANCED_PACKET:
        return this.#readPacket(
          at,
          end,
          this.#view.getUint32(at + PACKET_INTERFACE, this.#littleEndian),
        );
      case BlockType.OBSOLETE_PACKET:
        return this.#readPacket(
          at,
          end,
          this.#view.getUint16(at + PACKET_INTERFACE, this.#littleEndian),
        );
      case BlockType.SIMPLE_PACKET:
        return this.#readSimplePacket(at, end);
      case BlockType.INTERFACE:
        return this.#readInterface(at, end);
      case BlockType.STATISTICS:
        return this.#readStatistics(at, end);
      case BlockType.SECTION:
        return this.#readSection(at);
      default:
        return undefined;
    }
  }

  #readPacket(at: number, end: number, interfaceNumber: number): string | undefined {
    const view = this.#view;
    const packet = this.#packet;
    const littleEndian = this.#littleEndian;
    if (interfaceNumber >= this.#interfaces.length) return this.#unknownInterface(interfaceNumber);
    const captured = view.getUint32(at + PACKET_CAPTURED_LENGTH, littleEndian);
    const blockEnd = at + paddedLength(view.getUint32(at + TOTAL_LENGTH, littleEndian)) -
      TRAILER_LENGTH;
    const start = at + PACKET_DATA;
    if (start + captured > blockEnd) {
      return `a packet of ${captured} bytes stands in a block of ${blockEnd - at + TRAILER_LENGTH}`;
    }
    const described = this.#interfaces[interfaceNumber];
    const timeNs = described.scale.place(
      view.getUint32(at + PACKET_TIME_HIGH, littleEndian),
      view.getUint32(at + PACKET_TIME_LOW, littleEndian),
    );
    packet.timed = !Number.isNaN(timeNs);
    if (packet.timed) packet.timeNs = timeNs;
    if (timeNs === Infinity) {
      packet.farSeconds = described.scale.farSeconds;
      packet.farNs = described.scale.farNs;
    }
    packet.interface = described;
    packet.originalLength = view.getUint32(at + PACKET_ORIGINAL_LENGTH, littleEndian);
    packet.littleEndian = littleEndian;
    packet.start = start;
    packet.end = Math.min(start + captured, end);
    packet.optionsStart = Math.min(start + paddedLength(captured), end);
    packet.optionsEnd = end;
    this.#onPacket(packet);
    return undefined;
  }

  #readSimplePacket(at: number, end: number): string | undefined {
    if (this.#interfaces.length === 0) return this.#unknownInterface(0);
    const packet = this.#packet;
    const described = this.#interfaces[0];
    const originalLength = this.#view.getUint32(at + SIMPLE_ORIGINAL_LENGTH, this.#littleEndian);
    const start = at + SIMPLE_DATA;
    const kept = described.snapLength === 0 ? Infinity : described.snapLength;
    // The block has no time: it takes that of the packet before.
    packet.timed = false;
    packet.interface = described;
    packet.originalLength = originalLength;
    packet.littleEndian = this.#littleEndian;
    packet.start = start;
    packet.end = Math.min(start + Math.min(originalLength, kept), end);
    packet.optionsStart = packet.optionsEnd = end;
    this.#onPacket(packet);
    return undefined;
  }

  #unknownInterface(number: number): string {
    return `a packet is of interface ${number}, but ${this.#interfaces.length} are described`;
  }

  #readInterface(at: number, end: number): string | undefined {
    if (this.#interfaces.length === INTERFACE_COUNT_MAX) {
      return `a section describes more than ${INTERFACE_COUNT_MAX} interfaces`;
    }
    const view = this.#view;
    const littleEndian = this.#littleEndian;
    const find = (code: number, least: number) =>
      findOption(view, at + INTERFACE_OPTIONS, end, littleEndian, code, least);
    const name = find(PcapngOption.IF_NAME, 1);
    const resolution = find(PcapngOption.IF_TSRESOL, 1);
    const offset = find(PcapngOption.IF_TSOFFSET, 8);
    const filter = find(PcapngOption.IF_FILTER, HANDSHAKE_FILTER.length);
    this.#interfaces.push({
      number: this.#interfaces.length,
      linkType: view.getUint16(at + INTERFACE_LINK_TYPE, littleEndian),
      snapLength: view.getUint32(at + INTERFACE_SNAP_LENGTH, littleEndian),
      name: name < 0
        ? undefined
        : optionText(view, name, littleEndian).slice(0, INTERFACE_NAME_MAX),
      hidesData: filter >= 0 && optionText(view, filter, littleEndian) === HANDSHAKE_FILTER,
      dropped: 0,
      scale: new TimeScale(
        this.#axis,
        resolution < 0 ? MICROSECONDS : view.getUint8(resolution),
        offset < 0 ? 0n : view.getBigInt64(offset, littleEndian),
      ),
    });
    return undefined;
  }

  #readStatistics(at: number, end: number): string | undefined {
    const view = this.#view;
    const number = view.getUint32(at + STATISTICS_INTERFACE, this.#littleEndian);
    if (number >= this.#interfaces.length) return undefined;
    const described = this.#interfaces[number];
    let dropped = 0;
    for (const code of [PcapngOption.ISB_IFDROP, PcapngOption.ISB_OSDROP]) {
      const found = findOption(view, at + STATISTICS_OPTIONS, end, this.#littleEndian, code, 8);
      const count = found < 0 ? 0 : Number(view.getBigUint64(found, this.#littleEndian));
      if (Number.isSafeInteger(count)) dropped += count;
    }
    const timeNs = described.scale.place(
      view.getUint32(at + STATISTICS_TIME_HIGH, this.#littleEndian),
      view.getUint32(at + STATISTICS_TIME_LOW, this.#littleEndian),
    );
    // The counts are since the capture's start, and a file may hold them more than once.
    this.#onStatistics(Math.max(dropped - described.dropped, 0), timeNs);
    described.dropped = Math.max(dropped, described.dropped);
    return undefined;
  }

  #readSection(at: number): string | undefined {
    const major = this.#view.getUint16(at + SECTION_VERSION_MAJOR, this.#littleEndian);
    const minor = this.#view.getUint16(at + SECTION_VERSION_MINOR, this.#littleEndian);
    if (major !== 1) {
      return `its pcapng version is ${major}.${minor}, only version 1 can be read`;
    }
    this.#interfaces = [];
    return undefined;
  }
}

function lengthReason(type: number, length: number): string | undefined {
  if (length > BLOCK_LENGTH_MAX) {
    return `a block of ${length} bytes is longer than ${BLOCK_LENGTH_MAX}`;
  }
  if (type === 0 && length === 0) return ZEROS_REASON;
  const least = leastLength(type);
  return length < least ? `a block of ${length} bytes is shorter than ${least}` : undefined;
}

function leastLength(type: number): number {
  switch (type) {
    case BlockType.ENHANCED_PACKET:
    case BlockType.OBSOLETE_PACKET:
      return PACKET_LENGTH_MIN;
    case BlockType.SIMPLE_PACKET:
      return SIMPLE_LENGTH_MIN;
    case BlockType.INTERFACE:
      return INTERFACE_LENGTH_MIN;
    case BlockType.STATISTICS:
      return STATISTICS_LENGTH_MIN;
    case BlockType.SECTION:
      return SECTION_LENGTH_MIN;
    default:
      return BLOCK_LENGTH_MIN;
  }
}
