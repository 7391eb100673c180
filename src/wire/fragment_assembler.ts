/**
 * Puts fragmented IP packets together, as far as a handshake needs it.
 *
 * @module
 */
import { internetChecksum } from "./checksum.ts";
import type { Segment } from "./segment.ts";

/** Packets under way; the oldest goes for a new one. */
const PACKET_COUNT_MAX = 256;
/** Fragments of one packet. */
const PART_COUNT_MAX = 16;
/** Bytes kept behind the IP header: a TCP header with all options, and a little data. */
const DATA_LENGTH_MAX = 128;
/** As long as Linux waits, `net.ipv4.ipfrag_time`. */
const KEEP_NS = 30e9;
const HEADER_LENGTH_MAX = 60;

/** RFC 791 §3.1, RFC 8200 §3. */
const IPV4_TOTAL_LENGTH = 2;
const IPV4_FRAGMENT = 6;
const IPV4_CHECKSUM = 10;
const IPV6_LENGTH = 40;
const IPV6_PAYLOAD_LENGTH = 4;
const IPV6_NEXT_HEADER = 6;
const TCP = 6;
const IP_LENGTH_MAX = 0xffff;

/** The parts of one packet that came. */
class Packet {
  place = 0;
  id = 0;
  ipVersion: 4 | 6 = 4;
  readonly source = new Uint32Array(4);
  readonly destination = new Uint32Array(4);
  vlan = -1;
  tunnels = 0;
  beganNs = -Infinity;
  /** When the latest of its fragments was captured, whichever stands last. */
  lastNs = -Infinity;
  /** Fragments in it; 0: nothing is under way here. */
  parts = 0;
  readonly begins = new Uint32Array(PART_COUNT_MAX);
  readonly ends = new Uint32Array(PART_COUNT_MAX);
  /** Bytes of data of the whole packet, -1 as long as its last fragment did not come. */
  length: number = -1;
  /** Whether some of the bytes that are kept were not captured. */
  isCut = false;
  /** The IP header of the first fragment, and the first bytes of data behind it. */
  headerLength = 0;
  readonly bytes = new DataView(new ArrayBuffer(HEADER_LENGTH_MAX + DATA_LENGTH_MAX));
}

/** A packet that was put together; valid until the next fragment. */
export interface AssembledPacket {
  /** The packet from its IP header at 0 on. */
  view: DataView<ArrayBuffer>;
  /** Bytes of it in the view. */
  capturedLength: number;
  /** Bytes of the whole packet. */
  originalLength: number;
  /** As in the segment of its fragments, whose links are gone. */
  vlan: number;
  tunnels: number;
  /** When the latest of its fragments was captured. */
  timeNs: number;
}

/**
 * Puts together fragments of packets with TCP. Bounded in packets, fragments, bytes and age. As in Linux
 * a fragment that came before is nothing new, and one that overlaps another spoils its packet.
 */
export class FragmentAssembler {
  /** Made for the first fragment: few captures hold one. */
  #packets: readonly Packet[] = [];
  #alone = 0;

  /** Fragments so far that are no part of a whole packet: a host throws them away. */
  get alone(): number {
    return this.#alone;
  }

  /**
   * Takes a fragment.
   *
   * @param view The bytes that were decoded.
   * @param segment What the verdict `FirstFragment` or `LaterFragment` was about.
   * @param place Where it was captured.
   * @param timeNs When.
   * @returns The whole packet where this was the last missing part; else undefined.
   */
  take(
    view: DataView,
    segment: Segment,
    place: number,
    timeNs: number,
  ): AssembledPacket | undefined {
    if (this.#packets.length === 0) {
      this.#packets = Array.from({ length: PACKET_COUNT_MAX }, () => new Packet());
    }
    this.#alone++;
    const begin = segment.fragmentOffset;
    const end = begin + segment.packetEnd - segment.tcpOffset;
    // All but the last are multiples of 8 bytes long (RFC 791 §3.2).
    if (end === begin || segment.moreFragments && (end - begin) % 8 !== 0) return undefined;
    if (end > IP_LENGTH_MAX) return undefined;
    const packet = this.#find(segment, place, timeNs);
    for (let part = 0; part < packet.parts; part++) {
      if (packet.begins[part] === begin && packet.ends[part] === end) return undefined;
      if (begin < packet.ends[part] && packet.begins[part] < end) {
        packet.parts = 0;
        return undefined;
      }
    }
    const isBeyond = packet.length >= 0 && (end > packet.length || !segment.moreFragments);
    if (packet.parts === PART_COUNT_MAX || isBeyond) {
      packet.parts = 0;
      return undefined;
    }
    packet.begins[packet.parts] = begin;
    packet.ends[packet.parts] = end;
    packet.parts++;
    packet.lastNs = Math.max(packet.lastNs, timeNs);
    if (!segment.moreFragments) packet.length = end;
    keep(packet, view, segment);
    if (!isWhole(packet)) return undefined;
    const { parts } = packet;
    packet.parts = 0;
    if (packet.isCut) return undefined;
    this.#alone -= parts;
    return finish(packet);
  }

