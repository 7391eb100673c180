/**
 * Lines of NDJSON as a table, in DuckDB's SQL: each line a row, each field a column with its type.
 *
 * @module
 */
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

/** Longer lines than the reader of records takes are none. */
const LINE_MAX_BYTES = 1 << 20;
/** Rows of a row group: a quarter of the usual, which takes a quarter of the memory. */
const GROUP_ROWS = 30_720;

/**
 * The rows of a file.
 *
 * @param file As {@linkcode sqlFile} writes it. @param compression `uncompressed`, `gzip` or `zstd`.
 */
export function linesSql(
  file: string,
  compression: string,
  lineColumns: readonly Column[] = LINE_COLUMNS,
): string {
  const columns = members(lineColumns, "")
    .map(({ name, type }) => `${sqlName(name)}: ${sqlText(type)}`).join(", ");
  const selected = lineColumns.map(({ name, path, type }) => {
    const value = path.split(".").map(sqlName).join(".");
    return `${type === "time" ? `try_cast(${value} AS TIMESTAMP_NS)` : value} AS ${name}`;
  });
  return `SELECT ${selected.join(", ")} FROM read_json(${file}, format = 'newline_delimited', ` +
    `compression = ${sqlText(compression)}, ignore_errors = true, ` +
    `maximum_object_size = ${LINE_MAX_BYTES}, columns = {${columns}})`;
}

/** Writes the rows of a file into a Parquet file, with the hashes of what they have. */
export function toParquetSql(
  file: string,
  compression: string,
  parquet: string,
  columns: readonly Column[],
): string {
  const isThere = (name: string) => columns.some((column) => column.name === name);
  const hashes = HASH_COLUMNS.filter(({ of }) => of.every(isThere))
    .map(({ name, sql }) => `, ${sql} AS ${name}`).join("");
  return `COPY (SELECT *${hashes} FROM (${linesSql(file, compression, columns)})) TO ${
    sqlText(parquet)
  } ` +
    `(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${GROUP_ROWS})`;
}

/** A path as a literal: what a pattern would be made of stands for itself. */
export function sqlFile(path: string): string {
  return sqlText(path.replaceAll(/[*?[]/g, "[$&]"));
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
