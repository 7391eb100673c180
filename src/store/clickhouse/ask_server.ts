/**
 * Asks a question of a fleet's ClickHouse.
 *
 * @module
 */
import type { HandshakeFilter } from "../../pipeline/filter.ts";
import { RECORD_VERSION } from "../../record/fields.ts";
import { formatTime } from "../../text/time.ts";
import type { Answer } from "../query/answer_text.ts";
import { HANDSHAKE_COLUMNS, STATUS_COLUMNS } from "../query/columns.ts";
import type { Asked } from "../query/ask.ts";
import type { Rows, Value } from "../query/duckdb.ts";
import type { AnswerColumn } from "../query/questions.ts";
import type { AskedLines } from "../query/records.ts";
import { checkSchema } from "./check_schema.ts";
import type { ClickHouseServer, RequestOptions } from "./client.ts";
import { ownSql } from "./own_sql.ts";
import { ServerError } from "./server_error.ts";
import { tableCondition, type Views, viewsOf, withViews } from "./views_sql.ts";

/** What is asked. */
export interface AskServerOptions {
  server: ClickHouseServer;
  filter: HandshakeFilter;
  asked: Asked;
  /** Memory that the server may take for it. */
  memoryBytes: number;
  /** Ends it, here and at the server. */
  signal?: AbortSignal;
}

/** How long a server may take for an answer. */
const ANSWER_MAX_SECONDS = 600;
/** Nanoseconds of a time: integers of 64 bits. */
const TIME_COLUMNS = new Set(
  [...HANDSHAKE_COLUMNS, ...STATUS_COLUMNS].filter(({ type }) => type === "time")
    .map(({ name }) => name),
);

/**
 * Asks.
 *
 * @throws {ServerError} It is not answered as a whole: a sentence.
 */
export async function askServer(
  { server, filter, asked, memoryBytes, signal }: AskServerOptions,
): Promise<Answer & { lines: AskedLines }> {
  const request: RequestOptions = { settings: limitsOf(memoryBytes), signal };
  const sql = asked.columns === undefined ? ownSql(asked.sql) : asked.sql;
  await assertSchema(server, signal);
  const views = viewsOf(server.database, tableCondition(filter));
  const lines = await describeRecords(server, views, request);
  const answer = await server.ask(withViews(sql, views), request);
  const shown = asked.columns ?? answer.columns.map(toColumn);
  return { columns: shown, rows: withTimes(answer, shown), lines };
}

/** What would be run for a question. */
export function describeServerSql(
  database: string,
  filter: HandshakeFilter,
  { sql }: Asked,
): string {
  return `${withViews(sql, viewsOf(database, tableCondition(filter)))};\n`;
}

/**
 * What a question may take of a server: what is grouped or sorted goes to its disk from half of it on
 * (earlier, and the many pieces there take the memory that they spare). What the servers of a cluster
 * grouped is put together part by part.
 */
export function limitsOf(memoryBytes: number): Record<string, number> {
  return {
    max_memory_usage: memoryBytes,
    max_bytes_before_external_group_by: Math.floor(memoryBytes / 2),
    max_bytes_before_external_sort: Math.floor(memoryBytes / 2),
    distributed_aggregation_memory_efficient: 1,
    max_execution_time: ANSWER_MAX_SECONDS,
  };
}

/** @throws {ServerError} The server has not the tables that this version knows. */
export async function assertSchema(
  server: ClickHouseServer,
  signal: AbortSignal | undefined,
): Promise<void> {
  const state = await checkSchema(server, signal);
  if (state.kind === "same") return;
  if (state.kind === "other") throw new ServerError("version", state.sentence);
  throw new ServerError(
    "no-table",
    `The database "${server.database}" of ${server.where} has no tables of synsnoop: ` +
      "synsnoop ship --apply makes them, --database names another",
  );
}

/** What is known of the records that are asked. */
export async function describeRecords(
  server: ClickHouseServer,
  { records }: Views,
  request: RequestOptions,
): Promise<AskedLines> {
  const { values } = await server.ask(
    `SELECT count() AS passing, max(v) AS newest FROM ${records}`,
    request,
  );
  const [passing, newest] = values[0].map((value) => Number(value ?? 0));
  return {
    // What is no record is never shipped.
    refused: [],
    newerVersion: newest > RECORD_VERSION ? newest : undefined,
    records: passing,
  };
}

/** How a column of `--sql` is shown: by its name and its type. */
function toColumn({ name, type }: Rows["columns"][number]): AnswerColumn {
  const isNumber = /^(?:Nullable\()?U?(?:Int|Float)\d+\)?$/.test(type);
  if (TIME_COLUMNS.has(name) && isNumber) return { name, kind: "time" };
  return { name, kind: isNumber ? name.endsWith("_ns") ? "ns" : "number" : "text" };
}

function withTimes({ values }: Rows, columns: readonly AnswerColumn[]): Value[][] {
  const times = columns.flatMap(({ kind }, at) => kind === "time" ? [at] : []);
  for (const row of values) {
    for (const at of times) if (row[at] !== null) row[at] = timeOf(BigInt(String(row[at])));
  }
  return values;
}

/** A time as records have it: RFC 3339, with nine digits behind the second. */
export function timeOf(ns: bigint): string {
  const second = 1_000_000_000n;
  return formatTime(Number(ns / second), Number(ns % second));
}
