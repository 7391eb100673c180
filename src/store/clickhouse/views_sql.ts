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
import { BEFORE, CLICKHOUSE } from "./dialect.ts";
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
/** A number that no two records have. */
const NR = `sipHash64(${IDENTITY.join(", ")}, time, ${TELLER})`;
const NEAR_NS = NEAR_SECONDS * 1e9;

/**
 * The tables of a database.
 *
 * @param condition Of the filter; undefined: all pass.
 */
export function viewsOf(database: string, condition: string | undefined): Views {
  const at = (table: string) => `${clickHouseName(database)}.${table} FINAL`;
  const columns = HANDSHAKE_COLUMNS.map(({ name }) => name).join(", ");
  // FINAL: what was shipped twice counts once, merged or not.
  const all = `SELECT ${columns}, ${NETWORK_RTT_SQL} AS network_rtt_ns, ` +
    `${HOST_TIME_SQL} AS host_time_ns FROM ${at("handshakes")}`;
  const where = condition === undefined ? "" : ` WHERE ${condition}`;
  const passing = `SELECT * FROM (${all}) AS all_records${where}`;
  const status = [...COMMON, ...STATUS_COLUMNS.map(({ name }) => name)].join(", ");
  return {
    records: `(${passing}) AS records`,
    handshakes: `(SELECT * FROM (${passing}) AS passing WHERE client_isn IS NULL OR ` +
      `${NR} GLOBAL NOT IN (${repeatsSql(`(${passing}) AS passing`)})) AS handshakes`,
    status: `(SELECT ${status} FROM ${
      at("status")
    } WHERE event IN ('status', 'summary')) AS status`,
  };
}

/**
 * The records of handshakes that another host, or another tracer of this one, told before: the same
 * addresses, ports and initial sequence number of the client, each within 120 s of the next.
 */
function repeatsSql(passing: string): string {
  return `
  SELECT row.3 AS nr FROM (
    SELECT arraySort(groupArray((time, ${TELLER}, ${NR}))) AS those,
      arrayCumSum(arrayMap((now, before) -> now.1 - before.1 > ${NEAR_NS}, those, ${BEFORE})) AS runs
    FROM ${passing} WHERE client_isn IS NOT NULL
    GROUP BY ${IDENTITY.join(", ")} HAVING min(${TELLER}) <> max(${TELLER})
  ) AS told ARRAY JOIN those AS row, runs AS run WHERE row.2 <> those[indexOf(runs, run)].2
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
