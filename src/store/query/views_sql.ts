/**
 * The views that questions are asked of, in DuckDB's SQL.
 *
 * @module
 */
import { type Column, COMMON, HANDSHAKE_COLUMNS, STATUS_COLUMNS } from "./columns.ts";
import { sqlFile } from "./lines_sql.ts";
import { HASH_COLUMNS } from "./repeats_sql.ts";

/** The network's round trip and this host's time, by role: `networkRttNs` and `hostTimeNs` of `match/`. */
export const NETWORK_RTT_SQL = "CASE WHEN role = 'client' THEN rtt_client_ns " +
  "WHEN role = 'server' THEN rtt_server_ns ELSE rtt_client_ns + rtt_server_ns END";
export const HOST_TIME_SQL =
  "CASE WHEN role = 'client' THEN rtt_server_ns WHEN role = 'server' THEN rtt_client_ns END";

const HASHES = HASH_COLUMNS.map(({ name }) => name);

/** Bits of the number of a row that are its place in its file. */
const ROW_BITS = 40;

/** The number of a row, by the places of its file and of itself there. */
export function nrOf(file: string, row: string): string {
  return `(${file}::UBIGINT << ${ROW_BITS}) | ${row}::UBIGINT`;
}

/** The place of the file of a row. @param nr Its number. */
export function fileOf(nr: string): string {
  return `(${nr} >> ${ROW_BITS})`;
}

/** The place of a row in its file. @param nr Its number. */
export function rowOf(nr: string): string {
  return `(${nr} & ${2 ** ROW_BITS - 1})`;
}

/** What {@linkcode lineViewsSql} makes, the last first. */
export const LINE_VIEWS = [
  "VIEW IF EXISTS all_records",
  "VIEW IF EXISTS status",
  "VIEW IF EXISTS lines",
];

/** Makes the views of lines: all of them, those of records, and those of status lines and summaries. */
export function lineViewsSql(
  parquets: readonly string[],
  columns?: readonly Column[],
): string[] {
  const isThere = ({ name }: Column) => columns?.some((each) => each.name === name) ?? true;
  const files = parquets.map(sqlFile).join(", ");
  const record = [
    ...HANDSHAKE_COLUMNS.filter(isThere).map(({ name }) => name),
    ...columns === undefined ? HASHES : [],
  ].join(", ");
  const status = [...COMMON, ...STATUS_COLUMNS.filter(isThere).map(({ name }) => name)].join(", ");
  return [
    `CREATE TEMP VIEW lines AS SELECT *, ${nrOf("file_index", "file_row_number")} AS nr ` +
    `FROM read_parquet([${files}], file_row_number = true${
      columns ? ", union_by_name = true" : ""
    })`,
    `CREATE TEMP VIEW status AS SELECT ${status} FROM lines WHERE event IN ('status', 'summary')`,
    `CREATE TEMP VIEW all_records AS SELECT nr, ${record}, ${NETWORK_RTT_SQL} AS network_rtt_ns, ` +
    `${HOST_TIME_SQL} AS host_time_ns FROM lines WHERE event = 'handshake'`,
  ];
}

/** Makes the view of the records that a filter lets pass. @param condition Of it; undefined: all. */
export function passingSql(condition: string | undefined): string {
  const where = condition === undefined ? "" : ` WHERE ${condition}`;
  return `CREATE TEMP VIEW passing AS SELECT * FROM all_records${where}`;
}

/**
 * Makes the views `records`, which a filter lets pass, and `handshakes`, each of which counts once; for our
 * own questions `hashed_handshakes`, the same with the hashes of their Parquet files.
 *
 * @param hasRepeats Whether there is `repeats` of `repeats_sql.ts`.
 */
export function handshakeViewsSql(hasRepeats: boolean): string[] {
  const once = hasRepeats ? " ANTI JOIN repeats USING (nr)" : "";
  const own = ["nr", ...HASHES].join(", ");
  return [
    `CREATE TEMP VIEW records AS SELECT * EXCLUDE (${own}) FROM passing`,
    `CREATE TEMP VIEW handshakes AS SELECT * EXCLUDE (${own}) FROM passing${once}`,
    `CREATE TEMP VIEW hashed_handshakes AS SELECT * EXCLUDE (nr) FROM passing${once}`,
  ];
}
