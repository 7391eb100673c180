/**
 * Which ends that two hosts told are of one handshake: in DuckDB's SQL, over the view `passing`.
 *
 * @module
 */
import { POSSIBLE_ENDS } from "../../match/both_ends.ts";

/** Two that are one handshake, by less than all numbers, are nearer in time than this, clocks set aside. */
const NEAR_NS = 150e9;
/** One host tells a handshake once: what is nearer than this is another tracer's record of it. */
const SAME_NS = 1e9;

/** Which host it is, whatever its name. */
export const HOST_KEY = "coalesce(host_id, host)";

const AGREE = Object.entries(POSSIBLE_ENDS).map(([client, servers]) =>
  `c.outcome = '${client}' AND s.outcome IN (${servers.map((each) => `'${each}'`).join(", ")})`
).join(" OR ");

/** The columns of records and status lines that the steps ask for, beside what a filter does. */
export const NEEDED_COLUMNS: readonly string[] = [
  ...["v", "event", "time", "host", "host_id", "tracer", "role", "outcome", "reason"],
  ...["drop_reason", "reset_reason", "client_address", "client_port", "client_isn"],
  ...["server_address", "server_port", "server_isn", "packets_syn", "packets_syn_ack"],
  ...["times_syn_ns", "times_syn_ack_ns", "times_ack_ns", "rtt_client_ns", "rtt_server_ns"],
  ...["since", "filters", "sample", "sources"],
];

/** Asks whether a host had several tracers, so that one handshake may be there twice: one row, or none. */
export const TRACERS_SQL =
  `SELECT 1 FROM passing GROUP BY ${HOST_KEY} HAVING count(DISTINCT tracer) > 1 LIMIT 1`;

/**
 * Makes the table of the ends of one side, `client_ends` or `server_ends`. `tuple` and `service` stand
 * for the addresses and ports of both ends, and of the server.
 *
 * @param isToldTwice Whether a host's own tracers are to be told apart no more.
 */
export function endsSql(end: "client" | "server", isToldTwice: boolean): string {
  const once = isToldTwice
    ? ` QUALIFY t - lag(t, 1, t - ${
      2 * SAME_NS
    }) OVER (PARTITION BY host_key, tuple, x ORDER BY t, nr)
  > ${SAME_NS}`
    : "";
  return `CREATE TEMP TABLE ${end}_ends AS SELECT * FROM (
  SELECT nr, ${HOST_KEY} AS host_key, host, outcome,
    coalesce(reason, drop_reason, reset_reason) AS reason,
    client_address, client_port, server_address, server_port,
    hash(client_address, client_port, server_address, server_port) AS tuple,
    hash(server_address, server_port) AS service,
    client_isn AS x, server_isn AS y, CAST(packets_syn AS INTEGER) AS syn,
    CAST(packets_syn_ack AS INTEGER) AS syn_ack,
    epoch_ns(time) AS t, epoch_ns(time) + times_syn_ns AS syn_t,
    epoch_ns(time) + times_syn_ack_ns AS syn_ack_t, epoch_ns(time) + times_ack_ns AS ack_t,
    rtt_client_ns
  FROM passing WHERE role = '${end}' AND client_isn IS NOT NULL AND ${HOST_KEY} IS NOT NULL
)${once}`;
}

/** Those of candidates of which either end is no other's too. */
function onlyOnes(): string[] {
  const once = (side: "c" | "s") =>
    `${side} NOT IN (SELECT ${side} FROM candidates GROUP BY ${side} HAVING count(*) > 1)`;
  return [
    `INSERT INTO matches SELECT tier, c, s FROM candidates WHERE ${once("c")} AND ${once("s")}`,
    "DROP TABLE candidates",
  ];
}

/** Makes the table of those ends of a side that have no other yet. */
function restSql(end: "client" | "server"): string {
  return `CREATE TEMP TABLE ${end}_rest AS
SELECT nr, host_key, x, y, tuple, service, outcome, t FROM ${end}_ends
WHERE nr NOT IN (SELECT ${end[0]} FROM matches)`;
}

/** Takes those out that have found theirs meanwhile. */
function foundSql(end: "client" | "server"): string {
  return `DELETE FROM ${end}_rest WHERE nr IN (SELECT ${end[0]} FROM matches)`;
}

/** What may be a pair of a tier, of those ends that have no other yet. */
function tierSql(tier: 1 | 2 | 3, condition: string): string[] {
  return [
    `CREATE TEMP TABLE candidates AS SELECT ${tier} AS tier, c.nr AS c, s.nr AS s
FROM client_rest AS c JOIN server_rest AS s ON c.x = s.x AND ${condition}
LEFT JOIN rough ON rough.client = c.host_key AND rough.server = s.host_key
WHERE c.host_key <> s.host_key AND (${AGREE})
  AND (c.y = s.y OR abs(s.t - c.t - coalesce(rough.offset_ns, 0)) < ${NEAR_NS})`,
    ...onlyOnes(),
    foundSql("client"),
    foundSql("server"),
  ];
}

/** Makes the table `matches` of both ends' numbers, tier by tier. */
export const MATCHES_SQL: readonly string[] = [
  "CREATE TEMP TABLE matches (tier UTINYINT, c UBIGINT, s UBIGINT)",
  // All numbers are equal: whatever their times, this leaves no doubt.
  `CREATE TEMP TABLE candidates AS SELECT 1 AS tier, c.nr AS c, s.nr AS s,
  c.host_key AS client, s.host_key AS server, s.t - c.t AS apart_ns
FROM client_ends AS c JOIN server_ends AS s ON c.x = s.x AND c.tuple = s.tuple AND c.y = s.y
WHERE c.host_key <> s.host_key AND (${AGREE})`,
  // How far clocks are apart, roughly.
  `CREATE TEMP TABLE rough AS SELECT client, server, median(apart_ns) AS offset_ns
FROM candidates GROUP BY client, server`,
  ...onlyOnes(),
  restSql("client"),
  restSql("server"),
  ...tierSql(1, "c.tuple = s.tuple AND (c.y IS NULL OR s.y IS NULL)"),
  ...tierSql(2, "c.y = s.y"),
  ...tierSql(3, "c.service = s.service AND (c.y IS NULL OR s.y IS NULL)"),
];

/** Counts the records that name no host. */
export const NAMELESS_SQL = `SELECT count(*) FROM passing WHERE ${HOST_KEY} IS NULL`;