  /** The packet that a fragment is a part of; a new one in the place of the oldest where it has none. */
  #find(segment: Segment, place: number, timeNs: number): Packet {
    let oldest = this.#packets[0];
    for (const packet of this.#packets) {
      if (packet.parts > 0 && Math.abs(timeNs - packet.beganNs) > KEEP_NS) packet.parts = 0;
      if (packet.parts > 0 && isOf(packet, segment, place)) return packet;
      if (oldest.parts === 0) continue;
      if (packet.parts === 0 || packet.beganNs < oldest.beganNs) oldest = packet;
    }
    oldest.place = place;
    oldest.id = segment.fragmentId;
    oldest.ipVersion = segment.ipVersion;
    oldest.source.set(segment.source);
    oldest.destination.set(segment.destination);
    oldest.vlan = segment.vlan;
    oldest.tunnels = segment.tunnels;
    oldest.beganNs = oldest.lastNs = timeNs;
    oldest.parts = 0;
    oldest.length = -1;
    oldest.isCut = false;
    oldest.headerLength = 0;
    return oldest;
  }
}

function isOf(packet: Packet, segment: Segment, place: number): boolean {
  return packet.id === segment.fragmentId && packet.place === place &&
    packet.ipVersion === segment.ipVersion && packet.vlan === segment.vlan &&
    packet.source.every((word, index) => word === segment.source[index]) &&
    packet.destination.every((word, index) => word === segment.destination[index]);
}

/** Keeps what a fragment has of the first bytes. */
function keep(packet: Packet, view: DataView, segment: Segment): void {
  const { ipOffset, tcpOffset, packetEnd, readableEnd, fragmentOffset } = segment;
  const to = packet.bytes;
  if (fragmentOffset === 0) {
    packet.headerLength = segment.ipVersion === 4 ? tcpOffset - ipOffset : IPV6_LENGTH;
    for (let at = 0; at < packet.headerLength; at++) to.setUint8(at, view.getUint8(ipOffset + at));
  }
  const wanted = Math.min(packetEnd - tcpOffset, DATA_LENGTH_MAX - fragmentOffset);
  if (wanted <= 0) return;
  const there = Math.min(wanted, readableEnd - tcpOffset);
  if (there < wanted) packet.isCut = true;
  for (let at = 0; at < there; at++) {
    to.setUint8(HEADER_LENGTH_MAX + fragmentOffset + at, view.getUint8(tcpOffset + at));
  }
}

/** No two parts overlap, so they are all of it when they are as long. */
function isWhole({ parts, begins, ends, length }: Packet): boolean {
  let sum = 0;
  for (let part = 0; part < parts; part++) sum += ends[part] - begins[part];
  return sum === length;
}

/** Moves the data behind the header, and makes that the header of a whole packet. */
function finish(packet: Packet): AssembledPacket {
  const { bytes: view, headerLength, length, ipVersion, vlan, tunnels, lastNs: timeNs } = packet;
  const kept = Math.min(length, DATA_LENGTH_MAX);
  for (let at = 0; at < kept; at++) {
    view.setUint8(headerLength + at, view.getUint8(HEADER_LENGTH_MAX + at));
  }
  if (ipVersion === 4) {
    view.setUint16(IPV4_TOTAL_LENGTH, headerLength + length);
    view.setUint16(IPV4_FRAGMENT, 0);
    view.setUint16(IPV4_CHECKSUM, 0);
    view.setUint16(IPV4_CHECKSUM, internetChecksum(view, 0, headerLength));
  } else {
    view.setUint16(IPV6_PAYLOAD_LENGTH, length);
    view.setUint8(IPV6_NEXT_HEADER, TCP);
  }
  const originalLength = headerLength + length;
  return { view, capturedLength: headerLength + kept, originalLength, vlan, tunnels, timeNs };
}
