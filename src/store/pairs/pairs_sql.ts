/**
 * Both ends of a handshake, seen by two hosts, as one row: in DuckDB's SQL, over the view `passing`.
 *
 * @module
 */
import { sqlText } from "../query/dialect.ts";
import { HOST_KEY } from "./matches_sql.ts";
import {
  clientVerdict,
  type EndColumn,
  type HostPairValue,
  isWatchedBy,
  pairedVerdict,
  pairValues,
  synsLostAlone,
} from "./pair_rules.ts";

/** Makes the tables of who has which address, and when each host was watching without a filter. */
export const WATCHING_SQL: readonly string[] = [
  // Of two that tell it as often, the greater key: any, but always the same.
  `CREATE TEMP TABLE addresses AS SELECT address, arg_max(host_key, row(n, host_key)) AS host_key FROM (
  SELECT address, host_key, sum(n) AS n FROM (
    SELECT client_address AS address, host_key, count(*) AS n FROM client_ends GROUP BY 1, 2
    UNION ALL SELECT server_address, host_key, count(*) FROM server_ends GROUP BY 1, 2
  ) GROUP BY 1, 2
) GROUP BY 1`,
  `CREATE TEMP TABLE watching AS SELECT ${HOST_KEY} AS host_key, tracer,
  min(epoch_ns(since)) AS since, max(epoch_ns(time)) AS until
FROM status WHERE event = 'status' AND len(filters) = 0 AND coalesce(sample, 1) = 1
  AND len(json_extract(sources, '$.wire[*]')) > 0
GROUP BY 1, 2`,
];

const [C, S]: readonly EndColumn[] = ["c", "s"].map((end) => (name) => `${end}.${name}`);

/** Whether a host was watching when, by the clock of another. */
const WAS_WATCHING = `EXISTS (SELECT 1 FROM watching WHERE watching.host_key = fleet.host_key
    AND ${isWatchedBy("since", "until", C, "coalesce(rough.offset_ns, 0)")})`;

/**
 * Makes the table \`pairs\`: a row for each handshake between two hosts of which either end was told.
 * Times are nanoseconds of each host's own clock.
 */
export const PAIRS_SQL: readonly string[] = [
  `CREATE TEMP TABLE pairs AS
SELECT tier, ${pairedVerdict(C, S)} AS verdict,
  c.host_key AS client_key, s.host_key AS server_key,
  c.outcome AS client_outcome, s.outcome AS server_outcome,
  c.reason AS client_reason, s.reason AS server_reason,
  c.client_address, c.client_port, c.server_address, c.server_port, c.x, coalesce(c.y, s.y) AS y,
  c.t AS client_t, s.t AS server_t,
  c.syn AS client_syn, s.syn AS server_syn, c.syn_ack AS client_syn_ack, s.syn_ack AS server_syn_ack,
  c.syn_t AS client_syn_t, s.syn_t AS server_syn_t, c.syn_ack_t AS client_syn_ack_t,
  s.syn_ack_t AS server_syn_ack_t, c.ack_t AS client_ack_t, s.ack_t AS server_ack_t,
  ${pairValues(C, S).map(([sql, name]) => `${sql} AS ${name}`).join(",\n  ")}
FROM matches JOIN client_ends AS c ON c.nr = matches.c JOIN server_ends AS s ON s.nr = matches.s`,
  `INSERT INTO pairs BY NAME SELECT *, ${
    synsLostAlone((name) => `client_${name}`)
  } AS syns_lost FROM (
SELECT ${clientVerdict(C, WAS_WATCHING)} AS verdict,
  c.host_key AS client_key, fleet.host_key AS server_key,
  c.outcome AS client_outcome, c.reason AS client_reason,
  c.client_address, c.client_port, c.server_address, c.server_port, c.x, c.y,
  c.t AS client_t, c.syn AS client_syn, c.syn_ack AS client_syn_ack
FROM client_ends AS c JOIN addresses AS fleet ON fleet.address = c.server_address
LEFT JOIN rough ON rough.client = c.host_key AND rough.server = fleet.host_key
WHERE fleet.host_key <> c.host_key AND c.nr NOT IN (SELECT c FROM matches))`,
  `INSERT INTO pairs BY NAME
SELECT 'client_end_not_seen' AS verdict, s.host_key AS server_key, fleet.host_key AS client_key,
  s.outcome AS server_outcome, s.reason AS server_reason,
  s.client_address, s.client_port, s.server_address, s.server_port, s.x, s.y,
  s.t AS server_t, s.syn AS server_syn, s.syn_ack AS server_syn_ack
FROM server_ends AS s JOIN addresses AS fleet ON fleet.address = s.client_address
WHERE fleet.host_key <> s.host_key AND s.nr NOT IN (SELECT s FROM matches)`,
];

/** Makes the table of how fast clocks part, parts per billion. */
export function driftsSql(drifts: readonly HostPairValue[]): string {
  const rows = drifts.map(({ client, server, value }) =>
    `(${sqlText(client)}, ${sqlText(server)}, ${value})`
  );
  return "CREATE OR REPLACE TEMP TABLE drifts AS SELECT * FROM (VALUES " +
    `${
      ["(CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), 0)", ...rows].join(", ")
    }) AS told (client_key, server_key, drift)`;
}

/** Pairs, each with how fast the clocks of its hosts part: what stands behind FROM. */
export const PAIRS_WITH_DRIFTS = `(
  SELECT *, coalesce(drift, 0) AS ppb FROM pairs LEFT JOIN drifts USING (client_key, server_key)
) AS pairs_with_drifts`;
