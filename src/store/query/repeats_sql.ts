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

/** {@linkcode NEAR_SECONDS} in nanoseconds. */
export const NEAR_NS = NEAR_SECONDS * 1e9;
/** The last time to which so much can be added, in 2262: two times can be further apart than an integer holds. */
const LAST_NS = 2n ** 63n - 1n - BigInt(NEAR_NS);
const NS = `least(epoch_ns(time), ${LAST_NS})`;

const TELLER = `min(${NS}) AS first_ns, max(${NS}) AS last_ns,
  coalesce(any_value(host_id), any_value(host)) || chr(10) || coalesce(any_value(tracer), '') AS name`;

/** Makes the table `tellers`, each with its place among all, and its first and last times. */
export const TELLERS_SQL = `CREATE TEMP TABLE tellers AS
SELECT *, CAST(row_number() OVER (ORDER BY name) AS UINTEGER) AS place
FROM (SELECT teller_hash, count(*) AS records, ${TELLER} FROM passing GROUP BY teller_hash)`;

/** Asks who told the records of each file: its place, a name, and the first and last times. */
export function tellersOfFilesSql(files: readonly string[]): string {
  return `SELECT file, name, first_ns, last_ns FROM (
  SELECT file_index AS file, teller_hash, ${TELLER}
  FROM read_parquet([${files.join(", ")}]) WHERE event = 'handshake' GROUP BY ALL
)`;
}

/** Asks how many records there are, and tellers, and whether two of these told at one time. */
export const TOLD_SQL =
  `SELECT CAST(coalesce(sum(records), 0) AS BIGINT), count(*), coalesce(bool_or(is_beside), false)
FROM (
  SELECT records, first_ns <= ${NEAR_NS} + max(last_ns) OVER (
    ORDER BY first_ns ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ) AS is_beside FROM tellers
)`;

/** Makes the view `told`, of what may be there twice. */
export const TOLD_VIEW_SQL = `CREATE TEMP VIEW told AS
SELECT nr, ${NS} AS ns, hash(tuple_hash, client_isn) AS identity, place
FROM passing JOIN tellers USING (teller_hash) WHERE client_isn IS NOT NULL`;

/**
 * Asks, roughly, how many pairs of records of one handshake there are among the tellers that can be either
 * of a pair: {@linkcode triedSql} tries them all, also two that one teller told. Records are counted by a
 * byte of a hash of their identity: of the pairs within a byte those are taken off that would be there
 * if all identities were different.
 *
 * @param tellers How many there are. @param salt Any number that who made the records cannot know: he
 * could choose them so that this hides a pair.
 */
export function alikeSql(tellers: number, salt: number): string {
  return `SELECT coalesce(sum(records ** 2) - sum(records) ** 2 / 256 - sum(records), 0) / 2
FROM (
  SELECT CAST(hash(xor(identity, ${salt}::UBIGINT)) >> 56 AS UTINYINT) AS byte,
    CAST(count(*) AS DOUBLE) AS records
  FROM told WHERE place > 1 AND place < ${tellers} GROUP BY byte
)`;
}

/**
 * Makes the table `tried` of pairs of records of one handshake: `nr` is the record of the greater teller, `told_by`
 * the other, and `is_near` whether they are that.
 *
 * @param limit Of its rows: where there are so many, {@linkcode spansSql} finds which are near.
 * @param below One of both has a lower number than this; undefined: whatever they have.
 */
export function triedSql(tellers: number, limit: number, below: string | undefined): string {
  // What is held against the limit is behind no condition but that of places: so those that are not near
  // are counted too.
  const pairs = (condition: string) =>
    `SELECT other.nr, one.nr AS told_by,
  one.ns <= other.ns + ${NEAR_NS} AND other.ns <= one.ns + ${NEAR_NS} AS is_near
FROM told AS one JOIN told AS other
ON one.identity = other.identity AND one.place < other.place
WHERE one.place < ${tellers} AND other.place > 1${condition}`;
  const all = below === undefined
    ? pairs("")
    : [` AND one.nr < ${below}`, ` AND one.nr >= ${below} AND other.nr < ${below}`]
      .map(pairs).join("\nUNION ALL\n");
  return `CREATE TEMP TABLE tried AS
${all}
LIMIT ${limit}`;
}

/** What is made to find them pair by pair, the last first. */
export const TOLD_VIEWS = [
  "TABLE IF EXISTS tried",
  "VIEW IF EXISTS told",
  "TABLE IF EXISTS tellers",
];

/** The records that do not count by what was tried, some of them more than once. */
export const TRIED_REPEATS_SQL = "SELECT nr FROM tried WHERE is_near";

/** Makes the table `known` of those that do not count by what is known. @param sql Of {@linkcode Known}. */
export function knownRepeatsSql(sql: string, isFiltered: boolean): string {
  const passing = isFiltered ? " WHERE told_by IN (SELECT nr FROM passing)" : "";
  return `CREATE TEMP TABLE known AS SELECT nr FROM (${sql})${passing}`;
}

/** Makes the view `repeats` of the records that do not count. @param parts SELECTs of them. */
export function repeatsViewSql(parts: readonly string[]): string {
  return `CREATE TEMP VIEW repeats AS ${parts.join(" UNION ALL ")}`;
}

/**
 * Makes the table `repeats` of the same, slower, but not by each pair: whoever repeats one SYN all day
 * makes one handshake of as many records as he likes. Time is cut into spans of the length that is near: so
 * a record is held against the first and last times of each teller in its span and the two beside it.
 */
export function spansSql(tellers: number): string[] {
  const spanOf = `ns // ${NEAR_NS}`;
  return [
    `CREATE TEMP TABLE spans AS
SELECT identity, ${spanOf} AS span, place, min(ns) AS first_ns, max(ns) AS last_ns
FROM told WHERE place < ${tellers} GROUP BY ALL`,
    `CREATE TEMP TABLE repeats AS
SELECT nr FROM (
  SELECT nr, identity, ns, place, ${spanOf} + unnest([-1, 0, 1]) AS span FROM told WHERE place > 1
) AS other JOIN spans USING (identity, span)
WHERE spans.place < other.place AND last_ns >= ns - ${NEAR_NS} AND first_ns <= ns + ${NEAR_NS}`,
  ];
}
