/**
 * Fetches records and status lines from a server, as the lines that they were.
 *
 * @module
 */
import type { HandshakeFilter } from "../../pipeline/filter.ts";
import { type Column, HANDSHAKE_COLUMNS, STATUS_COLUMNS } from "../query/columns.ts";
import type { Value } from "../query/duckdb.ts";
import { filterSql } from "../query/filter_sql.ts";
import { assertSchema, limitsOf, timeOf } from "./ask_server.ts";
import type { ClickHouseServer } from "./client.ts";
import { CLICKHOUSE } from "./dialect.ts";
import { viewsOf } from "./views_sql.ts";

/** What is fetched, and where to. */
export interface FetchOptions {
  server: ClickHouseServer;
  filter: HandshakeFilter;
  /** A condition that records must fit beside the filter. */
  condition: string;
  /** Columns that are needed; those of other lines are left out of each. */
  columns: readonly string[];
  memoryBytes: number;
  signal?: AbortSignal;
}

/**
 * Fetches them into a file, as NDJSON.
 *
 * @param path Of the file, which is made. @returns How many lines there are.
 * @throws {ServerError} Not all of them came.
 */
export async function fetchLines(path: string, options: FetchOptions): Promise<number> {
  const { server, filter, condition, memoryBytes, signal } = options;
  await assertSchema(server, signal);
  const { records, status } = viewsOf(server.database, filterSql(filter, CLICKHOUSE));
  const needed = ({ name }: Column) => options.columns.includes(name);
  const parts = [
    [HANDSHAKE_COLUMNS.filter(needed), `${records} WHERE ${condition}`],
    [[...HANDSHAKE_COLUMNS.filter(isCommon), ...STATUS_COLUMNS].filter(needed), status],
  ] as const;
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  const encoder = new TextEncoder();
  let count = 0;
  for (const [columns, from] of parts) {
    const sql = `SELECT ${columns.map(selected).join(", ")} FROM ${from}`;
    const write = lineWriter(columns);
    for await (const rows of server.stream(sql, { settings: limitsOf(memoryBytes), signal })) {
      const bytes = encoder.encode(rows.map(write).join(""));
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      count += rows.length;
    }
  }
  return count;
}

const COMMON = ["v", "event", "time", "host", "host_id", "tracer"];

function isCommon({ name }: Column): boolean {
  return COMMON.includes(name);
}

/** A column as it is asked for: lists as one text without anything that needs escapes. */
function selected({ name, type }: Column): string {
  return type === "texts"
    ? `arrayStringConcat(arrayMap(each -> hex(each), ${name}), ',') AS ${name}_hex`
    : name;
}

/** Makes what writes a row of columns as a line: unknown is left out. */
export function lineWriter(columns: readonly Column[]): (row: readonly Value[]) => string {
  const root: Level = new Map();
  for (const [at, column] of columns.entries()) {
    const names = column.path.split(".");
    let level = root;
    for (const name of names.slice(0, -1)) {
      const found = level.get(name);
      const next: Level = found instanceof Map ? found : new Map();
      level.set(name, next);
      level = next;
    }
    level.set(names[names.length - 1], { at, column });
  }
  return (row) => `${objectOf(root, row)}\n`;
}

type Level = Map<string, Level | { at: number; column: Column }>;

function objectOf(level: Level, row: readonly Value[]): string {
  const members: string[] = [];
  for (const [name, member] of level) {
    const text = member instanceof Map
      ? objectOf(member, row)
      : jsonOf(row[member.at], member.column);
    if (text !== undefined) members.push(`${JSON.stringify(name)}:${text}`);
  }
  return `{${members.join()}}`;
}

function jsonOf(value: Value, { type }: Column): string | undefined {
  if (value === null) return undefined;
  const text = String(value);
  switch (type) {
    case "text":
      return JSON.stringify(text);
    case "texts":
      return `[${text === "" ? "" : text.split(",").map((each) => JSON.stringify(ofHex(each)))}]`;
    case "boolean":
      return text === "1" ? "true" : "false";
    case "time":
      return `"${timeOf(BigInt(text))}"`;
    case "json":
      return isJson(text) ? text : undefined;
    default:
      return text;
  }
}

function ofHex(hex: string): string {
  return new TextDecoder().decode(Uint8Array.fromHex(hex));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
