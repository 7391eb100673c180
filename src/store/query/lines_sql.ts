/**
 * Lines of NDJSON as a table, in DuckDB's SQL: each line a row, each field a column with its type.
 *
 * @module
 */
import { LINE_MAX } from "../../record/record_reader.ts";
import { type Column, type ColumnType, HANDSHAKE_COLUMNS, STATUS_COLUMNS } from "./columns.ts";
import { sqlName, sqlText } from "./dialect.ts";
import { HASH_COLUMNS } from "./repeats_sql.ts";

/** Every column of a line, whatever kind it is. */
export const LINE_COLUMNS: readonly Column[] = [...HANDSHAKE_COLUMNS, ...STATUS_COLUMNS];

/** Types as DuckDB names them. */
const DUCKDB_TYPES: Readonly<Record<ColumnType, string>> = {
  text: "VARCHAR",
  texts: "VARCHAR[]",
  boolean: "BOOLEAN",
  // As text first: as a time of the reader it would lose its nanoseconds.
  time: "VARCHAR",
  json: "JSON",
  uint8: "UTINYINT",
  uint16: "USMALLINT",
  uint32: "UINTEGER",
  uint64: "UBIGINT",
  int64: "BIGINT",
};

/** Where the metadata of a Parquet file tell what its lines are. */
export const FACTS_KEY = "synsnoop";

/** Rows of a row group: a quarter of the usual, which takes a quarter of the memory. */
const GROUP_ROWS = 30_720;

/** A file of lines. */
export interface LinesFile {
  path: string;
  compression: "uncompressed" | "gzip" | "zstd";
  /**
   * Whether each line is one that this version writes. Of another file the statement fails at the first
   * line that is no JSON or has a value that does not fit its column.
   */
  isSound: boolean;
}

/** The rows of a file. */
export function linesSql(
  { path, compression, isSound }: LinesFile,
  lineColumns: readonly Column[] = LINE_COLUMNS,
): string {
  const columns = members(lineColumns, "")
    .map(({ name, type }) => `${sqlName(name)}: ${sqlText(type)}`).join(", ");
  const selected = lineColumns.map(({ name, path, type }) => {
    const value = path.split(".").map(sqlName).join(".");
    return `${type === "time" ? timeSql(value) : value} AS ${name}`;
  });
  return `SELECT ${selected.join(", ")} FROM read_json(${sqlFile(path)}, ` +
    `format = 'newline_delimited', records = 'true', compression = ${sqlText(compression)}, ` +
    `ignore_errors = ${isSound}, maximum_object_size = ${LINE_MAX}, ` +
    `columns = {${columns}})`;
}

/**
 * Writes the rows of a file into a Parquet file, with the hashes of what they have. It is there to be read
 * fast: zstd makes it smaller by a quarter, and what reads it takes a third more CPU.
 *
 * @param facts Stands in its metadata under {@linkcode FACTS_KEY}.
 */
export function toParquetSql(
  file: LinesFile,
  parquet: string,
  columns: readonly Column[],
  facts: string,
): string {
  const isThere = (name: string) => columns.some((column) => column.name === name);
  const hashes = HASH_COLUMNS.filter(({ of }) => of.every(isThere))
    .map(({ name, sql }) => `, ${sql} AS ${name}`).join("");
  return `COPY (SELECT *${hashes} FROM (${linesSql(file, columns)})) TO ${sqlText(parquet)} ` +
    `(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE ${GROUP_ROWS}, ` +
    `KV_METADATA {${FACTS_KEY}: ${sqlText(facts)}})`;
}

/** A path as a literal: what a pattern would be made of stands for itself. */
export function sqlFile(path: string): string {
  return sqlText(path.replaceAll(/[*?[]/g, "[$&]"));
}

/** A text as a time, where it is one as records have them. */
function timeSql(text: string): string {
  return `CASE WHEN ${text} LIKE '____-__-__T__:__:__.%Z' AND strlen(${text}) = 30 ` +
    `THEN try_cast(${text} AS TIMESTAMP_NS) END`;
}

interface Member {
  name: string;
  type: string;
}

/** The members of a level of the line, as the reader wants to have them. */
function members(columns: readonly Column[], level: string): Member[] {
  const found = new Map<string, string>();
  for (const { path, type } of columns) {
    const [name, ...deeper] = path.slice(level.length).split(".");
    if (found.has(name)) continue;
    const inner = `${level}${name}.`;
    found.set(
      name,
      deeper.length === 0 ? DUCKDB_TYPES[type] : structOf(
        columns.filter((column) => column.path.startsWith(inner)),
        inner,
      ),
    );
  }
  return [...found].map(([name, type]) => ({ name, type }));
}

function structOf(columns: readonly Column[], level: string): string {
  const inside = members(columns, level).map(({ name, type }) => `${sqlName(name)} ${type}`);
  return `STRUCT(${inside.join(", ")})`;
}
