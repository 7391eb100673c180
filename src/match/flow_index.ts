/**
 * Finds the rows of handshakes by their tuple or by their client's initial sequence number.
 *
 * @module
 */

import { Columns } from "./columns.ts";
import { FlowKey } from "./flow_key.ts";

const NONE = -1;

/** The third word of an IPv4 address as IPv6 maps it (RFC 4291 section 2.5.5.2); the two before are 0. */
const IPV4_MAPPED = 0xffff;

/** Bytes of a row in the columns of an index, which has up to twice as many buckets as rows. */
export const INDEX_ROW_BYTES = 120;

/**
 * Which row is whose handshake. A row has one tuple, or two where a packet filter translates addresses
 * on the way (NAT): the same handshake then goes by both. All columns have a fixed size.
 */
export class FlowIndex {
  /** Rows. */
  readonly capacity: number;
  /**
   * Tuples: addresses as four words each, ports as client << 16 | server. At `row` the tuple by which
   * the handshake was known first, at `row + capacity` the other one.
   */
  readonly clientAddress: Uint32Array;
  readonly serverAddress: Uint32Array;
  readonly ports: Int32Array;
  readonly clientIsn: Uint32Array;

  /** Of each table its own, so that nobody outside can choose tuples that meet in one bucket. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32);
  readonly #hash: Int32Array;
  readonly #mask: number;
  /** Rows as their complement: that of none is 0, which memory holds that nobody wrote to. */
  readonly #buckets: Int32Array;
  readonly #nextInBucket: Int32Array;
  readonly #isTranslated: Uint8Array;
  /** Likewise. */
  readonly #isnBuckets: Int32Array;
  readonly #nextWithIsn: Int32Array;
  readonly #previousWithIsn: Int32Array;

  /**
   * Makes an empty index.
   *
   * @param capacity Rows, at least 1. @param columns Where its columns are taken from.
   */
  constructor(capacity: number, columns = new Columns(capacity, INDEX_ROW_BYTES)) {
    this.capacity = capacity;
    this.clientAddress = columns.take(Uint32Array, capacity * 8);
    this.serverAddress = columns.take(Uint32Array, capacity * 8);
    this.ports = columns.take(Int32Array, capacity * 2);
    this.clientIsn = columns.take(Uint32Array, capacity);
    let buckets = 1;
    while (buckets < capacity) buckets *= 2;
    this.#mask = buckets - 1;
    this.#hash = columns.take(Int32Array, capacity * 2);
    this.#buckets = columns.take(Int32Array, buckets);
    this.#nextInBucket = columns.take(Int32Array, capacity * 2);
    this.#isTranslated = columns.take(Uint8Array, capacity);
    this.#isnBuckets = columns.take(Int32Array, buckets);
    this.#nextWithIsn = columns.take(Int32Array, capacity);
    this.#previousWithIsn = columns.take(Int32Array, capacity);
  }

