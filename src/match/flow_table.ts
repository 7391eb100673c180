import type { KernelAccept, KernelEnd, KernelReset } from "../kernel/kernel_record.ts";
import { sequenceDistance } from "../wire/sequence.ts";
import { Columns } from "./columns.ts";
import type { Drops } from "./drops.ts";
import { Mark, WireFact } from "./facts.ts";
import { FlowIndex, INDEX_ROW_BYTES } from "./flow_index.ts";
import type { FlowKey } from "./flow_key.ts";
import type { IcmpAnswer } from "./handshake.ts";

/** Where a handshake stands; each has a list of its rows, the longest untouched first. */
export const FlowState = {
  /** A SYN was seen and no answer. */
  SynSent: 0,
  /** A SYN-ACK was seen and no ACK. */
  Answered: 1,
  /** Its end is known; it waits for what other sources say of it. */
  Settled: 2,
  /** It was reported; kept so that a straggler does not make a second record. */
  Reported: 3,
  /** Packets tell its end, which later ones, or the kernel, may tell otherwise. */
  Doubted: 4,
} as const;

/** One of {@link FlowState}. */
export type FlowState = typeof FlowState[keyof typeof FlowState];

/** Whether the times of a row's packets cannot be subtracted; the last: the clock was set after them. */
export const Mistimed = { No: 0, Yes: 1, IfMoreComes: 2 } as const;

const NONE = -1;
const STATES = 5;
/** Two lists each: of the handshakes whose packets are sent again by another host, by this. */
const LISTS = STATES * 2;
/** Places that are kept of a handshake; it may pass more. */
const PLACES_MAX = 8;
/** Bytes of a row in the columns of this table; with too few none can be made. */
const ROW_BYTES = 285;

/**
 * The handshakes under way, one row each in columns of fixed size: no allocation for a packet, and
 * memory stays flat whatever comes. Rows are found by their tuple; several attempts
 * on one tuple differ in their client's initial sequence number, the newest is found first.
 */
export class FlowTable extends FlowIndex {
  /**
   * Whether the packets of a handshake that begins now hold the data that its server sends before the
   * third ACK. A socket filter that passes handshakes alone does not show it.
   */
  seesServerData = true;

  // What the wire said. Times in nanoseconds on the axis.
  readonly facts: Uint32Array;
  /**
   * Of the first SYN-ACK, once the ACK came of the one that it acknowledges; before them that of a SYN
   * which the server sent too.
   */
  readonly serverIsn: Uint32Array;
  /** Of the last SYN-ACK that had another one. */
  readonly otherServerIsn: Uint32Array;
  /** Octets that the server was seen to send from the one number on and from the other, SYN included. */
  readonly serverSent: Uint32Array;
  readonly otherSent: Uint32Array;
  /** See {@link Mark}. */
  readonly marks: Uint16Array;
  /** Of an ACK that is held: its Ack, its TSecr, its time. */
  readonly heldAck: Uint32Array;
  readonly heldEcho: Uint32Array;
  readonly heldNs: Float64Array;
  /** What tells copies of the last SYN and SYN-ACK that were counted, and when those came. */
  readonly synMark: Int32Array;
  readonly synMarkNs: Float64Array;
  readonly synAckMark: Int32Array;
  readonly synAckMarkNs: Float64Array;
  readonly firstSynNs: Float64Array;
  /** Last SYN before the first SYN-ACK: a later one cannot be what was answered. */
  readonly lastSynNs: Float64Array;
  /** Last SYN before that at another place than the first's, and where: it is answered there sooner. */
  readonly synElsewhereNs: Float64Array;
  readonly synElsewherePlace: Uint32Array;
  readonly firstSynAckNs: Float64Array;
  readonly lastSynAckNs: Float64Array;
  /** Last SYN-ACK with the other sequence number. */
  readonly otherSynAckNs: Float64Array;
  /** The one SYN-ACK that carried the number that the ACK acknowledges; NaN where several did. */
  readonly acknowledgedNs: Float64Array;
  readonly ackNs: Float64Array;
  /**
   * Of an ACK that is held, or astray (see {@link Mark}): what tells its copies, where it counts, and when it passed
   * one more place. Any other counts where the SYN-ACK does.
   */
  readonly ackMark: Int32Array;
  readonly ackPlace: Uint32Array;
  readonly ackElsewhereNs: Float64Array;
  readonly ackElsewherePlace: Uint32Array;
  /** When a RST refused it: the one on the wire, before that the kernel's word; Infinity: none did. */
  readonly refusedNs: Float64Array;
  readonly syns: Uint32Array;
  /** SYNs before the first SYN-ACK. */
  readonly synsBeforeAnswer: Uint32Array;
  readonly synAcks: Uint32Array;
  /** SYN-ACKs before the ACK. */
  readonly synAcksBeforeAck: Uint32Array;
  readonly resets: Uint32Array;
  readonly synPayloadLength: Uint32Array;
  /** TSval of the last SYN (before the answer) and SYN-ACK; TSecr of SYN-ACK and ACK. */
  readonly lastSynTimestamp: Uint32Array;
  readonly lastSynAckTimestamp: Uint32Array;
  readonly synAckEcho: Uint32Array;
  readonly ackEcho: Uint32Array;
  /** Announced in SYN and SYN-ACK; -1 where the option is absent. */
  readonly clientMss: Int32Array;
  readonly serverMss: Int32Array;
  readonly clientWindowScale: Int16Array;
  readonly serverWindowScale: Int16Array;
  readonly clientWindow: Uint16Array;
  readonly serverWindow: Uint16Array;
  /** Interface that counts for each of the two packets' times, 0 where unknown. */
  readonly synPlace: Uint32Array;
  readonly synAckPlace: Uint32Array;
  /** Of the first SYN, else of the first SYN-ACK, as `Segment` has them. */
  readonly vlan: Int16Array;
  readonly tunnels: Uint32Array;

