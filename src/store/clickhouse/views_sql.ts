/**
 * What questions are asked of, in ClickHouse's SQL: subqueries in place of DuckDB's views, since who asks
 * makes nothing at the server.
 *
 * @module
 */
import type { HandshakeFilter } from "../../pipeline/filter.ts";
import { NEAR_SECONDS } from "../../pipeline/twice_seen.ts";
import { COMMON, HANDSHAKE_COLUMNS, STATUS_COLUMNS } from "../query/columns.ts";
import { filterSql } from "../query/filter_sql.ts";
import { HOST_TIME_SQL, NETWORK_RTT_SQL } from "../query/views_sql.ts";
import { CLICKHOUSE } from "./dialect.ts";
import { clickHouseName, HOST_KEY } from "./schema.ts";

/** The tables that can be asked, each by what stands for it behind FROM. */
export interface Views {
  /** Records that the filter lets pass. */
  records: string;
  /** Those of them that tell of a handshake what was not told before: each handshake once. */
  handshakes: string;
  /** Status lines and summaries. */
  status: string;
}

const IDENTITY = [
  ...["client_address", "client_port", "server_address", "server_port"],
  "assumeNotNull(client_isn)",
];
const TELLER = `concat(${HOST_KEY}, '\\n', ifNull(tracer, ''))`;
/** What records of one handshake have in common. */
const IDENTITY_HASH = `cityHash64(${IDENTITY.join(", ")})`;
/** A number that no two records have. */
const nrOf = (id: string, time: string, teller: string) => `sipHash64(${id}, ${time}, ${teller})`;
const NR = nrOf(IDENTITY_HASH, "time", TELLER);
const NEAR_NS = NEAR_SECONDS * 1e9;

/**
 * The tables of a database.
 *
 * @param condition Of the filter, see {@linkcode tableCondition}; undefined: all pass.
 */
export function viewsOf(database: string, condition: string | undefined): Views {
  const table = (name: string) => `${clickHouseName(database)}.${name}`;
  const columns = HANDSHAKE_COLUMNS.map(({ name }) => name).join(", ");
  // FINAL: what was shipped twice counts once, merged or not.
  const passing = (conditions: readonly string[]) =>
    `(SELECT ${columns}, ${NETWORK_RTT_SQL} AS network_rtt_ns, ${HOST_TIME_SQL} AS host_time_ns ` +
    `FROM ${table("handshakes")} FINAL${whereSql(conditions)})`;
  const filter = condition === undefined ? [] : [condition];
  const status = [...COMMON, ...STATUS_COLUMNS.map(({ name }) => name)].join(", ");
  const repeats = repeatsSql(table("handshakes"), filter);
  return {
    records: `${passing(filter)} AS records`,
    handshakes: `${
      passing([...filter, `(client_isn IS NULL OR ${NR} GLOBAL NOT IN (${repeats}))`])
    } AS handshakes`,
    status: `(SELECT ${status} FROM ${
      table("status")
    } FINAL WHERE event IN ('status', 'summary')) AS status`,
  };
}

function whereSql(conditions: readonly string[]): string {
  return conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
}

/**
 * The records of handshakes that a teller of a lesser text told too, at most 120 s earlier or later: the
 * same addresses, ports and initial sequence number of the client. The time is cut into spans of that
 * length: so of each a record is held against the first and last times of each teller in its span and
 * the two beside it, however often one number was told.
 */
function repeatsSql(table: string, filter: readonly string[]): string {
  const from = `${table}${whereSql([...filter, "client_isn IS NOT NULL"])}`;
  const several = `SELECT ${IDENTITY_HASH} AS id FROM ${from} GROUP BY id ` +
    `HAVING min(cityHash64(${TELLER})) <> max(cityHash64(${TELLER}))`;
  return `
  SELECT ${nrOf("id", "told_at", "own_teller")} AS nr FROM (
    SELECT id, those.1 AS own_teller, those.2 AS times, others FROM (
      SELECT id, groupArray((teller, first, last, beside)) AS others,
        groupArrayIf((teller, told), beside = 0) AS own
      FROM (
        SELECT id, teller, first, last, told, beside, span + beside AS at FROM (
          SELECT *, arrayJoin([-1, 0, 1]) AS beside FROM (
            SELECT ${IDENTITY_HASH} AS id, intDiv(time, ${NEAR_NS}) AS span, ${TELLER} AS teller,
              min(time) AS first, max(time) AS last, groupArray(time) AS told
            FROM ${from} AND ${IDENTITY_HASH} GLOBAL IN (${several}) GROUP BY id, span, teller
          ) AS of_tellers
        ) AS beside_each
      ) AS placed GROUP BY id, at
    ) AS of_spans ARRAY JOIN own AS those
  ) AS of_own ARRAY JOIN times AS told_at WHERE notEmpty(own_teller) AND arrayExists(
    other -> other.1 < own_teller AND (other.4 = 0 OR (other.4 = 1 AND other.3 >= told_at - ${NEAR_NS})
      OR (other.4 = -1 AND other.2 <= told_at + ${NEAR_NS})), others)
`;
}

/** A piece of SQL: a text, a quoted name, a comment, a word, blanks, or anything else. */
const TOKEN =
  /'(?:[^'\\]|\\[^])*'|"(?:[^"\\]|\\[^])*"|`(?:[^`\\]|\\[^])*`|--[^\n]*|\/\*[^]*?\*\/|[A-Za-z_]\w*|\s+|[^]/g;
/** The pieces of some SQL. */
export function tokensOf(sql: string): string[] {
  return sql.match(TOKEN) ?? [];
}

/** What a table's name stands behind. */
const BEFORE_TABLE = /^(?:FROM|JOIN)$/i;

/** Puts the tables in place of their names, where those stand behind FROM or JOIN. */
export function withViews(sql: string, views: Views): string {
  let last = "";
  return sql.replaceAll(TOKEN, (token) => {
    if (/^(?:\s|--|\/\*)/.test(token)) return token;
    const isTable = BEFORE_TABLE.test(last) && Object.hasOwn(views, token);
    last = token;
    return isTable ? views[token as keyof Views] : token;
  });
}

/** A filter as a condition of the table's own columns; undefined: all pass. */
export function tableCondition(filter: HandshakeFilter): string | undefined {
  const made: Readonly<Record<string, string>> = {
    network_rtt_ns: NETWORK_RTT_SQL,
    host_time_ns: HOST_TIME_SQL,
  };
  return filterSql(filter, CLICKHOUSE)?.replaceAll(
    TOKEN,
    (token) => Object.hasOwn(made, token) ? `(${made[token]})` : token,
  );
}
