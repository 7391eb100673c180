/**
 * The views that questions are asked of, in DuckDB's SQL.
 *
 * @module
 */
import { NEAR_SECONDS } from "../../pipeline/twice_seen.ts";
import { COMMON, HANDSHAKE_COLUMNS, STATUS_COLUMNS } from "./columns.ts";
import { sqlFile } from "./lines_sql.ts";

/** The network's round trip and this host's time, by role: `networkRttNs` and `hostTimeNs` of `match/`. */
export const NETWORK_RTT_SQL = "CASE WHEN role = 'client' THEN rtt_client_ns " +
  "WHEN role = 'server' THEN rtt_server_ns ELSE rtt_client_ns + rtt_server_ns END";
export const HOST_TIME_SQL =
  "CASE WHEN role = 'client' THEN rtt_server_ns WHEN role = 'server' THEN rtt_client_ns END";

/** Makes the views of lines: all of them, those of records, and those of status lines and summaries. */
export function lineViewsSql(parquets: readonly string[]): string[] {
  const files = parquets.map(sqlFile).join(", ");
  const record = HANDSHAKE_COLUMNS.map(({ name }) => name).join(", ");
  const status = [...COMMON, ...STATUS_COLUMNS.map(({ name }) => name)].join(", ");
  return [
    `CREATE TEMP VIEW lines AS SELECT *, (file_index::UBIGINT << 40) | file_row_number AS nr ` +
    `FROM read_parquet([${files}], file_row_number = true)`,
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
 * Makes the views `records`, which a filter lets pass, and `handshakes`, each of which counts once.
 *
 * @param hasRepeats Whether the table of {@linkcode repeatsSql} was made.
 */
export function handshakeViewsSql(hasRepeats: boolean): string[] {
  const once = hasRepeats ? " ANTI JOIN repeats USING (nr)" : "";
  return [
    "CREATE TEMP VIEW records AS SELECT * EXCLUDE nr FROM passing",
    `CREATE TEMP VIEW handshakes AS SELECT * EXCLUDE nr FROM passing${once}`,
  ];
}

/** Asks whether any two told of one time, so that one handshake may be there twice: one row, or none. */
export const TELLERS_SQL = `
SELECT 1 FROM (
  SELECT first, max(last) OVER (ORDER BY first ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM (
    SELECT min(time) AS first, max(time) AS last FROM all_records
    GROUP BY coalesce(host_id, host), tracer
  )
) WHERE first <= before LIMIT 1`;

/**
 * Makes the table \`repeats\` of the records of handshakes that another host, or another tracer of this
 * one, told before: the same addresses, ports and initial sequence number of the client within 120 s.
 */
export function repeatsSql(condition: string | undefined): string[] {
  const where = condition === undefined ? "" : ` AND (${condition})`;
  return [
    `CREATE TEMP TABLE identities AS SELECT nr, epoch_ns(time) AS ns,
  hash(client_address, client_port, server_address, server_port, client_isn) AS identity,
  hash(coalesce(host_id, host), tracer) AS teller
FROM all_records WHERE client_isn IS NOT NULL${where}`,
    `CREATE TEMP TABLE shared AS SELECT identity FROM identities
GROUP BY identity HAVING min(teller) <> max(teller)`,
    `CREATE TEMP TABLE repeats AS SELECT nr FROM (
  SELECT nr, teller, ns, lag(teller) OVER one AS teller_before, lag(ns) OVER one AS ns_before
  FROM identities SEMI JOIN shared USING (identity)
  WINDOW one AS (PARTITION BY identity ORDER BY nr)
) WHERE teller <> teller_before AND abs(ns - ns_before) <= ${NEAR_SECONDS * 1e9}`,
    "DROP TABLE shared",
    "DROP TABLE identities",
  ];
}
