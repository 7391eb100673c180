/**
 * Both ends of a handshake, seen by two hosts, as one row: in DuckDB's SQL, over the view `passing`.
 *
 * @module
 */
import { SLOWER_NS, VERDICT_RULES } from "../../match/both_ends.ts";
import { sqlText } from "../query/dialect.ts";
import { SPAN_NS } from "./clocks.ts";
import { HOST_KEY } from "./matches_sql.ts";

/** How long before and after a handshake a tracer must have been watching, whatever its clock says. */
const WATCHED_NS = 5e9;
/** Digits of an id that tell hosts of one name apart. */
const ID_DIGITS = 8;

/** Makes the table of hosts by their keys, with names that tell them apart. */
export const HOSTS_SQL = `CREATE TEMP TABLE hosts AS
SELECT host_key, name, count(*) OVER (PARTITION BY name) AS sharing, names,
  CASE WHEN count(*) OVER (PARTITION BY name) > 1
    THEN name || ' (' || left(host_key, ${ID_DIGITS}) || ')' ELSE name END AS host
FROM (
  SELECT host_key, arg_max(host, t) AS name, list(DISTINCT host ORDER BY host) AS names FROM (
    SELECT host_key, host, max(t) AS t FROM client_ends GROUP BY 1, 2
    UNION ALL SELECT host_key, host, max(t) FROM server_ends GROUP BY 1, 2
  ) GROUP BY host_key
)`;

/** Makes the tables of who has which address, and when each host was watching without a filter. */
export const WATCHING_SQL: readonly string[] = [
  `CREATE TEMP TABLE addresses AS SELECT address, arg_max(host_key, n) AS host_key FROM (
  SELECT client_address AS address, host_key, count(*) AS n FROM client_ends GROUP BY 1, 2
  UNION ALL SELECT server_address, host_key, count(*) FROM server_ends GROUP BY 1, 2
) GROUP BY 1`,
  `CREATE TEMP TABLE watching AS SELECT ${HOST_KEY} AS host_key, tracer,
  min(epoch_ns(since)) AS since, max(epoch_ns(time)) AS until
FROM status WHERE event = 'status' AND len(filters) = 0 AND coalesce(sample, 1) = 1
  AND len(json_extract(sources, '$.wire[*]')) > 0
GROUP BY 1, 2`,
];

/** Whether a host was watching when, by the clock of another. */
const WAS_WATCHING = `EXISTS (SELECT 1 FROM watching WHERE watching.host_key = fleet.host_key
    AND since <= c.t + coalesce(rough.offset_ns, 0) - ${WATCHED_NS}
    AND until >= c.t + coalesce(rough.offset_ns, 0) + ${WATCHED_NS})`;

const PAIRED_VERDICT = `CASE ${
  VERDICT_RULES.map(({ client, server, verdict }) => {
    const conditions = [
      ...client === undefined ? [] : [`c.outcome = '${client}'`],
      ...server === undefined ? [] : [`s.outcome = '${server}'`],
    ];
    return conditions.length === 0
      ? `ELSE '${verdict}'`
      : `WHEN ${conditions.join(" AND ")} THEN '${verdict}'`;
  }).join("\n    ")
} END`;

/** Whether each end saw one SYN and one SYN-ACK: the same ones, so that durations may be subtracted. */
const IS_PLAIN = "c.syn = 1 AND s.syn = 1 AND c.syn_ack = 1 AND s.syn_ack = 1";

/** See `synAcksLost` of `match/both_ends`. */
const SYN_ACKS_LOST = `CASE
    WHEN c.outcome = 'established' AND s.outcome <> 'established' THEN NULL
    WHEN c.outcome = 'established' AND s.ack_t - s.syn_t > c.ack_t - c.syn_t + ${SLOWER_NS} THEN NULL
    ELSE greatest(s.syn_ack - c.syn_ack, 0) END`;

/**
 * Makes the table \`pairs\`: a row for each handshake between two hosts of which either end was told.
 * Times are nanoseconds of each host's own clock.
 */
