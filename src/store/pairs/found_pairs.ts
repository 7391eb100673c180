/**
 * What a database found of both ends of handshakes, as it is handed over: hosts by their names, clocks with
 * bounds, ways with what they waited.
 *
 * @module
 */
import { FOUNDED_ON_NUMBERS, type Verdict, VERDICTS } from "../../match/both_ends.ts";
import type { Value } from "../query/duckdb.ts";
import type { AskedLines } from "../query/records.ts";
import { type ClockWindow, clockWindows, type LeastDelay } from "./clocks.ts";
import { type DelayChange, delayChanges, steadyDriftPpb } from "./delay_changes.ts";
import { compare, type Hosts } from "./hosts.ts";
import { type HostPairValue, PATH_VALUES } from "./pair_rules.ts";

/** The way from a client's host to a server's. */
export interface Path {
  clientHost: string;
  serverHost: string;
  /** Handshakes, and those of which both ends are known. */
  handshakes: number;
  paired: number;
  /** SYNs and SYN-ACKs that one end sent and the other did not see. */
  synsLost: number;
  synAcksLost: number;
  /** Of the network, without any clock; null: unknown. */
  networkRttP50Ns: number | null;
  networkRttP99Ns: number | null;
  /** 99th percentiles of what a packet took beyond the least of its minute, to the server and back. */
  forwardWaitP99Ns: number | null;
  backWaitP99Ns: number | null;
  /** Handshakes by verdict, the most frequent first. */
  verdicts: [verdict: Verdict, handshakes: number][];
}

/** The clocks of two hosts. */
export interface Clocks {
  one: string;
  other: string;
  windows: ClockWindow[];
  /** Since when a way between them takes longer. */
  changes: DelayChange[];
}

/** The columns of a pair, in their order. */
export const PAIR_COLUMNS = [
  ...["tier", "verdict", "client_host", "server_host", "client_outcome", "server_outcome"],
  ...["client_reason", "server_reason", "client_address", "client_port", "server_address"],
  ...["server_port", "x", "y", "client_t", "server_t", "client_syn", "server_syn"],
  ...["client_syn_ack", "server_syn_ack", "syns_lost", "syn_acks_lost", "network_rtt_ns"],
] as const;

const [VERDICT, CLIENT_HOST, SERVER_HOST, SYNS_LOST] =
  (["verdict", "client_host", "server_host", "syns_lost"] as const)
    .map((name) => PAIR_COLUMNS.indexOf(name));

/** The names of verdicts, in the order in which {@linkcode PairSource.paths} counts them. */
export const VERDICT_NAMES = Object.keys(VERDICTS) as Verdict[];

/** The rows of all pairs, in the order of their times. @param pairs What stands behind FROM. */
export function pairsSql(pairs: string): string {
  const columns = PAIR_COLUMNS.map((name) =>
    name.endsWith("_host") ? `${name.replace("_host", "_key")} AS ${name}` : name
  );
  return `SELECT ${columns.join(", ")} FROM ${pairs} ORDER BY coalesce(client_t, server_t), x`;
}

/** Of which two hosts each told of handshakes with the other, and no two fit. @param pairs As above. */
export function unjoinedSql(pairs: string): string {
  return `SELECT client_key, server_key FROM ${pairs} GROUP BY client_key, server_key ` +
    "HAVING count(tier) = 0 AND count(client_t) > 0 AND count(server_t) > 0";
}

/** What a database answers. Hosts are told by their keys. */
export interface PairSource {
  /** Rows of {@linkcode unjoinedSql}. */
  unjoined(): Promise<Value[][]>;
  /** Rows of {@linkcode pairsSql}, in pieces. */
  pairs(): AsyncIterable<Value[][]>;
  /** Rows of `leastSql`, in pieces. */
  least(): AsyncIterable<Value[][]>;
  /** Rows of `pathsSql`. @param drifts How fast clocks part, parts per billion. */
  paths(drifts: readonly HostPairValue[]): Promise<Value[][]>;
}

/** What was found. Each is asked for when it is wanted, and held no longer than that. */
export class FoundPairs {
  readonly #hosts: Hosts;
  readonly #source: PairSource;
  /** Of the clocks, once they were all seen. */
  #drifts: HostPairValue[] | undefined;

  /** @param lines What was asked. @param notes What is to be said of the hosts, sentences. */
  constructor(
    readonly lines: AskedLines,
    readonly notes: readonly string[],
    hosts: Hosts,
    source: PairSource,
  ) {
    this.#hosts = hosts;
    this.#source = source;
  }