  /** Of the places where a SYN or SYN-ACK was seen how many are kept; {@link placesOf} gives them. */
  readonly placeCount: Uint8Array;
  readonly #places: Uint32Array;
  /** 1 where the first packet that was seen went by the second tuple: the kernel told of the first. */
  readonly packetsUseSecond: Uint8Array;

  /** Whether its times can be subtracted, see {@link Mistimed}. */
  readonly mistimed: Uint8Array;

  // What the kernel said: of each side, of accept(), of dropped packets, of a RST that it sent. As long
  // as the highest row in use, which are handed out from 0 on: a capture file needs none of them.
  readonly clientKernel: (KernelEnd | undefined)[] = [];
  readonly serverKernel: (KernelEnd | undefined)[] = [];
  readonly accept: (KernelAccept | undefined)[] = [];
  readonly drops: (Drops | undefined)[] = [];
  readonly reset: (KernelReset | undefined)[] = [];
  /** The first ICMP error that quotes the SYN, kept as those are, and when it came. */
  readonly icmp: (IcmpAnswer | undefined)[] = [];
  readonly icmpNs: Float64Array;

  /** When the row last changed its list or was touched in it, nanoseconds on the axis. */
  readonly touchedNs: Float64Array;
  readonly state: Uint8Array;

  readonly #previous: Int32Array;
  readonly #next: Int32Array;
  readonly #list: Uint8Array;
  readonly #oldest = new Int32Array(LISTS).fill(NONE);
  readonly #newest = new Int32Array(LISTS).fill(NONE);
  readonly #counts = new Uint32Array(LISTS);
  /** Rows that were in use and are free again, and the first that never was in use. */
  readonly #free: Int32Array;
  #freeCount = 0;
  #unused = 0;

