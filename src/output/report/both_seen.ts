import { delaysBetween, type Moments, momentsOf, type SeenDelay } from "../../explain/moments.ts";
import type { Handshake } from "../../match/handshake.ts";
import { EvenSample, spread } from "./even_sample.ts";

/** Handshakes that are remembered at most: some 12 MB. */
const REMEMBERED_MAX = 1 << 15;
const MINUTE_NS = 60_000_000_000n;

/** What the ends told of one handshake, and which host each is. */
interface Entry {
  client?: { host: string; moments: Moments };
  server?: { host: string; moments: Moments };
}

/**
 * Remembers when handshakes were by the clocks of both of their ends, which bounds how far those are apart.
 * Where there are too many, each second one is left out, the same ones of every host: then bounds are
 * wider, and hold as before.
 */
export class BothSeen {
  readonly #entries: EvenSample<Entry>;

  /** @param max How many are remembered. */
  constructor(max = REMEMBERED_MAX) {
    this.#entries = new EvenSample(max);
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
    const number = spread(client.isn ^ spread(server.isn));
    if (this.#entries.leavesOut(number)) return;
    const moments = momentsOf(handshake);
    if (moments === undefined) return;
    const key = `${client.isn} ${server.isn}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) this.#entries.set(key, number, entry = {});
    entry[role] ??= { host, moments };
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
}
