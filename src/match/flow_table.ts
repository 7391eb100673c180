import type { KernelAccept, KernelHalf, KernelReset } from "../kernel/kernel_record.ts";
import type { Drops } from "./drops.ts";

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
} as const;

/** One of {@link FlowState}. */
export type FlowState = typeof FlowState[keyof typeof FlowState];

/** What the wire said of a handshake, one bit each, in {@link FlowTable.facts}. */
export const WireFact = {
  Syn: 1 << 0,
  SynAck: 1 << 1,
  /** The third packet, its numbers fitting. */
  Ack: 1 << 2,
  ServerReset: 1 << 3,
  ClientReset: 1 << 4,
  /** A packet came whose number did not fit: SYN-ACK's Ack; third packet's Seq; third packet's Ack. */
  WrongSynAckAck: 1 << 5,
  WrongAckSequence: 1 << 6,
  WrongAckAck: 1 << 7,
  /** The packet carried the timestamps option (RFC 7323). */
  SynTimestamps: 1 << 8,
  SynAckTimestamps: 1 << 9,
  AckTimestamps: 1 << 10,
  SynSackPermitted: 1 << 11,
  SynAckSackPermitted: 1 << 12,
  /** TCP Fast Open option or data in the SYN (RFC 7413). */
  FastOpen: 1 << 13,
  Mptcp: 1 << 14,
  /** ECN or AccECN asked for by the SYN, agreed to by the SYN-ACK. */
  SynEcn: 1 << 15,
  SynAccEcn: 1 << 16,
  SynAckEcn: 1 << 17,
  SynAckAccEcn: 1 << 18,
  /** The SYN or SYN-ACK before the last carried the same timestamp: its echo tells nothing. */
  LastSynTimestampShared: 1 << 19,
  LastSynAckTimestampShared: 1 << 20,
  /** A SYN-ACK came with another sequence number than the first one's. */
  OtherServerIsn: 1 << 21,
  /** More than one SYN-ACK carried the first one's sequence number; the other one. */
  ServerIsnRepeated: 1 << 22,
  OtherServerIsnRepeated: 1 << 23,
  /** Not all of its options were seen: one that is missing may have been there. */
  SynOptionsCut: 1 << 24,
  SynAckOptionsCut: 1 << 25,
  /** The server sent a SYN too (RFC 9293 section 3.5), and the client a SYN-ACK in answer to it. */
  SimultaneousSyn: 1 << 26,
  SimultaneousSynAck: 1 << 27,
} as const;

const NONE = -1;
const STATES = 4;

/**
 * The handshakes under way, one row each in columns of fixed size: no allocation after the
 * constructor, so memory stays flat whatever comes. Rows are found by their tuple; several attempts
 * on one tuple differ in their client's initial sequence number, the newest is found first.
 */
export class FlowTable {
  readonly capacity: number;

  // Identity: addresses as four words each, ports as client << 16 | server.
  readonly clientAddress: Uint32Array;
  readonly serverAddress: Uint32Array;
  readonly ports: Uint32Array;
  readonly clientIsn: Uint32Array;

  // What the wire said. Times in nanoseconds on the axis.
  readonly facts: Uint32Array;
  /**
   * Of the first SYN-ACK, once the ACK came of the one that it acknowledges; before them that of a SYN
   * which the server sent too.
   */
  readonly serverIsn: Uint32Array;
  /** Of the last SYN-ACK that had another one. */
  readonly otherServerIsn: Uint32Array;
  readonly firstSynNs: Float64Array;
  /** Last SYN before the first SYN-ACK: a later one cannot be what was answered. */
  readonly lastSynNs: Float64Array;
  readonly firstSynAckNs: Float64Array;
  readonly lastSynAckNs: Float64Array;
  /** Last SYN-ACK with the other sequence number. */
  readonly otherSynAckNs: Float64Array;
  /** The one SYN-ACK that carried the number that the ACK acknowledges; NaN where several did. */
  readonly acknowledgedNs: Float64Array;
  readonly ackNs: Float64Array;
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
  readonly synInterface: Uint32Array;
  readonly synAckInterface: Uint32Array;

