/**
 * The classic pcap format (draft-ietf-opsawg-pcap, libpcap's pcap-savefile(5)) with its variants.
 *
 * @module
 */
import type { CaptureAxis } from "./capture_axis.ts";
import {
  CapturedPacket,
  type CaptureFault,
  type CaptureParser,
  type OnPacket,
} from "./captured_packet.ts";
import { HELD_MAX, PACKET_LENGTH_MAX, SNAP_LENGTH_USUAL, ZEROS_REASON } from "./limits.ts";

/** Magic numbers in the byte order of the writing host (libpcap's sf-pcap.c). */
const TCPDUMP_MAGIC = 0xa1b2c3d4;
const NSEC_TCPDUMP_MAGIC = 0xa1b23c4d;
/** `KUZNETZOV_TCPDUMP_MAGIC`: records also tell interface, protocol and packet type. */
const KUZNETZOV_TCPDUMP_MAGIC = 0xa1b2cd34;

/** `struct pcap_file_header` of libpcap's pcap/pcap.h. */
const VERSION_MAJOR = 4;
const VERSION_MINOR = 6;
const SNAP_LENGTH = 16;
const LINK_TYPE = 20;
/** Bytes of `struct pcap_file_header`. */
export const PCAP_HEADER_LENGTH = 24;
/** The only version in use. */
const MAJOR = 2;
/** Before this minor version the two lengths of a record are swapped, and in it some writers swap them. */
const MINOR_DOUBTFUL = 3;
/** `LT_LINKTYPE` of libpcap's pcap-common.c: the bits above tell of frame check sequences. */
const LINK_TYPE_MASK = 0x03ff_ffff;

/** `struct pcap_sf_pkthdr` of libpcap's pcap-int.h. */
const SECONDS = 0;
const FRACTION = 4;
const CAPTURED_LENGTH = 8;
const ORIGINAL_LENGTH = 12;
const RECORD_HEADER_LENGTH = 16;
/** `struct pcap_sf_patched_pkthdr`: index u32, protocol u16, packet type u8, padding. */
const INTERFACE_INDEX = 16;
const PATCHED_RECORD_HEADER_LENGTH = 24;

/** What the first four bytes of a pcap file tell. */
export interface PcapVariant {
  /** Byte order of the writing host. */
  readonly littleEndian: boolean;
  /** Nanoseconds a unit of the fraction. */
  readonly unitNs: number;
  /** Units a second. */
  readonly unitsPerSecond: number;
  /** Bytes before each packet. */
  readonly recordHeaderLength: number;
}

/** The variant that a magic number stands for, undefined where it is none of a pcap file. */
export function pcapVariant(view: DataView, at: number): PcapVariant | undefined {
  for (const littleEndian of [false, true]) {
    switch (view.getUint32(at, littleEndian)) {
      case TCPDUMP_MAGIC:
        return variant(littleEndian, 1_000, RECORD_HEADER_LENGTH);
      case NSEC_TCPDUMP_MAGIC:
        return variant(littleEndian, 1, RECORD_HEADER_LENGTH);
      case KUZNETZOV_TCPDUMP_MAGIC:
        return variant(littleEndian, 1_000, PATCHED_RECORD_HEADER_LENGTH);
    }
  }
  return undefined;
}

function variant(littleEndian: boolean, unitNs: number, recordHeaderLength: number): PcapVariant {
  return { littleEndian, unitNs, unitsPerSecond: 1e9 / unitNs, recordHeaderLength };
}

/** Reads the records behind the file header. */
export class PcapParser implements CaptureParser {
  readonly unit = "a packet";
  fault: CaptureFault | undefined;
  readonly #view: DataView<ArrayBuffer>;
  #variant: PcapVariant;
  readonly #axis: CaptureAxis;
  readonly #onPacket: OnPacket;
  readonly #packet = new CapturedPacket();
  #lengthMax = 0;
  #capturedLength = CAPTURED_LENGTH;
  #originalLength = ORIGINAL_LENGTH;
  #isDoubtful = false;

  /**
   * Reads the file header.
   *
   * @param view The buffer. @param at Offset of the file header, all of which is there.
   * @param variant What its magic number stands for.
   * @param axis Where times are placed. @param onPacket Takes the packets.
   */
  constructor(
    view: DataView<ArrayBuffer>,
    at: number,
    variant: PcapVariant,
    axis: CaptureAxis,
    onPacket: OnPacket,
  ) {
    this.#view = view;
    this.#variant = variant;
    this.#axis = axis;
    this.#onPacket = onPacket;
    this.#packet.view = view;
    this.#begin(at, variant, 0);
  }

