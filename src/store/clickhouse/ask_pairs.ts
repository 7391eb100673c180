/**
 * Finds the handshakes that two hosts saw in a fleet's ClickHouse, which joins them.
 *
 * @module
 */
import type { HandshakeFilter } from "../../pipeline/filter.ts";
import type { Value } from "../query/duckdb.ts";
import {
  FoundPairs,
  type PairSource,
  pairsSql,
  unjoinedSql,
  VERDICT_NAMES,
} from "../pairs/found_pairs.ts";
import { Hosts } from "../pairs/hosts.ts";
import { type HostPairValue, leastSql, pathsSql } from "../pairs/pair_rules.ts";
import { assertSchema, describeRecords, limitsOf } from "./ask_server.ts";
import type { ClickHouseServer, RequestOptions } from "./client.ts";
import { CLICKHOUSE } from "./dialect.ts";
import { hostsSql, pairsFrom, type PairsOf, roughSql, valueOf } from "./pairs_sql.ts";
import { clickHouseName, clickHouseText } from "./schema.ts";
import { tableCondition, viewsOf } from "./views_sql.ts";

/** What is asked. */
export interface AskPairsOptions {
  server: ClickHouseServer;
  filter: HandshakeFilter;
  /** Memory that the server may take for each question. */
  memoryBytes: number;
  /** Ends it, here and at the server. */
  signal?: AbortSignal;
}

/** Bytes of a statement: how far clocks are apart stands in it, where that is far. */
const STATEMENT_MAX_BYTES = 16e6;

/**
 * Finds pairs.
 *
 * @throws {ServerError} It is not answered as a whole: a sentence.
 * @throws {InputError} The records are of one host alone.
 */
export async function askPairs(
  { server, filter, memoryBytes, signal }: AskPairsOptions,
): Promise<FoundPairs> {
  const settings = {
    ...limitsOf(memoryBytes),
    max_query_size: STATEMENT_MAX_BYTES,
  };
  await assertSchema(server, signal);
  const request: RequestOptions = { settings, signal };
  const { database } = server;
  const lines = await describeRecords(
    server,
    viewsOf(database, tableCondition(filter)),
    request,
  );
  const all: PairsOf = {
    database,
    condition: tableCondition(filter),
    isToldTwice: false,
    offsets: [],
  };
  const { hosts, isToldTwice } = await readHosts(server, all, request);
  const joining = await withLocality(server, request);
  const offsets = await readOffsets(server, { ...all, isToldTwice }, joining);
  const of = { ...all, isToldTwice, offsets };
  const notes = [...hosts.notes, ...hosts.describeClocks(offsets)];
  return new FoundPairs(lines, notes, hosts, sourceOf(server, of, joining));
}

/** What would be run to find pairs, where no clocks are far apart. */
export function describeServerPairs(database: string, filter: HandshakeFilter): string {
  const of: PairsOf = {
    database,
    condition: tableCondition(filter),
    isToldTwice: false,
    offsets: [],
  };
  const pairs = pairsFrom(of);
  const steps = [hostsSql(of), roughSql(of), unjoinedSql(pairs), pairsSql(pairs)];
  return [...steps, leastSql(CLICKHOUSE, pairs), pathsOf(of, [])]
    .map((each) => `${each.trim()};\n`).join("");
}

function pathsOf(of: PairsOf, drifts: readonly HostPairValue[]): string {
  const ppb = valueOf("client_key", "server_key", drifts);
  const from = `(SELECT *, ${ppb} AS ppb FROM ${pairsFrom(of)}) AS pairs_with_drifts`;
  return pathsSql(CLICKHOUSE, from, VERDICT_NAMES);
}

/** The weights of a cluster's servers together, at most. */
const WEIGHT_MAX = 10_000;
/** What `Distributed` says of itself: the cluster, and what shards it. */
const DISTRIBUTED = /^Distributed\('?([^',]+)'?,.*, ifNull\(client_isn, 0\)\)/;
const LOCAL = { distributed_group_by_no_merge: 1 };

/**
 * Has each server of a cluster group its own records, where it holds all of one number: else what they
 * grouped is put together by the one that is asked, part by part. It is looked up, since a cluster may
 * have had fewer servers once, or records may have come to a server by another way.
 */
async function withLocality(
  server: ClickHouseServer,
  request: RequestOptions,
): Promise<RequestOptions> {
  const { database } = server;
  const { values: [[engine] = [""]] } = await server.ask(
    `SELECT engine_full FROM system.tables WHERE database = ${clickHouseText(database)} ` +
      "AND name = 'handshakes'",
    request,
  );
  const cluster = DISTRIBUTED.exec(String(engine))?.[1];
  if (cluster === undefined) return request;
  const { values: [[weight]] } = await server.ask(
    "SELECT toUInt64(sum(shard_weight)) FROM system.clusters " +
      `WHERE cluster = ${clickHouseText(cluster)} AND replica_num = 1`,
    request,
  );
  if (!(Number(weight) > 0 && Number(weight) <= WEIGHT_MAX)) return request;
  const local = { ...request, settings: { ...request.settings, ...LOCAL } };
  // Each server tells the slots that it has: one that two have is told twice.
  const { values: [[slots, different]] } = await server.ask(
    `SELECT count(), uniqExact(slot) FROM (SELECT ifNull(client_isn, 0) % ${weight} AS slot ` +
      `FROM ${clickHouseName(database)}.handshakes GROUP BY slot) AS slots`,
    local,
  );
  return slots === different ? local : request;
}

function sourceOf(
  server: ClickHouseServer,
  of: PairsOf,
  request: RequestOptions,
): PairSource {
  return {
    unjoined: async () => (await server.ask(unjoinedSql(pairsFrom(of)), request)).values,
    pairs: () => server.stream(pairsSql(pairsFrom(of)), request),
    least: () => server.stream(leastSql(CLICKHOUSE, pairsFrom(of)), request),
    paths: async (drifts) => (await server.ask(pathsOf(of, drifts), request)).values,
  };
}

async function readHosts(
  server: ClickHouseServer,
  of: PairsOf,
  request: RequestOptions,
): Promise<{ hosts: Hosts; isToldTwice: boolean }> {
  const { values } = await server.ask(hostsSql(of), request);
  const told = values.filter(([, , , ends]) => Number(ends) > 0)
    .map(([key, name, last]) => ({
      key: String(key),
      name: String(name),
      lastNs: BigInt(last as string | number),
    }));
  const byKey = Map.groupBy(values, ([key]) => String(key));
  const isToldTwice = [...byKey.values()].some((rows) => {
    const tracers = rows.flatMap(([, , , , first, last]) => [first, last])
      .filter((tracer): tracer is NonNullable<Value> => tracer !== null);
    return new Set(tracers).size > 1;
  });
  return { hosts: new Hosts(told, 0), isToldTwice };
}

async function readOffsets(
  server: ClickHouseServer,
  of: PairsOf,
  request: RequestOptions,
): Promise<HostPairValue[]> {
  const { values } = await server.ask(roughSql(of), request);
  return values.map(([client, serverKey, offset]) => ({
    client: String(client),
    server: String(serverKey),
    value: Number(offset),
  }));
}
