/**
 * Finds the handshakes that two hosts saw, and bounds how far their clocks are apart.
 *
 * @module
 */
import { InputError } from "../../files/input_error.ts";
import type { Database, Value } from "../query/duckdb.ts";
import { type AskedLines, type RecordsOptions, withRecords } from "../query/records.ts";
import { type ClockWindow, clockWindows, type LeastDelay } from "./clocks.ts";
import { type DelayChange, delayChanges, steadyDriftPpb } from "./delay_changes.ts";
import { endsSql, MATCHES_SQL, NAMELESS_SQL, NEEDED_COLUMNS, TRACERS_SQL } from "./matches_sql.ts";
import {
  driftsSql,
  FAR_CLOCKS_SQL,
  HOSTS_SQL,
  LEAST_SQL,
  PAIRS_SQL,
  PATHS_SQL,
  VERDICTS_SQL,
  WATCHING_SQL,
} from "./pairs_sql.ts";

/** The way from a client's host to a server's, as rows of `PATHS_SQL` tell it. */
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
  verdicts: [verdict: string, handshakes: number][];
}

/** The clocks of two hosts. */
export interface Clocks {
  one: string;
  other: string;
  windows: ClockWindow[];
  /** Since when a way between them takes longer. */
  changes: DelayChange[];
}

/** What is handed over, in this order. */
export interface FoundPairs {
  lines: AskedLines;
  /** What is to be said of the hosts, sentences. */
  notes: string[];
  paths: Path[];
  clocks: Clocks[];
  /** The rows of the pairs, in pieces, in the order of their times; see {@linkcode PAIR_COLUMNS}. */
  pairs(): AsyncIterable<Value[][]>;
}

/** The columns of a pair, in their order. */
export const PAIR_COLUMNS = [
  ...["tier", "verdict", "client_host", "server_host", "client_outcome", "server_outcome"],
  ...["client_reason", "server_reason", "client_address", "client_port", "server_address"],
  ...["server_port", "x", "y", "client_t", "server_t", "client_syn", "server_syn"],
  ...["client_syn_ack", "server_syn_ack", "syns_lost", "syn_acks_lost", "network_rtt_ns"],
] as const;

/**
 * Finds pairs.
 *
 * @param use Takes them, before the database is closed.
 * @throws {InputError} With a whole sentence: an input cannot be read, or tells of one host alone.
 */
export async function findPairs<T>(
  options: RecordsOptions,
  use: (found: FoundPairs) => Promise<T>,
): Promise<T> {
  return await withRecords({ ...options, needed: NEEDED_COLUMNS }, async ({ database, lines }) => {
    const notes = await makePairs(database);
    const clocks = await readClocks(database);
    return await use({
      lines,
      notes,
      paths: await readPaths(database, clocks),
      clocks,
      pairs: () =>
        database.stream(
          `SELECT ${PAIR_COLUMNS.join(", ")} FROM pairs ORDER BY coalesce(client_t, server_t)`,
        ),
    });
  });
}

/** What would be run to find pairs, but for the filter. */
export function describePairsSql(): string {
  const steps = [endsSql("client", false), endsSql("server", false), HOSTS_SQL, ...MATCHES_SQL];
  return [...steps, ...WATCHING_SQL, ...PAIRS_SQL, LEAST_SQL, driftsSql([]), PATHS_SQL]
    .map((each) => `${each.trim()};\n`).join("");
}

/** Makes the tables that pairs are asked of. @returns What is to be said of the records, sentences. */
async function makePairs(database: Database): Promise<string[]> {
  const isToldTwice = (await database.ask(TRACERS_SQL)).values.length > 0;
  for (const end of ["client", "server"] as const) await database.run(endsSql(end, isToldTwice));
  await database.run(HOSTS_SQL);
  const notes = await describeHosts(database);
  for (const step of [...MATCHES_SQL, ...WATCHING_SQL, ...PAIRS_SQL]) await database.run(step);
  return [...notes, ...await describeClocks(database)];
}

