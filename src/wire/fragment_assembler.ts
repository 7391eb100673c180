/**
 * Puts fragmented IP packets together, as far as a handshake needs it.
 *
 * @module
 */
import { internetChecksum } from "./checksum.ts";
import type { Segment } from "./segment.ts";

/** Packets under way; the oldest goes for a new one. */
const PACKET_COUNT_MAX = 256;
/** Runs of fragments of one packet, each without a hole. */
const RUN_COUNT_MAX = 16;
/** Bytes of data that all fragments but the last are a multiple of (RFC 791 §3.2, RFC 8200 §4.5). */
const UNIT_LENGTH = 8;
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
const TCP_LENGTH = 20;
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
  /** What they make of the data, run by run. A fragment joins a run where it continues the last one. */
  runs = 0;
  readonly begins = new Uint32Array(RUN_COUNT_MAX);
  readonly ends = new Uint32Array(RUN_COUNT_MAX);
  /** The run that reaches furthest. */
  last = 0;
  /** Bytes of data in the runs. */
  received = 0;
  /** Bytes of data of the whole packet, as far as is known by now. */
  length = 0;
  /** Whether its last fragment came, so that the length is final. */
  isEndKnown = false;
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
 * Puts together fragments of packets with TCP. Bounded in packets, holes, bytes and age. As in Linux
 * (`inet_frag_queue_insert`, `ip_frag_queue`, `ip6_frag_queue`) a fragment is nothing new that lies
 * within a run of those before, and one that overlaps them otherwise, or contradicts the length of the
 * packet, spoils it.
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
    let end = begin + segment.packetEnd - segment.tcpOffset;
    const isIpv6 = segment.ipVersion === 6;
    if (segment.moreFragments && end % UNIT_LENGTH !== 0) {
      // Linux cuts it in IPv4, and refuses it in IPv6.
      if (isIpv6) return undefined;
      end -= end % UNIT_LENGTH;
    }
    // In IPv6 the first one holds the whole header (RFC 8200 §4.5).
    if (end > IP_LENGTH_MAX || isIpv6 && begin === 0 && end < TCP_LENGTH) return undefined;
    const packet = this.#find(segment, place, timeNs);
    const isFitting = fitLength(packet, end, segment.moreFragments) && end > begin;
    const where = isFitting ? placeOf(packet, begin, end) : Place.NONE;
    if (where === Place.KNOWN) return undefined;
    if (where === Place.NONE || where === Place.NEW && packet.runs === RUN_COUNT_MAX) {
      packet.parts = 0;
      return undefined;
    }
    addRun(packet, begin, end, where === Place.NEXT);
    packet.parts++;
    packet.lastNs = Math.max(packet.lastNs, timeNs);
    keep(packet, view, segment, end - begin);
    if (!packet.isEndKnown || packet.received !== packet.length) return undefined;
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
    oldest.parts =
      oldest.runs =
      oldest.last =
      oldest.received =
      oldest.length =
        0;
    oldest.isEndKnown = false;
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

/** Where a fragment belongs among those that came. */
const Place = {
  /** It continues the run that reaches furthest. */
  NEXT: 0,
  /** It begins a run. */
  NEW: 1,
  /** It lies within a run. */
  KNOWN: 2,
  /** It overlaps one otherwise. */
  NONE: 3,
} as const;

function placeOf({ runs, begins, ends, last }: Packet, begin: number, end: number): number {
  if (runs === 0) return Place.NEW;
  if (end > ends[last]) {
    return begin === ends[last] ? Place.NEXT : begin > ends[last] ? Place.NEW : Place.NONE;
  }
  for (let run = 0; run < runs; run++) {
    if (end <= begins[run] || begin >= ends[run]) continue;
    return begin >= begins[run] && end <= ends[run] ? Place.KNOWN : Place.NONE;
  }
  return Place.NEW;
}

/** Takes what a fragment says of the packet's length. @returns Whether that contradicts nothing. */
function fitLength(packet: Packet, end: number, moreFragments: boolean): boolean {
  if (moreFragments) {
    if (packet.isEndKnown && end > packet.length) return false;
    packet.length = Math.max(packet.length, end);
    return true;
  }
  if (end < packet.length || packet.isEndKnown && end !== packet.length) return false;
  packet.isEndKnown = true;
  packet.length = end;
  return true;
}

function addRun(packet: Packet, begin: number, end: number, isNext: boolean): void {
  packet.received += end - begin;
  if (isNext) {
    packet.ends[packet.last] = end;
    return;
  }
  const run = packet.runs++;
  packet.begins[run] = begin;
  packet.ends[run] = end;
  if (end > packet.ends[packet.last]) packet.last = run;
}

/** Keeps what a fragment has of the first bytes. @param length Bytes of its data. */
function keep(packet: Packet, view: DataView, segment: Segment, length: number): void {
  const { ipOffset, tcpOffset, readableEnd, fragmentOffset } = segment;
  const to = packet.bytes;
  if (fragmentOffset === 0) {
    packet.headerLength = segment.ipVersion === 4 ? tcpOffset - ipOffset : IPV6_LENGTH;
    for (let at = 0; at < packet.headerLength; at++) to.setUint8(at, view.getUint8(ipOffset + at));
  }
  const wanted = Math.min(length, DATA_LENGTH_MAX - fragmentOffset);
  if (wanted <= 0) return;
  const there = Math.min(wanted, readableEnd - tcpOffset);
  if (there < wanted) packet.isCut = true;
  for (let at = 0; at < there; at++) {
    to.setUint8(HEADER_LENGTH_MAX + fragmentOffset + at, view.getUint8(tcpOffset + at));
  }
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
