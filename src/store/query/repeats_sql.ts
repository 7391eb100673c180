/**
 * Which records tell a handshake that another teller told too, in DuckDB's SQL.
 *
 * A teller is a run of the tool on a host. Of records of one handshake (the same addresses, ports and initial
 * sequence number of the client) that are at most {@linkcode NEAR_SECONDS} apart, those of the least teller
 * count, by its name: which one that is depends on no clock and on no order of files.
 *
 * @module
 */
import { NEAR_SECONDS } from "../../pipeline/twice_seen.ts";

/** A column of Parquet files that is made of others. */
export interface HashColumn {
  name: string;
  sql: string;
  /** The columns that it is made of. */
  of: readonly string[];
}

const TUPLE = ["client_address", "client_port", "server_address", "server_port"];

/**
 * Columns that a Parquet file has beside those of its lines, so that texts need not be hashed for each
 * question. Hashes are DuckDB's: where it makes other ones, these columns need other names, and so all
 * Parquet files are made again.
 */
export const HASH_COLUMNS: readonly HashColumn[] = [
  { name: "tuple_hash", sql: `hash(${TUPLE.join(", ")})`, of: TUPLE },
  {
    name: "teller_hash",
    sql: "hash(coalesce(host_id, host), coalesce(tracer, ''))",
    of: ["host_id", "host", "tracer"],
  },
];

const NEAR_NS = NEAR_SECONDS * 1e9;

/** Makes the table `tellers`, each with its place among all, and its first and last times. */
export const TELLERS_SQL = `CREATE TEMP TABLE tellers AS
SELECT *, CAST(row_number() OVER (ORDER BY host || chr(10) || tracer) AS UINTEGER) AS place
FROM (
  SELECT teller_hash, count(*) AS records,
    min(epoch_ns(time)) AS first_ns, max(epoch_ns(time)) AS last_ns,
    coalesce(any_value(host_id), any_value(host)) AS host, coalesce(any_value(tracer), '') AS tracer
  FROM passing GROUP BY teller_hash
)`;

/** Asks how many records there are, and tellers, and whether two of these told at one time. */
export const TOLD_SQL =
  `SELECT CAST(coalesce(sum(records), 0) AS BIGINT), count(*), coalesce(bool_or(is_beside), false)
FROM (
  SELECT records, first_ns - max(last_ns) OVER (
    ORDER BY first_ns ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ) <= ${NEAR_NS} AS is_beside FROM tellers
)`;

/** Makes the view `told`, of what may be there twice. */
export const TOLD_VIEW_SQL = `CREATE TEMP VIEW told AS
SELECT nr, epoch_ns(time) AS ns, hash(tuple_hash, client_isn) AS identity, place
FROM passing JOIN tellers USING (teller_hash) WHERE client_isn IS NOT NULL`;

/**
 * Makes the table `repeats` of the records that do not count, some of them more than once.
 *
 * @param limit Of its rows: where there are so many, {@linkcode ALL_REPEATS_SQL} finds them.
 */
export function repeatsSql(tellers: number, limit: number): string {
  return `CREATE TEMP TABLE repeats AS
SELECT other.nr FROM told AS one JOIN told AS other
ON one.identity = other.identity AND one.place < other.place
WHERE one.place < ${tellers} AND other.place > 1 AND abs(one.ns - other.ns) <= ${NEAR_NS}
LIMIT ${limit}`;
}

/**
 * The same, slower, but not by each pair: whoever repeats one SYN all day makes one handshake of as many
 * records as he likes.
 */
export const ALL_REPEATS_SQL = `CREATE OR REPLACE TEMP TABLE repeats AS
SELECT nr FROM (
  SELECT nr, place, min(place) OVER (
    PARTITION BY identity ORDER BY ns RANGE BETWEEN ${NEAR_NS} PRECEDING AND ${NEAR_NS} FOLLOWING
  ) AS least_place FROM told
) WHERE least_place < place`;
