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
  /** So many of one tuple and number were reported, each in a VLAN of its own, that one more is not known. */
  Crowded: 4,
} as const;

const NONE = -1;
/**
 * Entries of a bucket, which as a rule has one or two: looking for one must not take longer and longer where
 * somebody makes many of one tuple and number, each in another VLAN. Others do not meet in a bucket so often:
 * nobody knows the seed.
 */
const LOOKED_AT_MAX = 64;

/** Words of an entry: 64 bytes, so that to look at one costs the processor one or two waits for memory. */
const ENTRY_WORDS = 16;
const HASH = 0;
/** The number of the next older one in the same bucket, whether or not it is still there. */
const OLDER = 1;
const ISN = 2;
const PORTS = 3;
const CLIENT = 4;
const SERVER = 8;
/** See {@link Fate}; 0 in entries that hold none. */
const FATE = 12;
/** As `Segment` has it; {@link OF_ANY_VLAN} where those of many VLANs became one. */
const VLAN = 13;
const OF_ANY_VLAN = -2;
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
  /** Entries that there is room for, and buckets: a power of two, less one. */
  readonly #mask: number;
  /**
   * The number of the newest entry of each bucket. Entries are numbered as they come, and one too far behind
   * the newest was overwritten: then nothing has to be undone, which took a third of the waits for memory.
   */
  readonly #buckets: Int32Array;
  /** The tuple at hand. */
  readonly #key = new FlowKey(new Uint32Array(4), new Uint32Array(4));
  /** The number of the newest entry. That of none, 0, is too far behind the first. */
  #newest: number;

  /** Makes an empty one. @param capacity Handshakes, at least 1. */
  constructor(capacity: number) {
    this.#capacity = this.#newest = capacity;
    let room = 1;
    while (room < capacity) room *= 2;
    this.#mask = room - 1;
    this.#words = new Int32Array(room * ENTRY_WORDS);
    this.#numbers = new Float64Array(this.#words.buffer);
    this.#buckets = new Int32Array(room);
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
    const hash = this.#hashOf(this.#key, clientIsn);
    const bucket = hash & this.#mask;
    const vlan = this.#removeSame(hash, clientIsn, table.vlan[row]);
    const newest = this.#newest = this.#newest + 1 | 0;
    const at = this.#placeOf(newest);
    words[at + HASH] = hash;
    words[at + OLDER] = this.#buckets[bucket];
    this.#buckets[bucket] = newest;
    words[at + ISN] = clientIsn;
    words[at + PORTS] = ports;
    for (let word = 0; word < 4; word++) {
      words[at + CLIENT + word] = client[word];
      words[at + SERVER + word] = server[word];
    }
    words[at + FATE] = vlan === OF_ANY_VLAN ? Fate.Crowded : fateOfRow(table, row);
    words[at + VLAN] = vlan;
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
      this.#words[at + FATE] = 0;
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
    let number = this.#buckets[hash & this.#mask];
    for (let looked = 0; looked < LOOKED_AT_MAX && this.#isKept(number); looked++) {
      const at = this.#placeOf(number);
      const isIt = words[at + HASH] === hash && this.#isOf(at, key, clientIsn) &&
        areOfOneVlan(words[at + VLAN], vlan);
      if (isIt) return at;
      number = words[at + OLDER];
    }
    return NONE;
  }

  /**
   * Takes out of its bucket what is told anew of the tuple at hand. Where the bucket holds as many as are
   * looked at, all of that tuple and number make room for one: none of them is out of reach then.
   *
   * @returns The VLAN that the new one is of.
   */
  #removeSame(hash: number, clientIsn: number, vlan: number): number {
    const words = this.#words;
    const bucket = hash & this.#mask;
    let newer = NONE;
    let number = this.#buckets[bucket];
    let looked = 0;
    for (; looked < LOOKED_AT_MAX && this.#isKept(number); looked++) {
      const at = this.#placeOf(number);
      const ofVlan = words[at + VLAN];
      number = words[at + OLDER];
      const isSame = (ofVlan === vlan || ofVlan === OF_ANY_VLAN) && words[at + HASH] === hash &&
        this.#isOf(at, this.#key, clientIsn);
      if (isSame) {
        this.#link(bucket, newer, number);
        return ofVlan;
      }
      newer = at;
    }
    if (looked < LOOKED_AT_MAX) return vlan;
    this.#removeAll(hash, clientIsn);
    return OF_ANY_VLAN;
  }

  /** Takes out of their bucket all of the tuple at hand and a number. */
  #removeAll(hash: number, clientIsn: number): void {
    const words = this.#words;
    const bucket = hash & this.#mask;
    let newer = NONE;
    let number = this.#buckets[bucket];
    while (this.#isKept(number)) {
      const at = this.#placeOf(number);
      number = words[at + OLDER];
      const isSame = words[at + HASH] === hash && this.#isOf(at, this.#key, clientIsn);
      if (isSame) this.#link(bucket, newer, number);
      else newer = at;
    }
  }

  /** Makes an entry the next older one of another, {@link NONE}: the first of the bucket. */
  #link(bucket: number, newer: number, number: number): void {
    if (newer === NONE) this.#buckets[bucket] = number;
    else this.#words[newer + OLDER] = number;
  }

  /** Whether an entry was not overwritten. After 2^32 entries their numbers begin again. */
  #isKept(number: number): boolean {
    return (this.#newest - number >>> 0) < this.#capacity;
  }

  /** The first word of an entry. */
  #placeOf(number: number): number {
    return (number & this.#mask) * ENTRY_WORDS;
  }

  #isOf(at: number, { client, server, ports }: FlowKey, clientIsn: number): boolean {
    const words = this.#words;
    return words[at + FATE] !== 0 && words[at + ISN] === (clientIsn | 0) &&
      words[at + PORTS] === ports &&
      isAt(words, at + CLIENT, client) && isAt(words, at + SERVER, server);
  }

  /** The number too: a tuple that comes again and again is no long way to each of its handshakes. */
  #hashOf(key: FlowKey, clientIsn: number): number {
    const mixed = Math.imul(hashTuple(this.#seed, key) ^ clientIsn, 0x9e3779b1);
    return mixed ^ (mixed >>> 15);
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