  /** 1 where the clock was set while the handshake was under way. */
  readonly mistimed: Uint8Array;

  // What the kernel said: of each side, of accept(), of dropped packets, of a RST that it sent.
  readonly clientHalf: (KernelHalf | undefined)[];
  readonly serverHalf: (KernelHalf | undefined)[];
  readonly accept: (KernelAccept | undefined)[];
  readonly drops: (Drops | undefined)[];
  readonly reset: (KernelReset | undefined)[];

  /** When the row last changed its list or was touched in it, nanoseconds on the axis. */
  readonly touchedNs: Float64Array;
  readonly state: Uint8Array;

  /** Of each table its own, so that nobody outside can choose tuples that meet in one bucket. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32);
  readonly #hash: Uint32Array;
  readonly #buckets: Int32Array;
  readonly #nextInBucket: Int32Array;
  readonly #previous: Int32Array;
  readonly #next: Int32Array;
  readonly #oldest = new Int32Array(STATES).fill(NONE);
  readonly #newest = new Int32Array(STATES).fill(NONE);
  readonly #counts = new Uint32Array(STATES);
  readonly #free: Int32Array;
  #freeCount: number;

  /** Makes an empty table. @param capacity Rows, at least 1. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.clientAddress = new Uint32Array(capacity * 4);
    this.serverAddress = new Uint32Array(capacity * 4);
    this.ports = new Uint32Array(capacity);
    this.clientIsn = new Uint32Array(capacity);
    this.facts = new Uint32Array(capacity);
    this.serverIsn = new Uint32Array(capacity);
    this.otherServerIsn = new Uint32Array(capacity);
    this.firstSynNs = new Float64Array(capacity);
    this.lastSynNs = new Float64Array(capacity);
    this.firstSynAckNs = new Float64Array(capacity);
    this.lastSynAckNs = new Float64Array(capacity);
    this.otherSynAckNs = new Float64Array(capacity);
    this.acknowledgedNs = new Float64Array(capacity);
    this.ackNs = new Float64Array(capacity);
    this.refusedNs = new Float64Array(capacity);
    this.syns = new Uint32Array(capacity);
    this.synsBeforeAnswer = new Uint32Array(capacity);
    this.synAcks = new Uint32Array(capacity);
    this.synAcksBeforeAck = new Uint32Array(capacity);
    this.resets = new Uint32Array(capacity);
    this.synPayloadLength = new Uint32Array(capacity);
    this.lastSynTimestamp = new Uint32Array(capacity);
    this.lastSynAckTimestamp = new Uint32Array(capacity);
    this.synAckEcho = new Uint32Array(capacity);
    this.ackEcho = new Uint32Array(capacity);
    this.clientMss = new Int32Array(capacity);
    this.serverMss = new Int32Array(capacity);
    this.clientWindowScale = new Int16Array(capacity);
    this.serverWindowScale = new Int16Array(capacity);
    this.clientWindow = new Uint16Array(capacity);
    this.serverWindow = new Uint16Array(capacity);
    this.synInterface = new Uint32Array(capacity);
    this.synAckInterface = new Uint32Array(capacity);
    this.mistimed = new Uint8Array(capacity);
    this.clientHalf = new Array(capacity).fill(undefined);
    this.serverHalf = new Array(capacity).fill(undefined);
    this.accept = new Array(capacity).fill(undefined);
    this.drops = new Array(capacity).fill(undefined);
    this.reset = new Array(capacity).fill(undefined);
    this.touchedNs = new Float64Array(capacity);
    this.state = new Uint8Array(capacity);
    let buckets = 1;
    while (buckets < capacity) buckets *= 2;
    this.#buckets = new Int32Array(buckets).fill(NONE);
    this.#hash = new Uint32Array(capacity);
    this.#nextInBucket = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
    this.#next = new Int32Array(capacity);
    this.#free = new Int32Array(capacity);
    for (let row = 0; row < capacity; row++) this.#free[row] = capacity - 1 - row;
    this.#freeCount = capacity;
  }

  /** Whether no row is free. */
  get full(): boolean {
    return this.#freeCount === 0;
  }

  /** Rows in a state. */
  count(state: FlowState): number {
    return this.#counts[state];
  }