export const PAIRS_SQL: readonly string[] = [
  `CREATE TEMP TABLE pairs AS
SELECT tier, ${PAIRED_VERDICT} AS verdict, ch.host AS client_host, sh.host AS server_host,
  c.host_key AS client_key, s.host_key AS server_key,
  c.outcome AS client_outcome, s.outcome AS server_outcome,
  c.reason AS client_reason, s.reason AS server_reason,
  c.client_address, c.client_port, c.server_address, c.server_port, c.x, coalesce(c.y, s.y) AS y,
  c.t AS client_t, s.t AS server_t,
  c.syn AS client_syn, s.syn AS server_syn, c.syn_ack AS client_syn_ack, s.syn_ack AS server_syn_ack,
  greatest(c.syn - s.syn, 0) AS syns_lost, ${SYN_ACKS_LOST} AS syn_acks_lost,
  CASE WHEN ${IS_PLAIN} THEN c.rtt_client_ns - s.rtt_client_ns END AS network_rtt_ns,
  ${IS_PLAIN} AS is_plain,
  c.syn_t AS client_syn_t, s.syn_t AS server_syn_t, c.syn_ack_t AS client_syn_ack_t,
  s.syn_ack_t AS server_syn_ack_t, c.ack_t AS client_ack_t, s.ack_t AS server_ack_t,
  s.syn_t - c.syn_t AS forward_ns, c.syn_ack_t - s.syn_ack_t AS back_ns, s.ack_t - c.ack_t AS ack_ns
FROM matches JOIN client_ends AS c ON c.nr = matches.c JOIN server_ends AS s ON s.nr = matches.s
JOIN hosts AS ch ON ch.host_key = c.host_key JOIN hosts AS sh ON sh.host_key = s.host_key`,
  `INSERT INTO pairs BY NAME
SELECT CASE WHEN c.outcome = 'refused' AND ${WAS_WATCHING} THEN 'refused_on_the_way'
    WHEN c.outcome IN ('timeout', 'unanswered') AND ${WAS_WATCHING} THEN 'syn_lost'
    WHEN c.outcome = 'unreachable' THEN 'unreachable' WHEN c.outcome = 'aborted' THEN 'aborted'
    ELSE 'server_end_not_seen' END AS verdict,
  ch.host AS client_host, c.host_key AS client_key,
  fleet.host_key AS server_key, sh.host AS server_host,
  c.outcome AS client_outcome, c.reason AS client_reason,
  c.client_address, c.client_port, c.server_address, c.server_port, c.x, c.y,
  c.t AS client_t, c.syn AS client_syn, c.syn_ack AS client_syn_ack
FROM client_ends AS c JOIN addresses AS fleet ON fleet.address = c.server_address
JOIN hosts AS ch ON ch.host_key = c.host_key JOIN hosts AS sh ON sh.host_key = fleet.host_key
LEFT JOIN rough ON rough.client = c.host_key AND rough.server = fleet.host_key
WHERE fleet.host_key <> c.host_key AND c.nr NOT IN (SELECT c FROM matches)`,
  `INSERT INTO pairs BY NAME
SELECT 'client_end_not_seen' AS verdict, sh.host AS server_host, s.host_key AS server_key,
  fleet.host_key AS client_key, ch.host AS client_host,
  s.outcome AS server_outcome, s.reason AS server_reason,
  s.client_address, s.client_port, s.server_address, s.server_port, s.x, s.y,
  s.t AS server_t, s.syn AS server_syn, s.syn_ack AS server_syn_ack
FROM server_ends AS s JOIN addresses AS fleet ON fleet.address = s.client_address
JOIN hosts AS ch ON ch.host_key = fleet.host_key JOIN hosts AS sh ON sh.host_key = s.host_key
WHERE fleet.host_key <> s.host_key AND s.nr NOT IN (SELECT s FROM matches)`,
];

/** What delays are compared within, nanoseconds: the clocks' drift is set aside by that. */
const MINUTE_NS = 60e9;

/** A packet from one host to the other, by the clock of the one whose name comes first. */
function delaySql(name: "forward" | "back" | "ack"): string {
  const packet = { forward: "syn_t", back: "syn_ack_t", ack: "ack_t" }[name];
  const isToOther = name === "back" ? "client_key > server_key" : "client_key < server_key";
  return `SELECT least(client_key, server_key) AS one_key, greatest(client_key, server_key) AS other_key,
    CASE WHEN client_key < server_key THEN client_host ELSE server_host END AS one,
    CASE WHEN client_key < server_key THEN server_host ELSE client_host END AS other,
    CASE WHEN client_key < server_key THEN client_${packet} ELSE server_${packet} END AS at_ns,
    ${isToOther} AS is_to_other, ${name}_ns AS delay_ns
  FROM pairs WHERE is_plain AND verdict = 'established' AND ${name}_ns IS NOT NULL`;
}

