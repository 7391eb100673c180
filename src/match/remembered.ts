import { sequenceAdd } from "../wire/sequence.ts";
import { hashTuple } from "./flow_index.ts";
import { Mark, WireFact } from "./facts.ts";
import { areOfOneVlan, goesOnUntil } from "./find_attempt.ts";
import { FlowKey } from "./flow_key.ts";
import type { FlowTable } from "./flow_table.ts";

/** What became of a handshake that is remembered. */
export const Fate = {
  /** It was reported as established, or what it is told as does not matter to what comes later. */
  Reported: 1,
  /** It was reported as not established: that the kernel says otherwise later is counted. */
  Failed: 2,
  /** A RST refused it: its client may send the very SYN again, which begins another attempt. */
  Refused: 3,
} as const;

const NONE = -1;
/** Of one tuple and number: looking for one must not take longer and longer where somebody makes many. */
const LOOKED_AT_MAX = 64;

/** Words of an entry: 64 bytes, so that to look at one costs the processor one or two waits for memory. */
const ENTRY_WORDS = 16;
const HASH = 0;
/** The next one in the same bucket, {@link NONE} at the end. */
const NEXT = 1;
const ISN = 2;
const PORTS = 3;
const CLIENT = 4;
const SERVER = 8;
/** See {@link Fate}; 0 in entries that hold none. */
const FATE = 12;
/** As `Segment` has it. */
const VLAN = 13;
/** When it was reported, a number of two words. */
const REPORTED_NS = 14;

/**
 * Handshakes that were reported a while ago, so that what comes late makes no second record: of each its
 * tuple, its client's number, when it was reported and its fate. That is a fifth of what the table keeps of
 * one that is under way. The oldest is forgotten for the next.
 */
export class Remembered {
  readonly #capacity: number;
  readonly #words: Int32Array;
  /** The same memory. */
  readonly #numbers: Float64Array;
  /** Of each table its own, see `FlowIndex`. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32);
  readonly #mask: number;
  /** First words of entries as their complement: that of none is 0, which memory holds that nobody wrote to. */
  readonly #buckets: Int32Array;
  /** The tuple at hand. */
  readonly #key = new FlowKey(new Uint32Array(4), new Uint32Array(4));
  /** The entry that is filled next. */
  #next = 0;

  /** Makes an empty one. @param capacity Handshakes, at least 1. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#words = new Int32Array(capacity * ENTRY_WORDS);
    this.#numbers = new Float64Array(this.#words.buffer);
    let buckets = 1;
    while (buckets < capacity) buckets *= 2;
    this.#mask = buckets - 1;
    this.#buckets = new Int32Array(buckets);
  }

  /** Takes the handshake of a row of the table, which was reported. */
  take(table: FlowTable, row: number): void {
    this.#takeTuple(table, row, false);
    if (table.isTranslated(row)) this.#takeTuple(table, row, true);
  }

  #takeTuple(table: FlowTable, row: number, isSecond: boolean): void {
    table.copyKey(row, isSecond, this.#key);
    const isn = table.clientIsn[row];
    this.#add(isn, table, row);
    // A SYN-ACK acknowledges what its server took of the data in the SYN: nothing, or as a rule all.
    const data = table.has(row, WireFact.Syn) ? table.synPayloadLength[row] : 0;
    if (data > 0) this.#add(sequenceAdd(isn, data), table, row);
  }