  /** Makes an empty table. @param capacity Rows, at least 1. */
  constructor(capacity: number) {
    const columns = new Columns(capacity, INDEX_ROW_BYTES + ROW_BYTES);
    super(capacity, columns);
    this.facts = columns.take(Uint32Array, capacity);
    this.serverIsn = columns.take(Uint32Array, capacity);
    this.otherServerIsn = columns.take(Uint32Array, capacity);
    this.serverSent = columns.take(Uint32Array, capacity);
    this.otherSent = columns.take(Uint32Array, capacity);
    this.marks = columns.take(Uint16Array, capacity);
    this.heldAck = columns.take(Uint32Array, capacity);
    this.heldEcho = columns.take(Uint32Array, capacity);
    this.heldNs = columns.take(Float64Array, capacity);
    this.synMark = columns.take(Int32Array, capacity);
    this.synMarkNs = columns.take(Float64Array, capacity);
    this.synAckMark = columns.take(Int32Array, capacity);
    this.synAckMarkNs = columns.take(Float64Array, capacity);
    this.firstSynNs = columns.take(Float64Array, capacity);
    this.lastSynNs = columns.take(Float64Array, capacity);
    this.synElsewhereNs = columns.take(Float64Array, capacity);
    this.firstSynAckNs = columns.take(Float64Array, capacity);
    this.lastSynAckNs = columns.take(Float64Array, capacity);
    this.otherSynAckNs = columns.take(Float64Array, capacity);
    this.acknowledgedNs = columns.take(Float64Array, capacity);
    this.ackNs = columns.take(Float64Array, capacity);
    this.ackElsewhereNs = columns.take(Float64Array, capacity);
    this.refusedNs = columns.take(Float64Array, capacity);
    this.syns = columns.take(Uint32Array, capacity);
    this.synsBeforeAnswer = columns.take(Uint32Array, capacity);
    this.synAcks = columns.take(Uint32Array, capacity);
    this.synAcksBeforeAck = columns.take(Uint32Array, capacity);
    this.resets = columns.take(Uint32Array, capacity);
    this.synPayloadLength = columns.take(Uint32Array, capacity);
    this.lastSynTimestamp = columns.take(Uint32Array, capacity);
    this.lastSynAckTimestamp = columns.take(Uint32Array, capacity);
    this.synAckEcho = columns.take(Uint32Array, capacity);
    this.ackEcho = columns.take(Uint32Array, capacity);
    this.clientMss = columns.take(Int32Array, capacity);
    this.serverMss = columns.take(Int32Array, capacity);
    this.clientWindowScale = columns.take(Int16Array, capacity);
    this.serverWindowScale = columns.take(Int16Array, capacity);
    this.clientWindow = columns.take(Uint16Array, capacity);
    this.serverWindow = columns.take(Uint16Array, capacity);
    this.synPlace = columns.take(Uint32Array, capacity);
    this.synElsewherePlace = columns.take(Uint32Array, capacity);
    this.synAckPlace = columns.take(Uint32Array, capacity);
    this.ackMark = columns.take(Int32Array, capacity);
    this.ackPlace = columns.take(Uint32Array, capacity);
    this.ackElsewherePlace = columns.take(Uint32Array, capacity);
    this.placeCount = columns.take(Uint8Array, capacity);
    this.#places = columns.take(Uint32Array, capacity * PLACES_MAX);
    this.packetsUseSecond = columns.take(Uint8Array, capacity);
    this.vlan = columns.take(Int16Array, capacity);
    this.tunnels = columns.take(Uint32Array, capacity);
    this.icmpNs = columns.take(Float64Array, capacity);
    this.mistimed = columns.take(Uint8Array, capacity);
    this.touchedNs = columns.take(Float64Array, capacity);
    this.state = columns.take(Uint8Array, capacity);
    this.#list = columns.take(Uint8Array, capacity);
    this.#previous = columns.take(Int32Array, capacity);
    this.#next = columns.take(Int32Array, capacity);
    this.#free = columns.take(Int32Array, capacity);
  }

  /** Whether no row is free. */
  get full(): boolean {
    return this.#freeCount === 0 && this.#unused === this.capacity;
  }

  /** The row that was touched next after a row, of the same state and end; -1 where there is none. */
  newer(row: number): number {
    return this.#next[row];
  }

  /** Rows in a state. */
  count(state: FlowState): number {
    return this.#counts[state] + this.#counts[state + STATES];
  }

  /**
   * The row of a state that was left untouched longest, -1 where there is none.
   * @param isOwn Of those whose packets this host sends again, or of the others; undefined: of all.
   */
  oldest(state: FlowState, isOwn?: boolean): number {
    const others = this.#oldest[state];
    const own = this.#oldest[state + STATES];
    if (isOwn !== undefined) return isOwn ? own : others;
    if (own === NONE || others === NONE) return own === NONE ? others : own;
    return this.touchedNs[own] < this.touchedNs[others] ? own : others;
  }

  /**
   * Takes a free row for a new handshake and puts it in a state's list. The caller makes room first.
   * @param isOwn Whether it is this host that sends again what it waits for an answer to.
   * @returns The row, all its facts cleared.
   */
  insert(key: FlowKey, clientIsn: number, state: FlowState, nowNs: number, isOwn = false): number {
    const row = this.#freeCount > 0 ? this.#free[--this.#freeCount] : this.#unused++;
    this.addRow(row, key, clientIsn);
    this.facts[row] = 0;
    this.marks[row] = this.seesServerData ? 0 : Mark.DataHidden;
    this.syns[row] =
      this.synsBeforeAnswer[row] =
      this.synAcks[row] =
      this.resets[row] =
        0;
    this.synPlace[row] = this.synElsewherePlace[row] = this.synAckPlace[row] = 0;
    this.vlan[row] = -1;
    this.tunnels[row] = 0;
    this.refusedNs[row] = Infinity;
    this.placeCount[row] = this.packetsUseSecond[row] = 0;
    this.forgetAnswers(row);
    this.#append(row, state, nowNs, isOwn);
    return row;
  }