  /** The row of a state that was left untouched longest, -1 where there is none. */
  oldest(state: FlowState): number {
    return this.#oldest[state];
  }

  /**
   * The newest row of a tuple.
   *
   * @param client Client's address, four words. @param server Server's.
   * @param ports Client's port << 16 | server's port, unsigned.
   * @returns The row, -1 where there is none.
   */
  find(client: Uint32Array, server: Uint32Array, ports: number): number {
    const hash = hashTuple(this.#seed, client, server, ports);
    return this.#walk(
      this.#buckets[hash & (this.#buckets.length - 1)],
      hash,
      client,
      server,
      ports,
    );
  }

  /** The next older row of the same tuple as a row, -1 where there is none. */
  older(row: number, client: Uint32Array, server: Uint32Array, ports: number): number {
    return this.#walk(this.#nextInBucket[row], this.#hash[row], client, server, ports);
  }

  #walk(
    start: number,
    hash: number,
    client: Uint32Array,
    server: Uint32Array,
    ports: number,
  ): number {
    for (let row = start; row !== NONE; row = this.#nextInBucket[row]) {
      if (
        this.#hash[row] === hash && this.ports[row] === ports &&
        sameWords(this.clientAddress, row * 4, client) &&
        sameWords(this.serverAddress, row * 4, server)
      ) return row;
    }
    return NONE;
  }

  /**
   * Takes a free row for a new handshake and puts it in a state's list. The caller makes room first.
   *
   * @returns The row, all its facts cleared.
   */
  insert(
    client: Uint32Array,
    server: Uint32Array,
    ports: number,
    clientIsn: number,
    state: FlowState,
    nowNs: number,
  ): number {
    const row = this.#free[--this.#freeCount];
    const hash = hashTuple(this.#seed, client, server, ports);
    const bucket = hash & (this.#buckets.length - 1);
    this.#hash[row] = hash;
    this.#nextInBucket[row] = this.#buckets[bucket];
    this.#buckets[bucket] = row;
    this.clientAddress.set(client, row * 4);
    this.serverAddress.set(server, row * 4);
    this.ports[row] = ports;
    this.clientIsn[row] = clientIsn;
    this.facts[row] = 0;
    this.syns[row] =
      this.synsBeforeAnswer[row] =
      this.synAcks[row] =
      this.resets[row] =
        0;
    this.synInterface[row] = this.synAckInterface[row] = 0;
    this.refusedNs[row] = Infinity;
    this.#append(row, state, nowNs);
    return row;
  }

  /** Takes one more SYN before the answer: it becomes the last. */
  repeatSyn(row: number, timeNs: number, timestamp: number): void {
    this.#tell(row, WireFact.LastSynTimestampShared, timestamp === this.lastSynTimestamp[row]);
    this.synsBeforeAnswer[row]++;
    this.lastSynNs[row] = timeNs;
    this.lastSynTimestamp[row] = timestamp;
  }

  /**
   * Takes one more SYN-ACK before the ACK: it becomes the last. One with another number is of a server
   * that forgot the first, or makes SYN cookies: the ACK tells which one counts.
   */
  repeatSynAck(row: number, timeNs: number, serverIsn: number, timestamp: number): void {
    const isShared = timestamp === this.lastSynAckTimestamp[row];
    this.#tell(row, WireFact.LastSynAckTimestampShared, isShared);
    if (serverIsn === this.serverIsn[row]) {
      this.facts[row] |= WireFact.ServerIsnRepeated;
    } else {
      // Of a third number and on it is not known which of those not kept came again.
      const hasOther = (this.facts[row] & WireFact.OtherServerIsn) !== 0;
      this.facts[row] |= WireFact.OtherServerIsn | (hasOther ? WireFact.OtherServerIsnRepeated : 0);
      this.otherServerIsn[row] = serverIsn;
    }
    this.synAcksBeforeAck[row]++;
    this.placeSynAck(row, timeNs, serverIsn);
    this.lastSynAckTimestamp[row] = timestamp;
  }

  /** Takes when the last SYN-ACK passed the place that counts. */
  placeSynAck(row: number, timeNs: number, serverIsn: number): void {
    this.lastSynAckNs[row] = timeNs;
    if (serverIsn !== this.serverIsn[row]) this.otherSynAckNs[row] = timeNs;
  }

  /** Takes which of the server's numbers the ACK acknowledges: the first, or the other one. */
  acknowledge(row: number, isOther: boolean): void {
    const facts = this.facts[row];
    const repeated = isOther ? WireFact.OtherServerIsnRepeated : WireFact.ServerIsnRepeated;
    const onlyNs = isOther ? this.otherSynAckNs[row] : this.firstSynAckNs[row];
    this.acknowledgedNs[row] = (facts & repeated) !== 0 ? NaN : onlyNs;
    const lastIsOther = (facts & WireFact.OtherServerIsn) !== 0 &&
      this.otherSynAckNs[row] === this.lastSynAckNs[row];
    // The last one carried another number than is acknowledged: an echo of it proves nothing.
    if (isOther !== lastIsOther) this.facts[row] |= WireFact.LastSynAckTimestampShared;
    if (isOther) this.serverIsn[row] = this.otherServerIsn[row];
  }

  #tell(row: number, fact: number, isSo: boolean): void {
    this.facts[row] = isSo ? this.facts[row] | fact : this.facts[row] & ~fact;
  }

  /** Moves a row to the end of a state's list: the one it is in, too. */
  move(row: number, state: FlowState, nowNs: number): void {
    this.#unlink(row);
    this.#append(row, state, nowNs);
  }

  /** Moves the time of every row's last touch, and marks the rows as mistimed. */
  shiftTimes(ns: number): void {
    for (let row = 0; row < this.capacity; row++) this.touchedNs[row] += ns;
    this.mistimed.fill(1);
  }

  /** Frees a row. */
  remove(row: number): void {
    this.#unlink(row);
    const bucket = this.#hash[row] & (this.#buckets.length - 1);
    if (this.#buckets[bucket] === row) {
      this.#buckets[bucket] = this.#nextInBucket[row];
    } else {
      let before = this.#buckets[bucket];
      while (this.#nextInBucket[before] !== row) before = this.#nextInBucket[before];
      this.#nextInBucket[before] = this.#nextInBucket[row];
    }
    this.forgetKernel(row);
    this.#free[this.#freeCount++] = row;
  }

  /** Lets go of what the kernel said of a row, whose objects would otherwise live as long as it. */
  forgetKernel(row: number): void {
    this.clientHalf[row] = this.serverHalf[row] = undefined;
    this.accept[row] = undefined;
    this.drops[row] = undefined;
    this.reset[row] = undefined;
  }

  #append(row: number, state: FlowState, nowNs: number): void {
    const newest = this.#newest[state];
    this.#previous[row] = newest;
    this.#next[row] = NONE;
    if (newest === NONE) this.#oldest[state] = row;
    else this.#next[newest] = row;
    this.#newest[state] = row;
    this.#counts[state]++;
    this.state[row] = state;
    this.touchedNs[row] = nowNs;
  }

  #unlink(row: number): void {
    const state = this.state[row];
    const previous = this.#previous[row];
    const next = this.#next[row];
    if (previous === NONE) this.#oldest[state] = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#newest[state] = previous;
    else this.#previous[next] = previous;
    this.#counts[state]--;
  }
}

function sameWords(column: Uint32Array, at: number, words: Uint32Array): boolean {
  return column[at + 3] === words[3] && column[at + 2] === words[2] &&
    column[at + 1] === words[1] && column[at] === words[0];
}

/** Mixes a tuple into 32 bits (the multipliers and shifts are those of MurmurHash3 and xxHash). */
function hashTuple(
  seed: number,
  client: Uint32Array,
  server: Uint32Array,
  ports: number,
): number {
  let hash = Math.imul(ports ^ seed, 0x9e3779b1) ^ client[3];
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ server[3];
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) ^ client[0] ^ Math.imul(client[2], 0x27d4eb2f);
  hash = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f) ^ server[0] ^ Math.imul(server[2], 0x165667b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x165667b1) ^ client[1] ^ Math.imul(server[1], 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0x9e3779b1);
  return (hash ^ (hash >>> 16)) >>> 0;
}
