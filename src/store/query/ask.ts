/**
 * Asks a question of stores and files of records.
 *
 * @module
 */
import type { HandshakeFilter, Network } from "../../pipeline/filter.ts";
import { contains } from "../../pipeline/filter.ts";
import { RECORD_VERSION } from "../../record/fields.ts";
import { parseAddress } from "../../wire/address.ts";
import type { Answer } from "./answer_text.ts";
import { DUCKDB, sqlText } from "./dialect.ts";
import { Database, isFetched } from "./duckdb.ts";
import { filterSql, wideNetworks } from "./filter_sql.ts";
import { parquetFiles, type ParquetOptions } from "./parquet_files.ts";
import type { AnswerColumn, AnswerKind } from "./questions.ts";
import { handshakeViewsSql, lineViewsSql, repeatsSql, TELLERS_SQL } from "./views_sql.ts";

/** What is asked, and of what. */
export interface AskOptions extends Pick<ParquetOptions, "onProgress"> {
  inputs: readonly string[];
  filter: HandshakeFilter;
  /** Of the answer; undefined: as the database names them, a text each. */
  columns: readonly AnswerColumn[] | undefined;
  sql: string;
  memoryBytes: number;
  /** Called where the library is fetched first. */
  onFetch(): void;
  /** Told how to end what is being asked. */
  onBegin(interrupt: () => void): void;
}

/** What is known of the lines that were asked. */
export interface AskedLines {
  /** Lines that are no JSON, or not as a line of ours. */
  unreadable: number;
  /** The latest version of a record, where it is later than this tool's. */
  newerVersion: number | undefined;
  /** Records that the filter let pass: those that another told before are among them. */
  records: number;
}

/**
 * Asks.
 *
 * @throws {InputError} With a whole sentence: an input cannot be read. @throws {SqlError} DuckDB refuses.
 */
export async function ask(options: AskOptions): Promise<Answer & { lines: AskedLines }> {
  if (!isFetched()) options.onFetch();
  const folder = await Deno.makeTempDir({ prefix: "synsnoop-query-" });
  try {
    const { memoryBytes } = options;
    using database = await Database.open({ memoryBytes, folder });
    options.onBegin(() => database.interrupt());
    return await askOf(database, folder, options);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function askOf(database: Database, folder: string, options: AskOptions) {
  const { inputs, filter, onProgress, sql } = options;
  const parquets = await parquetFiles(inputs, { database, folder, hours: filter, onProgress });
  for (const view of lineViewsSql(parquets)) await database.run(view);
  await database.shutIn(parquets);
  const condition = filterSql(filter, DUCKDB, await addressTables(database, filter));
  const isToldTwice = (await database.ask(TELLERS_SQL)).values.length > 0;
  if (isToldTwice) { for (const step of repeatsSql(condition)) await database.run(step); }
  for (const view of handshakeViewsSql(condition, isToldTwice)) await database.run(view);
  const lines = await describeLines(database);
  const { columns, values } = await database.ask(sql);
  return { columns: options.columns ?? columns.map(toColumn), rows: values, lines };
}

/** What would be run for a question, but for what finds the records that are told twice. */
export function describeSql(filter: HandshakeFilter, sql: string): string {
  const names = wideNetworks(filter).map((each, at) => [each, addressTable(at)] as const);
  const condition = filterSql(filter, DUCKDB, new Map(names));
  return [...handshakeViewsSql(condition, false), sql].map((each) => `${each};\n`).join("");
}

async function describeLines(database: Database): Promise<AskedLines> {
  const { values: [[unreadable, version, records]] } = await database.ask(
    "SELECT count(*) FILTER (event IS NULL), max(v), (SELECT count(*) FROM passing) FROM lines",
  );
  const newest = Number(version ?? 0);
  return {
    unreadable: Number(unreadable),
    newerVersion: newest > RECORD_VERSION ? newest : undefined,
    records: Number(records),
  };
}

/** Tables of the addresses that are in the networks of a filter: DuckDB itself knows no networks. */
async function addressTables(
  database: Database,
  filter: HandshakeFilter,
): Promise<Map<readonly Network[], string>> {
  const tables = new Map<readonly Network[], string>();
  for (const [at, networks] of wideNetworks(filter).entries()) {
    const table = addressTable(at);
    const { values } = await database.ask(
      "SELECT client_address FROM all_records UNION SELECT server_address FROM all_records",
    );
    const within = values.flat().filter((text): text is string => {
      const words = typeof text === "string" ? parseAddress(text) : undefined;
      return words !== undefined && networks.some((network) => contains(network, words));
    });
    await database.run(`CREATE TEMP TABLE ${table} (address VARCHAR)`);
    for (let from = 0; from < within.length; from += ROWS_AT_ONCE) {
      const rows = within.slice(from, from + ROWS_AT_ONCE).map((text) => `(${sqlText(text)})`);
      await database.run(`INSERT INTO ${table} VALUES ${rows.join(", ")}`);
    }
    tables.set(networks, table);
  }
  return tables;
}

/** The table of the addresses in the networks of {@linkcode wideNetworks}. */
function addressTable(at: number): string {
  return `addresses_${at}`;
}

const ROWS_AT_ONCE = 1_000;

/** How a column of `--sql` is shown: by its name and its type. */
function toColumn({ name, type }: { name: string; type: string }): AnswerColumn {
  return { name, kind: kindOf(name, type) };
}

function kindOf(name: string, type: string): AnswerKind {
  if (type.startsWith("TIMESTAMP")) return "time";
  if (!/INT|DOUBLE|FLOAT|DECIMAL/.test(type) || type.includes("[") || type.includes("(")) {
    return "text";
  }
  return name.endsWith("_ns") ? "ns" : "number";
}
