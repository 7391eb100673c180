import type { Handshake, Outcome } from "../../match/handshake.ts";
import { type DurationBucket, DurationBuckets } from "./duration_buckets.ts";
import { Histogram } from "../../pipeline/histogram.ts";
import { allNamesOf, type GroupingContext } from "./groupings.ts";
import type { Tally } from "./tally.ts";
import { type NamedTally, TopTallies } from "./top_tallies.ts";

/** Buckets of a histogram at most: they fit a screen. */
const BUCKETS_MAX = 24;

/** Paths of the fields and levels of a record that are read. */
export const READ_BY_STATISTICS: readonly string[] = [
  ...["role", "outcome", "reason", "reset.reason", "drop.reason"],
  ...["client.address", "server.address", "server.port"],
  ...["client.process", "server.process"].flatMap((process) => [
    ...[`${process}.comm`, `${process}.cgroup_path`, `${process}.container`],
  ]),
  ...["rtt.client_ns", "rtt.server_ns", "rtt.total_ns", "packets.syn", "packets.syn_ack"],
];

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

/** Handshakes by name, such as servers. */
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
  #handshakes = 0;
  readonly #outcomes = new Map<Outcome, number>();
  readonly #servers: TopTallies;
  readonly #clients: TopTallies;
  readonly #processes: TopTallies;
  readonly #containers: TopTallies;
  readonly #cgroups: TopTallies;
  readonly #reasons: TopTallies;
  readonly #quantiles = newForEachRtt(() => new Histogram());
  readonly #buckets = newForEachRtt(() => new DurationBuckets());
  /** Handshakes with a captured SYN (SYN-ACK), and with more than one. */
  readonly syn: Repetition = { captured: 0, repeated: 0 };
  readonly synAck: Repetition = { captured: 0, repeated: 0 };

  /** @param namesMax Names of each kind counted at a time; see {@link TopTallies}. */
  constructor(namesMax?: number) {
    this.#servers = new TopTallies(namesMax);
    this.#clients = new TopTallies(namesMax);
    this.#processes = new TopTallies(namesMax);
    this.#containers = new TopTallies(namesMax);
    this.#cgroups = new TopTallies(namesMax);
    this.#reasons = new TopTallies(namesMax);
  }

  /** Handshakes taken. */
  get handshakes(): number {
    return this.#handshakes;
  }

  /**
   * Takes a handshake; nothing of the object is kept.
   *
   * @param context What knows containers and the paths of cgroups. @param names Its names, where they are known.
   */
  record(
    handshake: Handshake,
    context: GroupingContext = {},
    names = allNamesOf(handshake, context),
  ): void {
    const { outcome, clientRttNs, serverRttNs, totalNs } = handshake;
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    this.#handshakes++;
    this.#servers.record(names.server, handshake);
    this.#clients.record(names.client, handshake);
    this.#recordRtt("client", clientRttNs);
    this.#recordRtt("server", serverRttNs);
    this.#recordRtt("total", totalNs);
    recordRepetition(this.syn, handshake.synCount);
    recordRepetition(this.synAck, handshake.synAckCount);
    this.#reasons.record(names.reason, handshake);
    this.#processes.record(names.process, handshake);
    this.#containers.record(names.container, handshake);
    this.#cgroups.record(names.cgroup, handshake);
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
    return rank(this.#servers, most);
  }

  /** Clients by address. @param most How many to name. */
  clients(most: number): Ranking {
    return rank(this.#clients, most);
  }

  /** Processes by name, at either end: untrusted text. @param most How many to name. */
  processes(most: number): Ranking {
    return rank(this.#processes, most);
  }

  /** Containers of the processes by name, else by id: untrusted text. @param most How many to name. */
  containers(most: number): Ranking {
    return rank(this.#containers, most);
  }

  /** Cgroups of the processes by path: untrusted text. @param most How many to name. */
  cgroups(most: number): Ranking {
    return rank(this.#cgroups, most);
  }

  /** Why handshakes failed, and packets of them were dropped: symbols. @param most How many to name. */
  reasons(most: number): Ranking {
    return rank(this.#reasons, most);
  }

  #recordRtt(name: typeof RTTS[number], ns: number | undefined): void {
    if (ns === undefined) return;
    this.#quantiles[name].record(ns);
    this.#buckets[name].record(ns);
  }
}

function rank(tallies: TopTallies, most: number): Ranking {
  const { names, namesMax } = tallies;
  return { top: tallies.list(most), others: tallies.others(most), names, namesMax };
}

function recordRepetition(repetition: Repetition, packets: number): void {
  if (packets > 0) repetition.captured++;
  if (packets > 1) repetition.repeated++;
}

function newForEachRtt<T>(make: () => T): Record<typeof RTTS[number], T> {
  return { client: make(), server: make(), total: make() };
}
