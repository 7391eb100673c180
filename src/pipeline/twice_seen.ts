import type { Handshake } from "../match/handshake.ts";

/** Paths of the fields of a record by which one is known again. */
export const READ_BY_TWICE_SEEN: readonly string[] = [
  ...["time", "client.isn"],
  ...["client.address", "client.port", "server.address", "server.port"],
];

/** Two that saw one handshake give it times that are nearer than this: their clocks may differ. */
export const NEAR_SECONDS = 120;
/** Handshakes that are remembered at most: 22 MB. */
const REMEMBERED_MAX = 1 << 20;
const FIRST_ROOM = 1 << 12;
/** Words of a key: two addresses, the ports, the client's initial sequence number. */
const WORDS = 10;
/** Words of what is remembered of it: two hashes, which are those of no other in 10^19. */
const HASHES = 2;
/** Tellers that are told apart at most; those beyond count as one. */
const TELLERS_MAX = 0xffff;
const FREE = -1;

/** One who tells handshakes, and from when to when those were, seconds of Unix time. */
interface Teller {
  readonly number: number;
  first: number;
  last: number;
}

/**
 * Knows a handshake that another has told already, be it another host or another tracer of this one: by
 * its addresses, ports and the client's initial sequence number. Memory is bounded; where it does not
 * suffice, the oldest is forgotten and counted.
 */
export class TwiceSeen {
  /** Handshakes that another had told. */
  repeated = 0;
  readonly #max: number;
  readonly #tellers = new Map<string, Teller>();
  /** Handshakes forgotten because there were too many. */
  #forgotten = 0;
  #room = FIRST_ROOM;
  #count = 0;
  /** The row that is used next, and once all are used the oldest. */
  #next = 0;
  #hashes = new Uint32Array(FIRST_ROOM * HASHES);
  #seconds = new Float64Array(FIRST_ROOM);
  #tellerOf = new Uint16Array(FIRST_ROOM);
  /** The row that a hash leads to, and from each row the next one of that hash. */
  #heads = new Int32Array(FIRST_ROOM).fill(FREE);
  #links = new Int32Array(FIRST_ROOM).fill(FREE);
  readonly #key = new Uint32Array(WORDS);
  /** Nobody who chooses addresses and numbers knows where they lead. */
  readonly #secrets = crypto.getRandomValues(new Uint32Array(HASHES));

  /** Knows none yet. @param max Handshakes to remember, a power of two. */
  constructor(max = REMEMBERED_MAX) {
    this.#max = max;
    if (this.#room > max) this.#makeRoom(max);
  }

  /**
   * Handshakes that could not be held against those of all; none where no two told of one time, as the
   * tracers of a host that ran one after the other.
   */
  get forgotten(): number {
    const spans = [...this.#tellers.values()].sort((one, other) => one.first - other.first);
    let last = -Infinity;
    for (const span of spans) {
      if (span.first <= last) return this.#forgotten;
      last = Math.max(last, span.last);
    }
    return 0;
  }

  /**
   * Takes a handshake, and remembers it.
   *
   * @param teller Who tells it: a host, and which run of the tool. @returns Whether another told it before.
   */
  take(handshake: Handshake, teller: string): boolean {
    const { client, server, epochSeconds, timeNs } = handshake;
    // Before it chose a number, a connect() has nothing that another host could have seen.
    if (client.isn === undefined) return false;
    const key = this.#key;
    key.set(client.address, 0);
    key.set(server.address, 4);
    key[8] = client.port * 0x10000 + server.port;
    key[9] = client.isn;
    const seconds = epochSeconds + timeNs / 1e9;
    const number = this.#numberOf(teller, seconds);
    const [hash, other] = [this.#hash(0), this.#hash(1)];
    for (let row = this.#heads[hash & this.#room - 1]; row !== FREE; row = this.#links[row]) {
      const at = row * HASHES;
      if (this.#hashes[at] !== hash || this.#hashes[at + 1] !== other) continue;
      const isSame = Math.abs(seconds - this.#seconds[row]) <= NEAR_SECONDS &&
        this.#tellerOf[row] !== number;
      if (isSame) {
        this.repeated++;
        return true;
      }
      this.#seconds[row] = seconds;
      this.#tellerOf[row] = number;
      return false;
    }
    this.#remember(hash, other, seconds, number);
    return false;
  }

  /** The number of a teller, which told of that time. */
  #numberOf(teller: string, seconds: number): number {
    const known = this.#tellers.get(teller);
    if (known !== undefined) {
      known.first = Math.min(known.first, seconds);
      known.last = Math.max(known.last, seconds);
      return known.number;
    }
    const number = this.#tellers.size;
    if (number >= TELLERS_MAX) return TELLERS_MAX;
    this.#tellers.set(teller, { number, first: seconds, last: seconds });
    return number;
  }

  /** A hash of the key. @param secret Number of the secret it begins with. */
  #hash(secret: number): number {
    let hash = this.#secrets[secret];
    for (let word = 0; word < WORDS; word++) hash = mix(hash ^ this.#key[word]);
    return hash >>> 0;
  }

  #remember(hash: number, other: number, seconds: number, teller: number): void {
    if (this.#count === this.#room && this.#room < this.#max) this.#makeRoom(2 * this.#room);
    const row = this.#next;
    if (this.#count === this.#room) {
      this.#unlink(row);
      this.#forgotten++;
    } else this.#count++;
    this.#hashes[row * HASHES] = hash;
    this.#hashes[row * HASHES + 1] = other;
    this.#seconds[row] = seconds;
    this.#tellerOf[row] = teller;
    this.#link(row, hash);
    this.#next = (row + 1) % this.#room;
  }

  #link(row: number, hash: number): void {
    const at = hash & this.#room - 1;
    this.#links[row] = this.#heads[at];
    this.#heads[at] = row;
  }

  #unlink(row: number): void {
    const at = this.#hashes[row * HASHES] & this.#room - 1;
    if (this.#heads[at] === row) {
      this.#heads[at] = this.#links[row];
      return;
    }
    let before = this.#heads[at];
    while (this.#links[before] !== row) before = this.#links[before];
    this.#links[before] = this.#links[row];
  }

  #makeRoom(room: number): void {
    const [hashes, seconds, tellers] = [this.#hashes, this.#seconds, this.#tellerOf];
    this.#room = room;
    this.#hashes = new Uint32Array(room * HASHES);
    this.#seconds = new Float64Array(room);
    this.#tellerOf = new Uint16Array(room);
    this.#heads = new Int32Array(room).fill(FREE);
    this.#links = new Int32Array(room).fill(FREE);
    this.#hashes.set(hashes.subarray(0, this.#count * HASHES));
    this.#seconds.set(seconds.subarray(0, this.#count));
    this.#tellerOf.set(tellers.subarray(0, this.#count));
    this.#next = this.#count;
    for (let row = 0; row < this.#count; row++) this.#link(row, this.#hashes[row * HASHES]);
  }
}

/** The finalizer of MurmurHash3 (Austin Appleby, public domain). */
function mix(word: number): number {
  let hash = word;
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35);
  return hash ^ hash >>> 16;
}