/** @throws {InputError} The records are of one host alone. */
async function describeHosts(database: Database): Promise<string[]> {
  const { values } = await database.ask(
    "SELECT name, host, sharing, names FROM hosts ORDER BY name, host",
  );
  const [[[nameless]]] = [(await database.ask(NAMELESS_SQL)).values];
  const isNameless = Number(nameless) > 0;
  if (values.length < 2) {
    const hosts = values.length === 0 ? "no host" : `"${values[0][0]}" alone`;
    const rest = isNameless ? `, ${nameless} of them name none` : "";
    throw new InputError(
      `Cannot find pairs: the records are of ${hosts}${rest}; give those of both ends of a handshake`,
    );
  }
  const shared = Map.groupBy(
    values.filter(([, , sharing]) => Number(sharing) > 1),
    ([name]) => name,
  );
  return [
    ...isNameless ? [`${nameless} records name no host, and are left out`] : [],
    ...[...shared].map(([name, hosts]) =>
      `${hosts.length} hosts are called "${name}": they are told apart by their ids`
    ),
    ...values.filter(([, , , names]) => (names as Value[]).length > 1).map(([, host, , names]) =>
      `${(names as string[]).map((name) => `"${name}"`).join(" and ")} are one host by its ` +
      `id: it is called "${host}"`
    ),
  ];
}

/** Clocks that are further apart than this are worth a word, nanoseconds. */
const FAR_NS = 60e9;

async function describeClocks(database: Database): Promise<string[]> {
  const { values } = await database.ask(FAR_CLOCKS_SQL);
  return values.filter(([, , offset]) => Math.abs(Number(offset)) >= FAR_NS)
    .map(([one, other, offset]) =>
      `the clock of "${other}" is about ${hours(Math.abs(Number(offset)))} ` +
      `${Number(offset) < 0 ? "behind" : "ahead of"} the one of "${one}": pairs are ` +
      "found by their numbers"
    );
}

function hours(ns: number): string {
  const minutes = ns / 60e9;
  return minutes < 120 ? `${minutes.toFixed(0)} minutes` : `${(minutes / 60).toFixed(1)} hours`;
}

async function readPaths(database: Database, clocks: readonly FoundClocks[]): Promise<Path[]> {
  await database.run(driftsSql(clocks));
  const { values: verdicts } = await database.ask(VERDICTS_SQL);
  const { values } = await database.ask(PATHS_SQL);
  return values.map((row) => {
    const [clientHost, serverHost] = [String(row[0]), String(row[1])];
    const [handshakes, paired, , synsLost, synAcksLost] = row.slice(2).map((it) => Number(it ?? 0));
    const [networkRttP50Ns, networkRttP99Ns, forwardWaitP99Ns, backWaitP99Ns] = row.slice(7)
      .map((it) => it === null ? null : Number(it));
    return {
      clientHost,
      serverHost,
      handshakes,
      paired,
      synsLost,
      synAcksLost,
      networkRttP50Ns,
      networkRttP99Ns,
      forwardWaitP99Ns,
      backWaitP99Ns,
      verdicts: verdicts.filter(([one, other]) => one === row[0] && other === row[1])
        .map(([, , verdict, count]): [string, number] => [String(verdict), Number(count)]),
    };
  });
}

/** Clocks, with the keys of their hosts and how fast they part, parts per billion. */
interface FoundClocks extends Clocks {
  keys: [one: string, other: string];
  drift: number;
}

async function readClocks(database: Database): Promise<FoundClocks[]> {
  const { values } = await database.ask(LEAST_SQL);
  const found = new Map<
    string,
    Omit<FoundClocks, "windows" | "changes" | "drift"> & { delays: LeastDelay[] }
  >();
  for (const [oneKey, otherKey, one, other, isToOther, at, delay, packets] of values) {
    const key = `${oneKey} ${otherKey}`;
    const clocks = found.get(key) ?? {
      keys: [String(oneKey), String(otherKey)],
      one: String(one),
      other: String(other),
      delays: [],
    };
    found.set(key, clocks);
    clocks.delays.push({
      atNs: BigInt(at as string | number),
      isToOther: isToOther === true,
      delayNs: Number(delay),
      packets: Number(packets),
    });
  }
  return [...found.values()].map(({ keys, one, other, delays }) => {
    const windows = clockWindows(delays);
    const drift = steadyDriftPpb(delays);
    return { keys, drift, one, other, windows, changes: delayChanges(delays, drift) };
  });
}