  #add(clientIsn: number, table: FlowTable, row: number): void {
    const words = this.#words;
    const { client, server, ports } = this.#key;
    const at = this.#next * ENTRY_WORDS;
    this.#next = this.#next + 1 === this.#capacity ? 0 : this.#next + 1;
    this.#remove(at);
    const hash = this.#hashOf(this.#key, clientIsn);
    const bucket = hash & this.#mask;
    this.#removeSame(bucket, hash, clientIsn, table.vlan[row]);
    words[at + HASH] = hash;
    words[at + NEXT] = ~this.#buckets[bucket];
    this.#buckets[bucket] = ~at;
    words[at + ISN] = clientIsn;
    words[at + PORTS] = ports;
    for (let word = 0; word < 4; word++) {
      words[at + CLIENT + word] = client[word];
      words[at + SERVER + word] = server[word];
    }
    words[at + FATE] = fateOfRow(table, row);
    words[at + VLAN] = table.vlan[row];
    this.#numbers[(at + REPORTED_NS) / 2] = table.touchedNs[row];
  }

  /**
   * What became of the newest one of a tuple and number.
   *
   * @param sinceNs One that was reported before is forgotten. @param vlan Of what comes, see `isOfVlan`.
   * @returns One of {@link Fate}, 0 where none is remembered.
   */
  fateOf(key: FlowKey, clientIsn: number, sinceNs: number, vlan = -1): number {
    const at = this.#find(key, clientIsn, vlan);
    const isKnown = at !== NONE && this.#numbers[(at + REPORTED_NS) / 2] >= sinceNs;
    return isKnown ? this.#words[at + FATE] : 0;
  }

  /** Forgets those of a tuple and number: what comes now is of another one. */
  forget(key: FlowKey, clientIsn: number): void {
    for (let at = this.#find(key, clientIsn); at !== NONE; at = this.#find(key, clientIsn)) {
      this.#remove(at);
    }
  }

  /** Moves the times of all. */
  shiftTimes(ns: number): void {
    const numbers = this.#numbers;
    for (let at = REPORTED_NS / 2; at < numbers.length; at += ENTRY_WORDS / 2) numbers[at] += ns;
  }

  /** @returns The first word of the newest entry, {@link NONE} where there is none. */
  #find(key: FlowKey, clientIsn: number, vlan = -1): number {
    const words = this.#words;
    const hash = this.#hashOf(key, clientIsn);
    let looked = 0;
    let at = ~this.#buckets[hash & this.#mask];
    for (; at !== NONE && looked < LOOKED_AT_MAX; at = words[at + NEXT]) {
      if (words[at + HASH] !== hash || !this.#isOf(at, key, clientIsn)) continue;
      if (areOfOneVlan(words[at + VLAN], vlan)) return at;
      looked++;
    }
    return NONE;
  }

  /** Removes what is told anew of the tuple at hand: all of one SYN sent on and on would be one long chain. */
  #removeSame(bucket: number, hash: number, clientIsn: number, vlan: number): void {
    const words = this.#words;
    for (let at = ~this.#buckets[bucket]; at !== NONE; at = words[at + NEXT]) {
      const isSame = words[at + HASH] === hash && words[at + VLAN] === vlan &&
        this.#isOf(at, this.#key, clientIsn);
      if (isSame) return this.#remove(at);
    }
  }

  #isOf(at: number, { client, server, ports }: FlowKey, clientIsn: number): boolean {
    const words = this.#words;
    return words[at + ISN] === (clientIsn | 0) && words[at + PORTS] === ports &&
      isAt(words, at + CLIENT, client) && isAt(words, at + SERVER, server);
  }

  /** The number too: a tuple that comes again and again is no long way to each of its handshakes. */
  #hashOf(key: FlowKey, clientIsn: number): number {
    const mixed = Math.imul(hashTuple(this.#seed, key) ^ clientIsn, 0x9e3779b1);
    return mixed ^ (mixed >>> 15);
  }

  #remove(at: number): void {
    const words = this.#words;
    if (words[at + FATE] === 0) return;
    words[at + FATE] = 0;
    const bucket = words[at + HASH] & this.#mask;
    let before = ~this.#buckets[bucket];
    if (before === at) {
      this.#buckets[bucket] = ~words[at + NEXT];
      return;
    }
    while (words[before + NEXT] !== at) before = words[before + NEXT];
    words[before + NEXT] = words[at + NEXT];
  }
}

/** Whether an address stands there. */
function isAt(words: Int32Array, at: number, address: Uint32Array): boolean {
  return words[at + 3] === (address[3] | 0) && words[at + 2] === (address[2] | 0) &&
    words[at + 1] === (address[1] | 0) && words[at] === (address[0] | 0);
}

function fateOfRow(table: FlowTable, row: number): number {
  if (goesOnUntil(table, row) < Infinity) return Fate.Refused;
  return table.isMarked(row, Mark.ReportedFailed) ? Fate.Failed : Fate.Reported;
}
