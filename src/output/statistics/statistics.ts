import type { Handshake, Outcome } from "../../match/handshake.ts";
import { formatAddress, formatEndpoint } from "../../wire/address.ts";
import { type DurationBucket, DurationBuckets } from "./duration_buckets.ts";
import { Histogram } from "../../pipeline/histogram.ts";
import { Tally } from "./tally.ts";
import { type NamedTally, TopTallies } from "./top_tallies.ts";

/** Buckets of a histogram at most: they fit a screen. */
const BUCKETS_MAX = 24;

/** The durations of a handshake that have statistics. */
export const RTTS = ["client", "server", "total"] as const;

/** One duration of the handshakes in which it was measured. */
export interface RttStatistics {
  quantiles: Histogram;
  /** For a drawing. */
  buckets: DurationBucket[];
}

/** How many handshakes had a packet again. */
export interface Repetition {
  /** Handshakes in which the packet was captured. */
  captured: number;
  /** Handshakes in which it was captured more than once. */
  repeated: number;
}

/** Handshakes by name: servers or clients. */
export interface Ranking {
  /** The names with the most handshakes. */
  top: NamedTally[];
  /** All handshakes that are not counted in `top`. */
  others: Tally;
  /** How many different names there were; undefined where they were too many to tell. */
  names: number | undefined;
  /** From how many names on they are too many. */
  namesMax: number;
}

/** Counts what is told of all handshakes together, in bounded memory. */
export class Statistics {
  readonly #outcomes = new Map<Outcome, number>();
  readonly #all = new Tally();
  readonly #servers: TopTallies;
  readonly #clients: TopTallies;
  readonly #quantiles = newForEachRtt(() => new Histogram());
  readonly #buckets = newForEachRtt(() => new DurationBuckets());
  /** Handshakes with a captured SYN (SYN-ACK), and with more than one. */
  readonly syn: Repetition = { captured: 0, repeated: 0 };
  readonly synAck: Repetition = { captured: 0, repeated: 0 };

  /** @param namesMax Servers, and clients, counted at a time; see {@link TopTallies}. */
  constructor(namesMax?: number) {
    this.#servers = new TopTallies(namesMax);
    this.#clients = new TopTallies(namesMax);
  }

  /** Handshakes taken. */
  get handshakes(): number {
    return this.#all.handshakes;
  }

  /** Takes a handshake; nothing of the object is kept. */
  record(handshake: Handshake): void {
    const { outcome, client, server, clientRttNs, serverRttNs, totalNs } = handshake;
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    this.#all.record(handshake);
    this.#servers.record(formatEndpoint(server), handshake);
    this.#clients.record(formatAddress(client.address), handshake);
    this.#recordRtt("client", clientRttNs);
    this.#recordRtt("server", serverRttNs);
    this.#recordRtt("total", totalNs);
    recordRepetition(this.syn, handshake.synCount);
    recordRepetition(this.synAck, handshake.synAckCount);
  }

  /** Handshakes by outcome, the most frequent first. */
  outcomes(): [outcome: Outcome, handshakes: number][] {
    return [...this.#outcomes].sort((one, other) => other[1] - one[1]);
  }

  /** What is known of a duration. */
  rtt(name: typeof RTTS[number]): RttStatistics {
    return { quantiles: this.#quantiles[name], buckets: this.#buckets[name].list(BUCKETS_MAX) };
  }

  /** Servers by address and port. @param most How many to name. */
  servers(most: number): Ranking {
    return this.#rank(this.#servers, most);
  }

  /** Clients by address. @param most How many to name. */
  clients(most: number): Ranking {
    return this.#rank(this.#clients, most);
  }

  #recordRtt(name: typeof RTTS[number], ns: number | undefined): void {
    if (ns === undefined) return;
    this.#quantiles[name].record(ns);
    this.#buckets[name].record(ns);
  }

  #rank(tallies: TopTallies, most: number): Ranking {
    const { names, namesMax } = tallies;
    const top = tallies.list(most);
    return { top, others: this.#all.without(top.map(({ tally }) => tally)), names, namesMax };
  }
}

function recordRepetition(repetition: Repetition, packets: number): void {
  if (packets > 0) repetition.captured++;
  if (packets > 1) repetition.repeated++;
}

function newForEachRtt<T>(make: () => T): Record<typeof RTTS[number], T> {
  return { client: make(), server: make(), total: make() };
}
