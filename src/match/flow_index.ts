/**
 * Finds the rows of handshakes by their tuple or by their client's initial sequence number.
 *
 * @module
 */

import { Columns } from "./columns.ts";
import { FlowKey } from "./flow_key.ts";

const NONE = -1;

/**
 * Words of a tuple: 64 bytes, so that to look at one costs the processor one or two waits for memory. As
 * columns of their own they cost one each.
 */
const TUPLE_WORDS = 16;
const HASH = 0;
/** The next one in the same bucket. */
const NEXT = 1;
/** Client << 16 | server. */
const PORTS = 2;
/** Of a first tuple: whether there is a second one. */
const IS_TRANSLATED = 3;
/** Of a first tuple: its row's neighbors among those whose client's number may be the same. */
const NEXT_WITH_ISN = 12;
const PREVIOUS_WITH_ISN = 13;

/** An end of a tuple: where in its words the four of its address begin. */
export const TupleEnd = { Client: 4, Server: 8 } as const;
/** One of {@link TupleEnd}. */
export type TupleEnd = typeof TupleEnd[keyof typeof TupleEnd];

/** Bytes of a row in the columns of an index, which has up to twice as many buckets as rows. */
export const INDEX_ROW_BYTES = 2 * TUPLE_WORDS * 4 + 4 + 16;

/**
 * Which row is whose handshake. A row has one tuple, or two where a packet filter translates addresses
 * on the way (NAT): the same handshake then goes by both. All columns have a fixed size.
 */
export class FlowIndex {
  /** Rows. */
  readonly capacity: number;
  /**
   * Tuples: at `row` the one by which the handshake was known first, at `row + capacity` the other one.
   * {@link addressAt} tells where in it an address stands.
   */
  readonly tuples: Uint32Array;
  readonly clientIsn: Uint32Array;

  /** Of each table its own, so that nobody outside can choose tuples that meet in one bucket. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32);
  /** The same memory as {@link tuples}. */
  readonly #words: Int32Array;
  readonly #mask: number;
  /** Tuples as their complement: that of none is 0, which memory holds that nobody wrote to. */
  readonly #buckets: Int32Array;
  /** Rows likewise. */
  readonly #isnBuckets: Int32Array;

