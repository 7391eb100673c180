/**
 * Which ends that two hosts told are of one handshake: in DuckDB's SQL, over the view `passing`.
 *
 * @module
 */
import {
  type EndColumn,
  isOfTier,
  isOnTheWay,
  mayBeOne,
  ON_THE_WAY,
  ROUGH_NS,
  SAME_NS,
  type Tier,
  TIERS,
} from "./pair_rules.ts";

/** Which host it is, whatever its name. */
export const HOST_KEY = "coalesce(host_id, host)";

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
  const before = `lag(t, 1, t - ${
    2 * SAME_NS
  }) OVER (PARTITION BY host_key, tuple, x ORDER BY t, tracer)`;
  const once = isToldTwice ? ` QUALIFY t - ${before} > ${SAME_NS}` : "";
  return `CREATE TEMP TABLE ${end}_ends AS SELECT * FROM (
  SELECT nr, coalesce(tracer, '') AS tracer, ${HOST_KEY} AS host_key, host, outcome,
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

const [C, S]: readonly EndColumn[] = ["c", "s"].map((end) => (name) => `${end}.${name}`);

function equals(tier: Tier): string {
  return ["x", ...tier.equal].map((name) => `c.${name} = s.${name}`).join(" AND ");
}

/** What may be a pair of a tier, of those ends that have no other yet. */
function tierSql(tier: Tier): string[] {
  const isOf = isOfTier(tier, C, S, "coalesce(rough.offset_ns, 0)");
  return [
    `CREATE TEMP TABLE candidates AS SELECT ${tier.tier} AS tier, c.nr AS c, s.nr AS s
FROM client_rest AS c JOIN server_rest AS s ON ${equals(tier)}
LEFT JOIN rough ON rough.client = c.host_key AND rough.server = s.host_key
WHERE ${mayBeOne(C, S)} AND ${isOf}`,
    ...onlyOnes(),
    foundSql("client"),
    foundSql("server"),
  ];
}

/** The ends of a side that are on the way of another's; see {@linkcode ON_THE_WAY}. */
function onTheWaySql(side: "client" | "server"): string {
  const { order, endIs } = ON_THE_WAY;
  const ranked = `{${order.map((name) => `${name}: ${name}`).join(", ")}}`;
  const own = `${endIs[side] === "last" ? "max" : "min"}(${ranked})`;
  return `SELECT nr FROM ${side}_ends AS ends JOIN (
  SELECT x, y, ${own} AS own FROM ${side}_ends WHERE y IS NOT NULL AND rtt_client_ns IS NOT NULL
  GROUP BY x, y HAVING min(host_key) <> max(host_key)
) AS told USING (x, y) WHERE ${
    isOnTheWay(side, (name) => `ends.${name}`, (name) => `own.${name}`)
  }`;
}

/** Takes those out, after how far clocks are apart is known roughly. */
const WITHOUT_THE_WAY: readonly string[] = [
  `CREATE TEMP TABLE on_the_way AS ${onTheWaySql("client")} UNION ALL ${onTheWaySql("server")}`,
  `DELETE FROM candidates WHERE c IN (FROM on_the_way) OR s IN (FROM on_the_way)`,
  "DELETE FROM client_ends WHERE nr IN (FROM on_the_way)",
  "DELETE FROM server_ends WHERE nr IN (FROM on_the_way)",
];

const [EXACT, ...LATER] = TIERS;

/** Makes the table `matches` of both ends' numbers, tier by tier. */
export const MATCHES_SQL: readonly string[] = [
  "CREATE TEMP TABLE matches (tier UTINYINT, c UBIGINT, s UBIGINT)",
  `CREATE TEMP TABLE candidates AS SELECT ${EXACT.tier} AS tier, c.nr AS c, s.nr AS s,
  c.host_key AS client, s.host_key AS server, s.t - c.t AS apart_ns
FROM client_ends AS c JOIN server_ends AS s ON ${equals(EXACT)}
WHERE ${mayBeOne(C, S)}`,
  // How far clocks are apart, roughly.
  `CREATE TEMP TABLE rough AS SELECT client, server,
  quantile_disc(apart_ns // ${ROUGH_NS}, 0.5) * ${ROUGH_NS} AS offset_ns
FROM candidates GROUP BY client, server`,
  ...WITHOUT_THE_WAY,
  ...onlyOnes(),
  restSql("client"),
  restSql("server"),
  ...LATER.flatMap(tierSql),
];

/** How far the clocks of clients' hosts and servers' are apart, roughly. */
export const ROUGH_SQL = "SELECT client, server, offset_ns FROM rough";

/** The names of hosts by their keys, with when each was last told. */
export const HOSTS_SQL = `SELECT host_key, host, max(t) FROM (
  SELECT host_key, host, t FROM client_ends UNION ALL SELECT host_key, host, t FROM server_ends
) GROUP BY 1, 2`;

/** Counts the records that name no host. */
export const NAMELESS_SQL = `SELECT count(*) FROM passing WHERE ${HOST_KEY} IS NULL`;