  #begin(at: number, variant: PcapVariant, base: number): void {
    const view = this.#view;
    const { littleEndian } = variant;
    this.#variant = variant;
    const major = view.getUint16(at + VERSION_MAJOR, littleEndian);
    if (major !== MAJOR) {
      this.fault = {
        byteOffset: base + VERSION_MAJOR,
        reason: `its pcap version is ${major}, only version ${MAJOR} can be read`,
      };
    }
    const minor = view.getUint16(at + VERSION_MINOR, littleEndian);
    this.#isDoubtful = minor === MINOR_DOUBTFUL;
    this.#capturedLength = minor < MINOR_DOUBTFUL ? ORIGINAL_LENGTH : CAPTURED_LENGTH;
    this.#originalLength = minor < MINOR_DOUBTFUL ? CAPTURED_LENGTH : ORIGINAL_LENGTH;
    const snapLength = view.getUint32(at + SNAP_LENGTH, littleEndian);
    this.#lengthMax = Math.min(Math.max(snapLength, SNAP_LENGTH_USUAL), PACKET_LENGTH_MAX);
    this.#packet.interface = {
      number: 0,
      linkType: view.getUint32(at + LINK_TYPE, littleEndian) & LINK_TYPE_MASK,
      snapLength,
      name: undefined,
      hidesData: false,
      dropped: 0,
    };
    this.#packet.littleEndian = littleEndian;
    this.#packet.interfaceIndex = 0;
  }

  /** See {@linkcode CaptureParser.parse}. */
  parse(at: number, end: number, base: number): number {
    const view = this.#view;
    const packet = this.#packet;
    let { littleEndian, unitNs, unitsPerSecond, recordHeaderLength } = this.#variant;
    while (at + recordHeaderLength <= end) {
      let captured = view.getUint32(at + this.#capturedLength, littleEndian);
      let original = view.getUint32(at + this.#originalLength, littleEndian);
      if (this.#isDoubtful && captured > original) [captured, original] = [original, captured];
      if (captured > this.#lengthMax) {
        this.fault = {
          byteOffset: base + at,
          reason: `a packet of ${captured} bytes is longer than ${this.#lengthMax}`,
        };
        return at;
      }
      const start = at + recordHeaderLength;
      const next = start + captured;
      if (captured === 0) {
        if (isZero(view, at, start)) {
          this.fault = { byteOffset: base + at, reason: ZEROS_REASON };
          return at;
        }
        // Who joins files by cat has their headers between packets.
        const variant = original === 0 ? pcapVariant(view, at) : undefined;
        if (variant !== undefined) {
          if (at + PCAP_HEADER_LENGTH > end) return at;
          this.#begin(at, variant, base + at);
          if (this.fault !== undefined) return at;
          ({ littleEndian, unitNs, unitsPerSecond, recordHeaderLength } = variant);
          at += PCAP_HEADER_LENGTH;
          continue;
        }
      }
      if (end - at < HELD_MAX && next > end) return at;
      const seconds = view.getUint32(at + SECONDS, littleEndian);
      const fraction = view.getUint32(at + FRACTION, littleEndian);
      packet.timed = fraction < unitsPerSecond;
      const fractionNs = packet.timed ? fraction * unitNs : 0;
      packet.timeNs = this.#axis.place(seconds, fractionNs);
      if (packet.timeNs === Infinity) {
        packet.farSeconds = seconds;
        packet.farNs = fractionNs;
      }
      packet.start = start;
      packet.end = next < end ? next : end;
      packet.originalLength = original;
      if (recordHeaderLength !== RECORD_HEADER_LENGTH) {
        packet.interfaceIndex = view.getUint32(at + INTERFACE_INDEX, littleEndian);
      }
      this.#onPacket(packet);
      at = next;
    }
    return at;
  }
}

/** Whether there is nothing but zeros: no packet, which has a time. */
function isZero(view: DataView, at: number, end: number): boolean {
  for (let offset = at; offset < end; offset++) {
    if (view.getUint8(offset) !== 0) return false;
  }
  return true;
}