  /** The rows of the pairs, in pieces, in the order of their times; see {@linkcode PAIR_COLUMNS}. */
  async *pairs(): AsyncGenerator<Value[][]> {
    const unjoined = new Set((await this.#source.unjoined()).map((keys) => keys.join("\n")));
    for await (const rows of this.#source.pairs()) {
      for (const row of rows) {
        if (unjoined.has(`${row[CLIENT_HOST]}\n${row[SERVER_HOST]}`) && isUnfounded(row[VERDICT])) {
          row[VERDICT] = UNKNOWN;
          row[SYNS_LOST] = null;
        }
        row[CLIENT_HOST] = this.#hosts.nameOf(String(row[CLIENT_HOST]));
        row[SERVER_HOST] = this.#hosts.nameOf(String(row[SERVER_HOST]));
      }
      yield rows;
    }
  }

  /** The clocks of each two hosts, in turn. */
  async *clocks(): AsyncGenerator<Clocks> {
    const drifts: HostPairValue[] = [];
    for await (const { one, other, delays } of delaysOfHosts(this.#source.least())) {
      const drift = steadyDriftPpb(delays);
      drifts.push(
        { client: one, server: other, value: drift },
        { client: other, server: one, value: -drift },
      );
      yield {
        one: this.#hosts.nameOf(one),
        other: this.#hosts.nameOf(other),
        windows: clockWindows(delays),
        changes: delayChanges(delays, drift),
      };
    }
    this.#drifts = drifts;
  }

  /** The ways, by the names of their hosts. */
  async paths(): Promise<Path[]> {
    if (this.#drifts === undefined) { for await (const _ of this.clocks()); }
    const rows = await this.#source.paths(this.#drifts!);
    return rows.map((row) => withFounded(this.#toPath(row))).sort((one, other) =>
      compare(one.clientHost, other.clientHost) || compare(one.serverHost, other.serverHost)
    );
  }

  #toPath([clientKey, serverKey, ...values]: Value[]): Path {
    const of = (name: typeof PATH_VALUES[number]) => {
      const value = values[PATH_VALUES.indexOf(name)];
      return value === null ? null : Number(value);
    };
    return {
      clientHost: this.#hosts.nameOf(String(clientKey)),
      serverHost: this.#hosts.nameOf(String(serverKey)),
      handshakes: of("handshakes")!,
      paired: of("paired")!,
      synsLost: of("all_syns_lost") ?? 0,
      synAcksLost: of("all_syn_acks_lost") ?? 0,
      networkRttP50Ns: of("network_rtt_p50_ns"),
      networkRttP99Ns: of("network_rtt_p99_ns"),
      forwardWaitP99Ns: of("wait_there_p99_ns"),
      backWaitP99Ns: of("wait_back_p99_ns"),
      verdicts: sorted(
        VERDICT_NAMES.map((verdict, at): [Verdict, number] => [
          verdict,
          Number(values[PATH_VALUES.length + at]),
        ]).filter(([, count]) => count > 0),
      ),
    };
  }
}

/** Whether both hosts of a path told of handshakes with the other, and no two fit. */
export function isUnjoined({ handshakes, paired, verdicts }: Path): boolean {
  const ofServer = new Map(verdicts).get("client_end_not_seen") ?? 0;
  return paired === 0 && ofServer > 0 && ofServer < handshakes;
}

/** What is said instead of a verdict that is unfounded between two hosts of which no two ends fit. */
const UNKNOWN: Verdict = "server_end_not_seen";

/** Whether a verdict is unfounded between such hosts; see {@linkcode FOUNDED_ON_NUMBERS}. */
function isUnfounded(verdict: Value): boolean {
  return FOUNDED_ON_NUMBERS.includes(verdict as Verdict);
}

/** A path without what is unfounded where nothing could be joined. */
function withFounded(path: Path): Path {
  if (!isUnjoined(path)) return path;
  const counts = new Map<Verdict, number>();
  for (const [verdict, count] of path.verdicts) {
    const founded = isUnfounded(verdict) ? UNKNOWN : verdict;
    counts.set(founded, (counts.get(founded) ?? 0) + count);
  }
  return { ...path, synsLost: 0, verdicts: sorted([...counts]) };
}

/** Verdicts by how frequent they are, the most frequent first. */
function sorted(verdicts: [Verdict, number][]): [Verdict, number][] {
  return verdicts.sort(([one, many], [other, more]) => more - many || compare(one, other));
}

/** The least delays of each two hosts: rows come in their order. */
async function* delaysOfHosts(
  pieces: AsyncIterable<Value[][]>,
): AsyncGenerator<{ one: string; other: string; delays: LeastDelay[] }> {
  let now: { one: string; other: string; delays: LeastDelay[] } | undefined;
  for await (const rows of pieces) {
    for (const [oneKey, otherKey, isToOther, at, delay, packets] of rows) {
      const [one, other] = [String(oneKey), String(otherKey)];
      if (now === undefined || now.one !== one || now.other !== other) {
        if (now !== undefined) yield now;
        now = { one, other, delays: [] };
      }
      now.delays.push({
        atNs: BigInt(at as string | number),
        isToOther: isToOther === true || isToOther === 1,
        delayNs: Number(delay),
        packets: Number(packets),
      });
    }
  }
  if (now !== undefined) yield now;
}