  /**
   * Makes an empty index.
   *
   * @param capacity Rows, at least 1. @param columns Where its columns are taken from.
   */
  constructor(capacity: number, columns = new Columns(capacity, INDEX_ROW_BYTES)) {
    this.capacity = capacity;
    this.tuples = columns.take(Uint32Array, capacity * 2 * TUPLE_WORDS);
    this.#words = new Int32Array(
      this.tuples.buffer,
      this.tuples.byteOffset,
      this.tuples.length,
    );
    this.clientIsn = columns.take(Uint32Array, capacity);
    let buckets = 1;
    while (buckets < capacity) buckets *= 2;
    this.#mask = buckets - 1;
    this.#buckets = columns.take(Int32Array, buckets);
    this.#isnBuckets = columns.take(Int32Array, buckets);
  }

  /** Where in {@link tuples} the four words of an address are. @param at Number of the tuple. */
  addressAt(at: number, end: TupleEnd): number {
    return at * TUPLE_WORDS + end;
  }

  /** Ports of a tuple, as {@link FlowKey.ports}. */
  portsAt(at: number): number {
    return this.#words[at * TUPLE_WORDS + PORTS];
  }

  /** The newest row of a tuple, -1 where there is none. */
  find(key: FlowKey): number {
    const hash = hashTuple(this.#seed, key);
    return this.#walk(~this.#buckets[hash & this.#mask], hash, key);
  }

  /** The next older row of the same tuple as a row, -1 where there is none. */
  older(row: number, key: FlowKey): number {
    const isFirst = !this.isTranslated(row) || this.#hasTupleAt(row, key);
    const words = this.#words;
    const from = (isFirst ? row : row + this.capacity) * TUPLE_WORDS;
    return this.#walk(words[from + NEXT], words[from + HASH], key);
  }

  #walk(start: number, hash: number, key: FlowKey): number {
    const words = this.#words;
    for (let at = start; at !== NONE; at = words[at * TUPLE_WORDS + NEXT]) {
      if (words[at * TUPLE_WORDS + HASH] === hash && this.#hasTupleAt(at, key)) {
        return at < this.capacity ? at : at - this.capacity;
      }
    }
    return NONE;
  }

  /** The newest row whose client's number may be this one, -1 where there is none. */
  findIsn(clientIsn: number): number {
    return ~this.#isnBuckets[this.#isnBucket(clientIsn)];
  }

  /** The next older row of those that {@link findIsn} begins with, -1 where there is none. */
  olderIsn(row: number): number {
    return this.#words[row * TUPLE_WORDS + NEXT_WITH_ISN];
  }

  /** Whether a row has a second tuple. */
  isTranslated(row: number): boolean {
    return this.#words[row * TUPLE_WORDS + IS_TRANSLATED] !== 0;
  }

  /** A row's first tuple, as long as the row is that handshake's. */
  firstKey(row: number): FlowKey {
    const client = this.addressAt(row, TupleEnd.Client);
    const server = this.addressAt(row, TupleEnd.Server);
    return new FlowKey(
      this.tuples.subarray(client, client + 4),
      this.tuples.subarray(server, server + 4),
      this.portsAt(row),
    );
  }

  /**
   * Copies a tuple of a row into a key that has words of its own.
   *
   * @param isSecond Whether it is the second one, of a row that has one.
   */
  copyKey(row: number, isSecond: boolean, into: FlowKey): void {
    const at = isSecond ? row + this.capacity : row;
    const client = this.addressAt(at, TupleEnd.Client);
    const server = this.addressAt(at, TupleEnd.Server);
    for (let word = 0; word < 4; word++) {
      into.client[word] = this.tuples[client + word];
      into.server[word] = this.tuples[server + word];
    }
    into.ports = this.portsAt(at);
  }

  /** Whether a row's first tuple is this one. */
  hasFirstTuple(row: number, key: FlowKey): boolean {
    return this.#hasTupleAt(row, key);
  }

  /** Makes a handshake go by another tuple too; one that has no second tuple yet. */
  translate(row: number, key: FlowKey): void {
    this.#words[row * TUPLE_WORDS + IS_TRANSLATED] = 1;
    this.#link(row + this.capacity, key);
  }

  /** Makes a row known by its tuple and its number. */
  protected addRow(row: number, key: FlowKey, clientIsn: number): void {
    const words = this.#words;
    const from = row * TUPLE_WORDS;
    words[from + IS_TRANSLATED] = 0;
    this.#link(row, key);
    this.clientIsn[row] = clientIsn;
    const bucket = this.#isnBucket(clientIsn);
    const next = ~this.#isnBuckets[bucket];
    words[from + NEXT_WITH_ISN] = next;
    words[from + PREVIOUS_WITH_ISN] = NONE;
    if (next !== NONE) words[next * TUPLE_WORDS + PREVIOUS_WITH_ISN] = row;
    this.#isnBuckets[bucket] = ~row;
  }

  /** Makes a row unknown. */
  protected removeRow(row: number): void {
    const words = this.#words;
    this.#unlink(row);
    if (this.isTranslated(row)) this.#unlink(row + this.capacity);
    const next = words[row * TUPLE_WORDS + NEXT_WITH_ISN];
    const previous = words[row * TUPLE_WORDS + PREVIOUS_WITH_ISN];
    if (next !== NONE) words[next * TUPLE_WORDS + PREVIOUS_WITH_ISN] = previous;
    if (previous !== NONE) words[previous * TUPLE_WORDS + NEXT_WITH_ISN] = next;
    else this.#isnBuckets[this.#isnBucket(this.clientIsn[row])] = ~next;
  }

  #link(at: number, key: FlowKey): void {
    const words = this.#words;
    const from = at * TUPLE_WORDS;
    const { client, server } = key;
    const hash = hashTuple(this.#seed, key);
    const bucket = hash & this.#mask;
    words[from + HASH] = hash;
    words[from + NEXT] = ~this.#buckets[bucket];
    this.#buckets[bucket] = ~at;
    words[from + PORTS] = key.ports;
    // For four words `set` takes longer.
    for (let word = 0; word < 4; word++) {
      words[from + TupleEnd.Client + word] = client[word];
      words[from + TupleEnd.Server + word] = server[word];
    }
  }

  #unlink(at: number): void {
    const words = this.#words;
    const bucket = words[at * TUPLE_WORDS + HASH] & this.#mask;
    const next = words[at * TUPLE_WORDS + NEXT];
    let before = ~this.#buckets[bucket];
    if (before === at) {
      this.#buckets[bucket] = ~next;
      return;
    }
    while (words[before * TUPLE_WORDS + NEXT] !== at) before = words[before * TUPLE_WORDS + NEXT];
    words[before * TUPLE_WORDS + NEXT] = next;
  }

  #hasTupleAt(at: number, { client, server, ports }: FlowKey): boolean {
    const words = this.#words;
    const from = at * TUPLE_WORDS;
    return words[from + PORTS] === ports &&
      isAddressAt(words, from + TupleEnd.Client, client) &&
      isAddressAt(words, from + TupleEnd.Server, server);
  }

  #isnBucket(clientIsn: number): number {
    const mixed = Math.imul(clientIsn ^ this.#seed, 0x9e3779b1);
    return (mixed ^ (mixed >>> 15)) & this.#mask;
  }
}

/** Whether the words of an address stand somewhere: signed, as those always are to the engine at once. */
export function isAddressAt(words: Int32Array, at: number, address: Uint32Array): boolean {
  return words[at + 3] === (address[3] | 0) && words[at + 2] === (address[2] | 0) &&
    words[at + 1] === (address[1] | 0) && words[at] === (address[0] | 0);
}

/** Mixes a tuple into 32 bits, signed (the multipliers and shifts are those of MurmurHash3 and xxHash). */
export function hashTuple(seed: number, { client, server, ports }: FlowKey): number {
  let hash = Math.imul(ports ^ seed, 0x9e3779b1) ^ client[3];
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ server[3];
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) ^ client[0] ^ Math.imul(client[2], 0x27d4eb2f);
  hash = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f) ^ server[0] ^ Math.imul(server[2], 0x165667b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x165667b1) ^ client[1] ^ Math.imul(server[1], 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0x9e3779b1);
  return hash ^ (hash >>> 16);
}