  /** Takes a SYN at another place than the first's. */
  passElsewhere(row: number, timeNs: number, place: number): void {
    if (this.has(row, WireFact.SynAck)) return;
    this.synElsewhereNs[row] = timeNs;
    this.synElsewherePlace[row] = place;
  }

  /** Takes one more SYN before the answer: it becomes the last. */
  repeatSyn(row: number, timeNs: number, timestamp: number): void {
    // A clock goes forward: a timestamp that is not after all before it may be that of any of them.
    const isAfter = sequenceDistance(this.lastSynTimestamp[row], timestamp) > 0;
    this.#setFact(row, WireFact.LastSynTimestampShared, !isAfter);
    this.synsBeforeAnswer[row]++;
    this.lastSynNs[row] = timeNs;
    if (isAfter) this.lastSynTimestamp[row] = timestamp;
  }

  /**
   * Takes one more SYN-ACK before the ACK: it becomes the last. One with another number is of a server
   * that forgot the first, or makes SYN cookies: the ACK tells which one counts.
   *
   * @param length Sequence numbers that it takes behind its SYN: data, FIN.
   */
  repeatSynAck(
    row: number,
    timeNs: number,
    serverIsn: number,
    timestamp: number,
    length: number,
  ): void {
    const isAfter = sequenceDistance(this.lastSynAckTimestamp[row], timestamp) > 0;
    this.#setFact(row, WireFact.LastSynAckTimestampShared, !isAfter);
    const sent = 1 + length;
    if (serverIsn === this.serverIsn[row]) {
      this.facts[row] |= WireFact.ServerIsnRepeated;
      if (sent > this.serverSent[row]) this.serverSent[row] = sent;
    } else {
      // Of a third number and on it is not known which of those not kept came again.
      const hasOther = this.has(row, WireFact.OtherServerIsn);
      const isKnown = hasOther && serverIsn === this.otherServerIsn[row];
      this.otherSent[row] = isKnown ? Math.max(sent, this.otherSent[row]) : sent;
      this.facts[row] |= WireFact.OtherServerIsn | (hasOther ? WireFact.OtherServerIsnRepeated : 0);
      this.otherServerIsn[row] = serverIsn;
    }
    this.synAcksBeforeAck[row]++;
    this.placeSynAck(row, timeNs, serverIsn);
    if (isAfter) this.lastSynAckTimestamp[row] = timestamp;
  }

  /** Takes when the last SYN-ACK passed the place that counts, be it where the SYN was seen first. */
  placeSynAck(row: number, timeNs: number, serverIsn: number, isAtSyn = false): void {
    this.lastSynAckNs[row] = timeNs;
    const isOther = serverIsn !== this.serverIsn[row];
    if (isOther) this.otherSynAckNs[row] = timeNs;
    const marks = isOther ? Mark.LastAtSyn | Mark.OtherAtSyn : Mark.LastAtSyn;
    this.marks[row] = isAtSyn ? this.marks[row] | marks : this.marks[row] & ~marks;
    this.#setFact(row, WireFact.LastIsOtherServerIsn, isOther);
  }

  /** Sequence number of the last SYN-ACK. */
  lastServerIsn(row: number): number {
    const isOther = this.has(row, WireFact.LastIsOtherServerIsn);
    return isOther ? this.otherServerIsn[row] : this.serverIsn[row];
  }

  /** Takes which of the server's numbers the ACK acknowledges: the first, or the other one. */
  acknowledge(row: number, isOther: boolean): void {
    const facts = this.facts[row];
    const lastIsOther = (facts & WireFact.LastIsOtherServerIsn) !== 0;
    const repeated = isOther ? WireFact.OtherServerIsnRepeated : WireFact.ServerIsnRepeated;
    const onlyNs = isOther ? this.otherSynAckNs[row] : this.firstSynAckNs[row];
    this.acknowledgedNs[row] = (facts & repeated) !== 0 ? NaN : onlyNs;
    // The last one carried another number than is acknowledged: an echo of it proves nothing.
    if (isOther !== lastIsOther) this.facts[row] |= WireFact.LastSynAckTimestampShared;
    if (!isOther) return;
    this.serverIsn[row] = this.otherServerIsn[row];
    this.serverSent[row] = this.otherSent[row];
  }

  /** Whether the wire said any of some things of a row, see {@link WireFact}. */
  has(row: number, facts: number): boolean {
    return (this.facts[row] & facts) !== 0;
  }

  /** Whether the wire said all of some things of a row. */
  hasAll(row: number, facts: number): boolean {
    return (this.facts[row] & facts) === facts;
  }