/**
 * The least delays that were seen of each direction between two hosts, a row for each few seconds: when,
 * by the first host's clock, and how long, from the clock of who sent to that of who received.
 */
export const LEAST_SQL = `
SELECT one_key, other_key, any_value(one) AS one, any_value(other) AS other, is_to_other,
  arg_min(at_ns, delay_ns) AS at_ns, min(delay_ns) AS delay_ns, count(*) AS packets
FROM (${(["forward", "back", "ack"] as const).map(delaySql).join(" UNION ALL ")})
GROUP BY one_key, other_key, is_to_other, at_ns // ${SPAN_NS} ORDER BY one, other, at_ns`;

/** Makes the table of how fast clocks part, which delays of a minute are freed from. */
export function driftsSql(
  clocks: readonly { keys: readonly [one: string, other: string]; drift: number }[],
): string {
  const both = clocks.flatMap(({ keys: [one, other], drift }) => [
    [one, other, drift],
    [other, one, -drift],
  ]);
  const rows = both.map(([client, server, ppb]) =>
    `(${sqlText(String(client))}, ${sqlText(String(server))}, ${ppb})`
  );
  return "CREATE TEMP TABLE drifts AS SELECT * FROM (VALUES " +
    `${
      ["(CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), 0)", ...rows].join(", ")
    }) AS told (client_key, server_key, ppb)`;
}

/**
 * Each path from a client's host to a server's: how its handshakes fared, its round trip without any
 * clock, and how much longer than the least of its minute a packet was under way in each direction. Where
 * a clock was set within the minute, the least of both directions contradict each other.
 */
export const PATHS_SQL = `
SELECT client_host, server_host, count(*) AS handshakes, count(tier) AS paired,
  count(*) FILTER (verdict = 'established') AS established,
  sum(syns_lost) AS syns_lost, sum(syn_acks_lost) AS syn_acks_lost,
  quantile_disc(network_rtt_ns, 0.5) AS network_rtt_p50_ns,
  quantile_disc(network_rtt_ns, 0.99) AS network_rtt_p99_ns,
  quantile_disc(there_ns - least_there, 0.99) FILTER (least_there + least_back >= 0)
    AS wait_there_p99_ns,
  quantile_disc(back_ns - least_back, 0.99) FILTER (least_there + least_back >= 0)
    AS wait_back_p99_ns
FROM (
  SELECT *, min(there_ns) OVER minute AS least_there, min(back_ns) OVER minute AS least_back
  FROM (
    SELECT * EXCLUDE back_ns,
      CASE WHEN is_plain THEN forward_ns - CAST(coalesce(ppb, 0) * into_ns / 1e9 AS BIGINT) END AS there_ns,
      CASE WHEN is_plain THEN back_ns + CAST(coalesce(ppb, 0) * into_ns / 1e9 AS BIGINT) END AS back_ns
    FROM (SELECT *, client_t % ${MINUTE_NS} AS into_ns FROM pairs)
    LEFT JOIN drifts USING (client_key, server_key)
  ) WINDOW minute AS (PARTITION BY client_key, server_key, client_t // ${MINUTE_NS})
) GROUP BY client_key, server_key, client_host, server_host ORDER BY client_host, server_host`;

/** How the handshakes of each path fared. */
export const VERDICTS_SQL = `
SELECT client_host, server_host, verdict, count(*) AS handshakes FROM pairs
GROUP BY ALL ORDER BY client_host, server_host, handshakes DESC, verdict`;

/** How far the clocks of clients' hosts and servers' hosts are apart, roughly. */
export const FAR_CLOCKS_SQL = `
SELECT ch.host, sh.host, any_value(offset_ns) FROM rough
JOIN hosts AS ch ON ch.host_key = rough.client JOIN hosts AS sh ON sh.host_key = rough.server
WHERE rough.client < rough.server OR NOT EXISTS (
  SELECT 1 FROM rough AS other WHERE other.client = rough.server AND other.server = rough.client
) GROUP BY ALL ORDER BY ALL`;
