/**
 * The views that questions are asked of, in DuckDB's SQL.
 *
 * @module
 */
import { NEAR_SECONDS } from "../../pipeline/twice_seen.ts";
import { type Column, COMMON, HANDSHAKE_COLUMNS, STATUS_COLUMNS } from "./columns.ts";
import { sqlFile } from "./lines_sql.ts";

/** The network's round trip and this host's time, by role: `networkRttNs` and `hostTimeNs` of `match/`. */
export const NETWORK_RTT_SQL = "CASE WHEN role = 'client' THEN rtt_client_ns " +
  "WHEN role = 'server' THEN rtt_server_ns ELSE rtt_client_ns + rtt_server_ns END";
export const HOST_TIME_SQL =
  "CASE WHEN role = 'client' THEN rtt_server_ns WHEN role = 'server' THEN rtt_client_ns END";

/** Makes the views of lines: all of them, those of records, and those of status lines and summaries. */
export function lineViewsSql(
  parquets: readonly string[],
  columns?: readonly Column[],
): string[] {
  const isThere = ({ name }: Column) => columns?.some((each) => each.name === name) ?? true;
  const files = parquets.map(sqlFile).join(", ");
  const record = HANDSHAKE_COLUMNS.filter(isThere).map(({ name }) => name).join(", ");
  const status = [...COMMON, ...STATUS_COLUMNS.filter(isThere).map(({ name }) => name)].join(", ");
  return [
    `CREATE TEMP VIEW lines AS SELECT *, (file_index::UBIGINT << 40) | file_row_number AS nr ` +
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
 * Makes the views `records`, which a filter lets pass, and `handshakes`, each of which counts once.
 *
 * @param hasRepeats Whether the table of {@linkcode REPEATS_SQL} was made.
 */
export function handshakeViewsSql(hasRepeats: boolean): string[] {
  const once = hasRepeats ? " ANTI JOIN repeats USING (nr)" : "";
  return [
    "CREATE TEMP VIEW records AS SELECT * EXCLUDE nr FROM passing",
    `CREATE TEMP VIEW handshakes AS SELECT * EXCLUDE nr FROM passing${once}`,
  ];
}

const NEAR_NS = NEAR_SECONDS * 1e9;

/**
 * Makes the table `shared_servers`: those of which two, hosts or tracers of one, told at one time. Only
 * their handshakes can be there twice.
 */
export const SHARED_SERVERS_SQL = `CREATE TEMP TABLE shared_servers AS
SELECT DISTINCT server_address, server_port FROM (
  SELECT server_address, server_port, first, max(last) OVER (
    PARTITION BY server_address, server_port ORDER BY first
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ) AS before
  FROM (
    SELECT server_address, server_port, min(epoch_ns(time)) AS first, max(epoch_ns(time)) AS last
    FROM passing GROUP BY server_address, server_port, coalesce(host_id, host), tracer
  )
) WHERE first - before <= ${NEAR_NS}`;

/**
 * Makes the table `repeats` of the records of handshakes that another host, or another tracer of this
 * one, told before: the same addresses, ports and initial sequence number of the client, each within
 * 120 s of the next.
 */
export const REPEATS_SQL: readonly string[] = [
  `CREATE TEMP VIEW told AS SELECT nr, epoch_ns(time) AS ns,
  hash(client_address, client_port, server_address, server_port, client_isn) AS identity,
  CAST(hash(coalesce(host_id, host), tracer) >> 32 AS UINTEGER) AS teller
FROM passing SEMI JOIN shared_servers USING (server_address, server_port)
WHERE client_isn IS NOT NULL`,
  `CREATE TEMP TABLE repeats AS
SELECT CASE WHEN records = 2 THEN last_nr END AS nr, CASE WHEN records > 2 THEN identity END AS unclear
FROM (
  SELECT identity, count(*) AS records, max(nr) AS last_nr, max(ns) - min(ns) AS apart_ns
  FROM told GROUP BY identity HAVING min(teller) <> max(teller)
) WHERE records > 2 OR apart_ns <= ${NEAR_NS}`,
  // Of more than two it must be seen who told which.
  `INSERT INTO repeats SELECT nr, NULL FROM (
  SELECT nr, teller, first_value(teller) OVER (PARTITION BY identity, run ORDER BY nr) AS first_teller
  FROM (
    SELECT *, count(*) FILTER (waited > ${NEAR_NS}) OVER (PARTITION BY identity ORDER BY ns) AS run
    FROM (
      SELECT *, ns - lag(ns) OVER (PARTITION BY identity ORDER BY ns) AS waited
      FROM told SEMI JOIN (
        SELECT unclear AS identity FROM repeats WHERE unclear IS NOT NULL
      ) USING (identity)
    )
  )
) WHERE teller <> first_teller`,
];