  /** Whether a row has any of some marks, see {@link Mark}. */
  isMarked(row: number, marks: number): boolean {
    return (this.marks[row] & marks) !== 0;
  }

  #setFact(row: number, fact: number, isSo: boolean): void {
    this.facts[row] = isSo ? this.facts[row] | fact : this.facts[row] & ~fact;
  }

  /**
   * Takes the tuple of a SYN or SYN-ACK and the place where it was seen; 0, the unknown one, is not
   * kept. The first of a handshake that the kernel knows by two tuples tells which is the packets'.
   */
  recordPlace(row: number, key: FlowKey, place: number): void {
    if (this.facts[row] === 0 && this.isTranslated(row)) {
      this.packetsUseSecond[row] = this.hasFirstTuple(row, key) ? 0 : 1;
    }
    this.#addPlace(row, place);
  }

  #addPlace(row: number, place: number): void {
    const count = this.placeCount[row];
    if (place === 0 || count === PLACES_MAX || this.hasPlace(row, place)) return;
    this.#places[row * PLACES_MAX + count] = place;
    this.placeCount[row]++;
  }

  /** Takes the places of another row of the same handshake. */
  takePlaces(row: number, other: number): void {
    const from = other * PLACES_MAX;
    for (let at = from; at < from + this.placeCount[other]; at++) {
      this.#addPlace(row, this.#places[at]);
    }
  }

  /** Whether a place saw a SYN or SYN-ACK of both rows. */
  sharesPlace(row: number, other: number): boolean {
    const from = other * PLACES_MAX;
    for (let at = from; at < from + this.placeCount[other]; at++) {
      if (this.hasPlace(row, this.#places[at])) return true;
    }
    return false;
  }

  /** Whether a SYN or SYN-ACK was seen at a place. */
  hasPlace(row: number, place: number): boolean {
    const from = row * PLACES_MAX;
    for (let at = from; at < from + this.placeCount[row]; at++) {
      if (this.#places[at] === place) return true;
    }
    return false;
  }

  /** Puts the places of a row into an array, in the order in which they were seen first. */
  placesOf(row: number, into: number[]): void {
    // To set the length would let go of the memory, which the first of them then allocates again.
    while (into.length > 0) into.pop();
    for (let at = 0; at < this.placeCount[row]; at++) {
      into.push(this.#places[row * PLACES_MAX + at]);
    }
  }

  /** Where in the columns of tuples that one is by which the packets went; without packets the first. */
  tupleAt(row: number): number {
    return this.packetsUseSecond[row] === 0 ? row : row + this.capacity;
  }

  /** Where the other tuple is, -1 where there is none. */
  otherTupleAt(row: number): number {
    if (!this.isTranslated(row)) return NONE;
    return this.packetsUseSecond[row] === 0 ? row + this.capacity : row;
  }

  /** Moves a row to the end of a state's list: the one it is in, too. */
  move(row: number, state: FlowState, nowNs: number, isOwn = false): void {
    this.#unlink(row);
    this.#append(row, state, nowNs, isOwn);
  }

  /** Moves the time of every row's last touch, and marks the rows as mistimed. */
  shiftTimes(ns: number): void {
    for (let row = 0; row < this.capacity; row++) this.touchedNs[row] += ns;
    this.mistimed.fill(1);
  }

  /** Frees a row. */
  remove(row: number): void {
    this.#unlink(row);
    this.removeRow(row);
    this.forgetAnswers(row);
    this.#free[this.#freeCount++] = row;
  }

  /** Lets go of what the kernel and ICMP said of a row: the objects would else live as long as it. */
  forgetAnswers(row: number): void {
    this.clientKernel[row] = this.serverKernel[row] = undefined;
    this.accept[row] = undefined;
    this.drops[row] = undefined;
    this.reset[row] = undefined;
    this.icmp[row] = undefined;
  }

  #append(row: number, state: FlowState, nowNs: number, isOwn: boolean): void {
    const list = isOwn ? state + STATES : state;
    const newest = this.#newest[list];
    this.#previous[row] = newest;
    this.#next[row] = NONE;
    if (newest === NONE) this.#oldest[list] = row;
    else this.#next[newest] = row;
    this.#newest[list] = row;
    this.#counts[list]++;
    this.#list[row] = list;
    this.state[row] = state;
    this.touchedNs[row] = nowNs;
  }

  #unlink(row: number): void {
    const list = this.#list[row];
    const previous = this.#previous[row];
    const next = this.#next[row];
    if (previous === NONE) this.#oldest[list] = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#newest[list] = previous;
    else this.#previous[next] = previous;
    this.#counts[list]--;
  }
}
