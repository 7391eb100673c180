import { delaysBetween, type Moments, momentsOf, type SeenDelay } from "../../explain/moments.ts";
import type { Handshake } from "../../match/handshake.ts";

/** Handshakes that are remembered at most: some 12 MB. */
const REMEMBERED_MAX = 1 << 15;
/** The last bit by which some are chosen. */
const CHOICE_END = 1 << 30;
const MINUTE_NS = 60_000_000_000n;

/** What the ends told of one handshake, and which host each is. */
interface Entry {
  chance: number;
  client?: { host: string; moments: Moments };
  server?: { host: string; moments: Moments };
}

/**
 * Remembers when handshakes were by the clocks of both of their ends, which bounds how far those are apart.
 * Where there are too many, each second one is left out, the same ones of every host: then bounds are
 * wider, and hold as before.
 */
export class BothSeen {
  readonly #entries = new Map<string, Entry>();
  readonly #max: number;
  /** Of those whose number has one of these bits nothing is remembered. */
  #leftOut = 0;

  /** @param max How many are remembered. */
  constructor(max = REMEMBERED_MAX) {
    this.#max = max;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  /** Takes what a host told. */
  take(handshake: Handshake, host: string): void {
    const { role, client, server } = handshake;
    if (role !== "client" && role !== "server") return;
    if (client.isn === undefined || server.isn === undefined) return;
    const chance = mix(client.isn ^ mix(server.isn));
    if ((chance & this.#leftOut) !== 0) return;
    const moments = momentsOf(handshake);
    if (moments === undefined) return;
    const key = `${client.isn} ${server.isn}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) this.#entries.set(key, entry = { chance });
    entry[role] ??= { host, moments };
    if (this.#entries.size > this.#max) this.#thin();
  }

  /** What the clocks of two hosts showed in the minute of a moment of the client's, nanoseconds of Unix time. */
  delays(client: string, server: string, atNs: bigint): SeenDelay[] {
    const minute = atNs / MINUTE_NS;
    const delays: SeenDelay[] = [];
    for (const { client: one, server: other } of this.#entries.values()) {
      if (one?.host !== client && one?.host !== server) continue;
      if (other?.host !== client && other?.host !== server || one.host === other.host) continue;
      // Handshakes the other way round bound the same clocks.
      const [first, second] = one.host === client ? [one, other] : [other, one];
      if (first.moments.synNs / MINUTE_NS !== minute) continue;
      delays.push(...delaysBetween(first.moments, second.moments));
    }
    return delays;
  }

  #thin(): void {
    while (this.#entries.size > this.#max / 2 && this.#leftOut < CHOICE_END) {
      this.#leftOut = this.#leftOut << 1 | 1;
      for (const [key, { chance }] of this.#entries) {
        if ((chance & this.#leftOut) !== 0) this.#entries.delete(key);
      }
    }
    // Who chose them so that all fall together loses his bounds.
    if (this.#entries.size > this.#max) this.#entries.clear();
  }
}

/** Spreads a number of 32 bits (the end of MurmurHash3, Austin Appleby, public domain). */
function mix(number: number): number {
  let mixed = Math.imul(number ^ number >>> 16, 0x85ebca6b);
  mixed = Math.imul(mixed ^ mixed >>> 13, 0xc2b2ae35);
  return (mixed ^ mixed >>> 16) >>> 0;
}