  /** The newest row of a tuple, -1 where there is none. */
  find(key: FlowKey): number {
    const hash = hashTuple(this.#seed, key);
    return this.#walk(~this.#buckets[hash & this.#mask], hash, key);
  }

  /** The next older row of the same tuple as a row, -1 where there is none. */
  older(row: number, key: FlowKey): number {
    const isFirst = !this.isTranslated(row) || this.#hasTupleAt(row, key);
    const at = isFirst ? row : row + this.capacity;
    return this.#walk(this.#nextInBucket[at], this.#hash[at], key);
  }

  #walk(start: number, hash: number, key: FlowKey): number {
    for (let at = start; at !== NONE; at = this.#nextInBucket[at]) {
      if (this.#hash[at] === hash && this.#hasTupleAt(at, key)) {
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
    return this.#nextWithIsn[row];
  }

  /** Whether a row has a second tuple. */
  isTranslated(row: number): boolean {
    return this.#isTranslated[row] !== 0;
  }

  /** A row's first tuple, as long as the row is that handshake's. */
  firstKey(row: number): FlowKey {
    const at = row * 4;
    return new FlowKey(
      this.clientAddress.subarray(at, at + 4),
      this.serverAddress.subarray(at, at + 4),
      this.ports[row],
    );
  }

  /**
   * Copies a tuple of a row into a key that has words of its own.
   *
   * @param isSecond Whether it is the second one, of a row that has one.
   */
  copyKey(row: number, isSecond: boolean, into: FlowKey): void {
    const at = isSecond ? row + this.capacity : row;
    for (let word = 0; word < 4; word++) {
      into.client[word] = this.clientAddress[at * 4 + word];
      into.server[word] = this.serverAddress[at * 4 + word];
    }
    into.ports = this.ports[at];
  }

  /** Whether a row's first tuple is this one. */
  hasFirstTuple(row: number, key: FlowKey): boolean {
    return this.#hasTupleAt(row, key);
  }

  /** Makes a handshake go by another tuple too; one that has no second tuple yet. */
  translate(row: number, key: FlowKey): void {
    this.#isTranslated[row] = 1;
    this.#link(row + this.capacity, key);
  }

  /** Makes a row known by its tuple and its number. */
  protected addRow(row: number, key: FlowKey, clientIsn: number): void {
    this.#isTranslated[row] = 0;
    this.#link(row, key);
    this.clientIsn[row] = clientIsn;
    const bucket = this.#isnBucket(clientIsn);
    const next = ~this.#isnBuckets[bucket];
    this.#nextWithIsn[row] = next;
    this.#previousWithIsn[row] = NONE;
    if (next !== NONE) this.#previousWithIsn[next] = row;
    this.#isnBuckets[bucket] = ~row;
  }

  /** Makes a row unknown. */
  protected removeRow(row: number): void {
    this.#unlink(row);
    if (this.isTranslated(row)) this.#unlink(row + this.capacity);
    const next = this.#nextWithIsn[row];
    const previous = this.#previousWithIsn[row];
    if (next !== NONE) this.#previousWithIsn[next] = previous;
    if (previous !== NONE) this.#nextWithIsn[previous] = next;
    else this.#isnBuckets[this.#isnBucket(this.clientIsn[row])] = ~next;
  }

  #link(at: number, key: FlowKey): void {
    const { client, server } = key;
    const hash = hashTuple(this.#seed, key);
    const bucket = hash & this.#mask;
    this.#hash[at] = hash;
    this.#nextInBucket[at] = ~this.#buckets[bucket];
    this.#buckets[bucket] = ~at;
    // For four words `set` takes longer.
    for (let word = 0; word < 4; word++) {
      this.clientAddress[at * 4 + word] = client[word];
      this.serverAddress[at * 4 + word] = server[word];
    }
    this.ports[at] = key.ports;
  }

  #unlink(at: number): void {
    const bucket = this.#hash[at] & this.#mask;
    const first = ~this.#buckets[bucket];
    if (first === at) {
      this.#buckets[bucket] = ~this.#nextInBucket[at];
      return;
    }
    let before = first;
    while (this.#nextInBucket[before] !== at) before = this.#nextInBucket[before];
    this.#nextInBucket[before] = this.#nextInBucket[at];
  }

  #hasTupleAt(at: number, { client, server, ports }: FlowKey): boolean {
    return this.ports[at] === ports && sameWords(this.clientAddress, at * 4, client) &&
      sameWords(this.serverAddress, at * 4, server);
  }

  #isnBucket(clientIsn: number): number {
    const mixed = Math.imul(clientIsn ^ this.#seed, 0x9e3779b1);
    return (mixed ^ (mixed >>> 15)) & this.#mask;
  }
}

function sameWords(column: Uint32Array, at: number, words: Uint32Array): boolean {
  return column[at + 3] === words[3] && column[at + 2] === words[2] &&
    column[at + 1] === words[1] && column[at] === words[0];
}

/**
 * Mixes a tuple into 32 bits, signed (the multipliers and shifts are those of MurmurHash3 and xxHash).
 *
 * Each word is mixed with the seed before the next one comes: of two that are put together unmixed one can be
 * chosen so that it cancels what the other changes, whatever the seed is.
 */
export function hashTuple(seed: number, { client, server, ports }: FlowKey): number {
  let hash = Math.imul(ports ^ seed, 0x9e3779b1) ^ client[3];
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ server[3];
  const isIpv4 = (client[0] | client[1] | client[2] ^ IPV4_MAPPED) === 0 &&
    (server[0] | server[1] | server[2] ^ IPV4_MAPPED) === 0;
  if (!isIpv4) hash = mixHigher(mixHigher(hash, client), server);
  hash = Math.imul(hash ^ (hash >>> 13), 0x9e3779b1);
  return hash ^ (hash >>> 16);
}

/** Mixes those words of an address in that are the same in all of IPv4. */
function mixHigher(hash: number, address: Uint32Array): number {
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) ^ address[0];
  hash = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f) ^ address[1];
  return Math.imul(hash ^ (hash >>> 15), 0x165667b1) ^ address[2];
}
