/**
 * Finds the handshakes that two hosts saw in stores and files, by DuckDB.
 *
 * @module
 */
import { DUCKDB } from "../query/dialect.ts";
import type { Database } from "../query/duckdb.ts";
import { countRecords } from "../query/find_repeats.ts";
import { type RecordsOptions, withRecords } from "../query/records.ts";
import {
  FoundPairs,
  type PairSource,
  pairsSql,
  unjoinedSql,
  VERDICT_NAMES,
} from "./found_pairs.ts";
import { Hosts } from "./hosts.ts";
import {
  alikeEndsSql,
  endsSql,
  HOSTS_SQL,
  matchesSql,
  NAMELESS_SQL,
  NEEDED_COLUMNS,
  ROUGH_SQL,
  TRACERS_SQL,
} from "./matches_sql.ts";
import { driftsSql, PAIRS_SQL, PAIRS_WITH_DRIFTS, WATCHING_SQL } from "./pairs_sql.ts";
import { type HostPairValue, leastSql, pathsSql } from "./pair_rules.ts";

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
  return await withRecords({ ...options, needed: NEEDED_COLUMNS }, async (records) => {
    const { database } = records;
    const lines = { ...records.lines, records: await countRecords(database) };
    const isToldTwice = (await database.ask(TRACERS_SQL)).values.length > 0;
    for (const end of ["client", "server"] as const) await database.run(endsSql(end, isToldTwice));
    const hosts = await readHosts(database);
    await findMatches(database);
    for (const step of [...WATCHING_SQL, ...PAIRS_SQL]) await database.run(step);
    const notes = [...hosts.notes, ...hosts.describeClocks(await readOffsets(database))];
    return await use(new FoundPairs(lines, notes, hosts, sourceOf(database)));
  });
}

/** Of an end that two hosts told four times each there are so many others of its side with its number. */
const ALIKE_AN_END = 4;

/** Makes the table of matches of the ends. */
export async function findMatches(database: Pick<Database, "run" | "ask">): Promise<void> {
  const [salt] = crypto.getRandomValues(new Uint32Array(1));
  const { values: [[ends, alike]] } = await database.ask(alikeEndsSql(salt));
  const isCrowded = Number(alike) > ALIKE_AN_END * Number(ends);
  for (const step of matchesSql(isCrowded)) await database.run(step);
}

/** What would be run to find pairs, but for the filter. */
export function describePairsSql(): string {
  const steps = [endsSql("client", false), endsSql("server", false), ...matchesSql(false)];
  return [...steps, ...WATCHING_SQL, ...PAIRS_SQL, LEAST_SQL, driftsSql([]), PATHS_SQL]
    .map((each) => `${each.trim()};\n`).join("");
}

const LEAST_SQL = leastSql(DUCKDB, "pairs");
const PATHS_SQL = pathsSql(DUCKDB, PAIRS_WITH_DRIFTS, VERDICT_NAMES);

function sourceOf(database: Database): PairSource {
  return {
    unjoined: async () => (await database.ask(unjoinedSql("pairs"))).values,
    pairs: () => database.stream(pairsSql("pairs")),
    least: () => database.stream(LEAST_SQL),
    paths: async (drifts) => {
      await database.run(driftsSql(drifts));
      return (await database.ask(PATHS_SQL)).values;
    },
  };
}

async function readHosts(database: Database): Promise<Hosts> {
  const { values: [[nameless]] } = await database.ask(NAMELESS_SQL);
  const { values } = await database.ask(HOSTS_SQL);
  return new Hosts(
    values.map(([key, name, last]) => ({
      key: String(key),
      name: String(name),
      lastNs: BigInt(last as string | number),
    })),
    Number(nameless),
  );
}

async function readOffsets(database: Database): Promise<HostPairValue[]> {
  const { values } = await database.ask(ROUGH_SQL);
  return values.map(([client, server, offset]) => ({
    client: String(client),
    server: String(server),
    value: Number(offset),
  }));
}
