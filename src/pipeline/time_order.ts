/**
 * Puts packets of a capture file into the order of their times.
 *
 * @module
 */
import type { KeptPacket } from "../pcap/kept_packets.ts";
import { ORDERED_NS } from "../pcap/packet_clock.ts";
import type { IcmpError } from "../wire/icmp.ts";
import { Segment } from "../wire/segment.ts";

/** Packets held at most. */
const HELD_MAX = 1_024;

/** A packet that may be of a handshake, decoded. One object is filled anew again and again. */
export class HeldPacket {
  /** Its segment. */
  readonly segment: Segment = new Segment();
  /** The ICMP error that it is in place of a segment. */
  icmpError: IcmpError | undefined;
  /** When it was captured, nanoseconds on the axis; -0 for what `CapturedPacket.timeNs` says. */
  timeNs = -0;
  /** Where it was captured. */
  place = 0;
  /** Whether its time is none that durations may be taken from. */
  isMistimed = false;
  /** See `CaptureInterface.hidesData`. */
  hidesData = false;
  /** Whether a handshake begins with it, in a file that synsnoop wrote. */
  isFirst = false;
  /** Whether what stands before it in that file is no part of its handshake. */
  isApart = false;
  /** Whether the end of the trace cut that handshake off. */
  isCutOff = false;
  /** Its bytes, where they are kept: a copy. */
  kept: KeptPacket | undefined;
}

/**
 * Holds packets until none that was captured before them is to come: kernels stamp what comes by several
 * queues and processors before they write it, each as it gets on. What comes in order costs two
 * comparisons. Memory is bounded; a packet that comes later than what was handed on is counted.
 */
export class TimeOrder {
  /** Packets that came too late though not by more than {@linkcode ORDERED_NS}. */
  late = 0;
  readonly #take: (held: HeldPacket) => void;
  /** A ring: those held are from `#first` on, the rest is to be filled. */
  readonly #ring: HeldPacket[] = [new HeldPacket()];
  #first = 0;
  #count = 0;
  /** Time of what was handed on last. */
  #handedOnNs = -Infinity;

  /** Holds nothing yet. @param take Is handed each packet, in the order of times; nothing of it may be kept. */
  constructor(take: (held: HeldPacket) => void) {
    this.#take = take;
  }

  /** What is to be filled before {@linkcode put}. */
  get next(): HeldPacket {
    return this.#ring[this.#at(this.#count)];
  }

  /**
   * Takes the packet that `next` was filled with. Of several with one time the first stays the first.
   *
   * @param newestNs The newest time of the capture.
   * @param boundNs How far behind that another one may come that was captured before this one.
   */
  put(newestNs: number, boundNs: number): void {
    const ring = this.#ring;
    const put = this.next;
    const { timeNs } = put;
    if (newestNs - timeNs > ORDERED_NS) this.#keepOrder(put.place);
    this.#count++;
    if (timeNs < this.#handedOnNs && newestNs - timeNs <= ORDERED_NS) this.late++;
    for (let place = this.#count - 1; place > 0; place--) {
      const before = ring[this.#at(place - 1)];
      if (before.timeNs <= timeNs) break;
      ring[this.#at(place)] = before;
      ring[this.#at(place - 1)] = put;
    }
    this.handOn(newestNs - boundNs);
    if (this.#count === ring.length) this.#makeRoom();
  }

  /**
   * Hands on what is held before what comes far too late from the same place: its clock was set back, and the
   * order in the file is that of what happened.
   */
  #keepOrder(place: number): void {
    if (this.#count > 0 && this.#ring[this.#at(this.#count - 1)].place === place) this.handOnAll();
  }

  /** Hands on all up to a time. */
  handOn(untilNs: number): void {
    while (this.#count > 0 && this.#ring[this.#first].timeNs <= untilNs) this.#handOnFirst();
  }

  /** Hands on all: what comes now is of another order. */
  handOnAll(): void {
    while (this.#count > 0) this.#handOnFirst();
    this.#handedOnNs = -Infinity;
  }

  #handOnFirst(): void {
    const held = this.#ring[this.#first];
    this.#first = this.#at(1);
    this.#count--;
    this.#handedOnNs = Math.max(this.#handedOnNs, held.timeNs);
    this.#take(held);
    held.kept = undefined;
  }

  /** One is always there to be filled. */
  #makeRoom(): void {
    const { length } = this.#ring;
    if (length === HELD_MAX) return this.#handOnFirst();
    const held = Array.from({ length }, (_, place) => this.#ring[this.#at(place)]);
    const room = Array.from({ length }, () => new HeldPacket());
    this.#ring.splice(0, length, ...held, ...room);
    this.#first = 0;
  }

  /** Where in the ring a place is, counted from the first. */
  #at(place: number): number {
    return this.#first + place & this.#ring.length - 1;
  }
}
