/**
 * Records as DuckDB sees them: opened, filtered, shut in, and closed again.
 *
 * @module
 */
import { InputError } from "../../files/input_error.ts";
import { messageOf } from "../../text/message.ts";
import { contains, type HandshakeFilter, type Network } from "../../pipeline/filter.ts";
import { RECORD_VERSION } from "../../record/fields.ts";
import { parseAddress } from "../../wire/address.ts";
import type { Column } from "./columns.ts";
import { DUCKDB, sqlText } from "./dialect.ts";
import { Database, isFetched, SqlError } from "./duckdb.ts";
import { filterSql, wideNetworks } from "./filter_sql.ts";
import type { Known } from "./find_repeats.ts";
import { LINE_COLUMNS } from "./lines_sql.ts";
import { parquetFiles, type ParquetOptions } from "./parquet_files.ts";
import { NotedFiles } from "./noted_files.ts";
import { knowRepeats } from "./told_files.ts";
import { lineViewsSql, passingSql } from "./views_sql.ts";

/** Which records, and who hears of the work with them. */
export interface RecordsOptions extends Pick<ParquetOptions, "onProgress"> {
  inputs: readonly string[];
  filter: HandshakeFilter;
  memoryBytes: number;
  /** Columns that are asked for, beside those that the filter is about; absent: all. */
  needed?: readonly string[];
  /** Whether it is asked which records are told twice; of such a question all columns are there. */
  needsRepeats?: boolean;
  /** Called where the library is fetched first. */
  onFetch(): void;
  /** Told how to end what is being asked. */
  onBegin(interrupt: () => void): void;
}

/** What is known of the lines that are asked. */
export interface OpenLines {
  /** Files that have lines which are no records, or were torn, and what is told of those as the end of a sentence. */
  refused: readonly { file: string; told: string }[];
  /** The latest version of a record, where it is later than this tool's. */
  newerVersion: number | undefined;
}

/** What is known of the lines that were asked. */
export interface AskedLines extends OpenLines {
  /** Records that the filter let pass: those that another told before are among them. */
  records: number;
}

/** The records, while they are open. */
export interface OpenRecords {
  /** Shut in; has the views of {@linkcode lineViewsSql} and `passing`. */
  database: Database;
  /** What is known before of records that are told twice. */
  known: Known;
  /** Whether there is a filter. */
  isFiltered: boolean;
  /** The files that are read. */
  paths: readonly string[];
  lines: OpenLines;
}

/**
 * Opens records for as long as something is done with them.
 *
 * @throws {InputError} With a whole sentence: an input cannot be read. @throws {SqlError} DuckDB refuses.
 */
export async function withRecords<T>(
  options: RecordsOptions,
  use: (records: OpenRecords) => Promise<T>,
): Promise<T> {
  if (!isFetched()) options.onFetch();
  const folder = await makeTemporaryFolder();
  try {
    const { memoryBytes } = options;
    using database = await Database.open({ memoryBytes, folder });
    const { promise: deaf, reject } = Promise.withResolvers<never>();
    options.onBegin(async () => {
      await database.interrupt();
      reject(new SqlError("it was interrupted"));
    });
    return await Promise.race([useRecords(database, folder, options, use), deaf]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** @throws {SqlError} Another process put other files in place of these, too: what was read may be of both. */
async function useRecords<T>(
  database: Database,
  folder: string,
  options: RecordsOptions,
  use: (records: OpenRecords) => Promise<T>,
): Promise<T> {
  const noted = new NotedFiles();
  try {
    const records = await openRecords(database, folder, noted, options);
    const result = await use(records);
    noted.assertSame(records.paths);
    return result;
  } catch (error) {
    if (error instanceof SqlError) noted.assertThere();
    throw error;
  }
}

async function makeTemporaryFolder(): Promise<string> {
  try {
    return await Deno.makeTempDir({ prefix: "synsnoop-query-" });
  } catch (error) {
    throw new InputError(
      `Cannot make a folder for temporary files: ${messageOf(error)}; let TMPDIR name one where ` +
        "this user may write",
    );
  }
}

async function openRecords(
  database: Database,
  folder: string,
  noted: NotedFiles,
  { inputs, filter, needed, needsRepeats, memoryBytes, onProgress }: RecordsOptions,
): Promise<OpenRecords> {
  const columns = needed && LINE_COLUMNS.filter(neededFor(needed, filter));
  const options = { database, folder, hours: filter, columns, memoryBytes, noted, onProgress };
  const made = await parquetFiles(inputs, options);
  const known = needsRepeats
    ? await knowRepeats(made, { database, folder, noted })
    : { files: made, paths: [], unknown: undefined, sql: undefined };
  const { files } = known;
  const parquets = files.map(({ path }) => path);
  for (const view of lineViewsSql(parquets, columns)) await database.run(view);
  const paths = [...parquets, ...known.paths];
  await database.shutIn(paths);
  const condition = filterSql(filter, DUCKDB, await addressTables(database, filter));
  await database.run(passingSql(condition));
  const refused = made.flatMap(({ madeOf: file, told }) =>
    told === undefined ? [] : [{ file, told }]
  );
  const isFiltered = condition !== undefined;
  return {
    database,
    known,
    isFiltered,
    paths,
    lines: { refused, newerVersion: await newerVersion(database) },
  };
}

/** Whether a column is asked for, or a filter is about it. */
function neededFor(
  asked: readonly string[],
  filter: HandshakeFilter,
): (column: Column) => boolean {
  const tables = wideNetworks(filter).map((each, at) => [each, addressTable(at)] as const);
  const names = filterSql(filter, DUCKDB, new Map(tables))?.match(/\w+/g) ?? [];
  const needed = new Set([...asked, ...names]);
  return ({ name }) => needed.has(name);
}

/** The latest version of a line, where this tool's is earlier. */
async function newerVersion(database: Database): Promise<number | undefined> {
  const { values: [[version]] } = await database.ask("SELECT max(v) FROM lines");
  const newest = Number(version ?? 0);
  return newest > RECORD_VERSION ? newest : undefined;
}

/** Addresses that are put into a table at a time. */
const ROWS_AT_ONCE = 1_000;

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
export function addressTable(at: number): string {
  return `addresses_${at}`;
}
