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
  NEAR_NS,
  ON_THE_WAY,
  ROUGH_NS,
  SAME_NS,
  type Tier,
  TIERS,
} from "./pair_rules.ts";

type Side = "client" | "server";

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
export function endsSql(end: Side, isToldTwice: boolean): string {
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

/**
 * Asks how many ends there are, and roughly how many pairs of ends of one side have the same initial
 * sequence number, by which all are joined: counted by a byte of its hash, less those pairs that there would
 * be if all numbers were different.
 *
 * @param salt Any number that who chose those numbers cannot know.
 */
export function alikeEndsSql(salt: number): string {
  const bytes = (["client", "server"] as const).map((end) =>
    `SELECT '${end}' AS side, CAST(hash(xor(x::UBIGINT, ${salt}::UBIGINT)) >> 56 AS UTINYINT) AS byte,
    CAST(count(*) AS DOUBLE) AS ends FROM ${end}_ends GROUP BY byte`
  );
  return `SELECT coalesce(sum(ends), 0), coalesce(sum(alike), 0) FROM (
  SELECT sum(ends) AS ends, (sum(ends ** 2) - sum(ends) ** 2 / 256 - sum(ends)) / 2 AS alike
  FROM (${bytes.join(" UNION ALL ")}) GROUP BY side
)`;
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
function restSql(end: Side): string {
  return `CREATE TEMP TABLE ${end}_rest AS
SELECT nr, host_key, x, y, tuple, service, outcome, t FROM ${end}_ends
WHERE nr NOT IN (SELECT ${end[0]} FROM matches)`;
}

/** Takes those out that have found theirs meanwhile. */
function foundSql(end: Side): string {
  return `DELETE FROM ${end}_rest WHERE nr IN (SELECT ${end[0]} FROM matches)`;
}

const [C, S]: readonly EndColumn[] = ["c", "s"].map((end) => (name) => `${end}.${name}`);

function equals(tier: Tier): string {
  return keysOf(tier).map((name) => `c.${name} = s.${name}`).join(" AND ");
}

function keysOf({ equal }: Tier): string[] {
  return ["x", ...equal];
}

function isByTime({ equal }: Tier): boolean {
  return !equal.includes("y");
}

/** Spans of time: what is near is in one of them, or in two that follow each other. */
function spanOf(ns: string): string {
  // Before 1970 the quotient is cut off toward zero.
  return `(${ns}) // ${NEAR_NS} - CAST(${ns} < 0 AS BIGINT)`;
}

/**
 * The clock of an end's host: its own name where it is told to be apart from another's, else none.
 *
 * @param side Of the end.
 */
function clockSql(side: Side): string {
  return `CASE WHEN host_key IN (SELECT ${side} FROM rough WHERE offset_ns <> 0) THEN host_key END`;
}

/**
 * Leaves a few of those ends of a side of which nothing but their times, within a span of these, and their
 * hosts tells to which of the other side they belong: the first two and the last two of each host, and those
 * of the first three hosts and of the last three. Whatever is near one between them is near those before it
 * or those behind it, of which two at least are of a third host: so that one is nobody's only one, and
 * what it is near has two without it.
 *
 * @param clock Hosts of one clock are alike. @param more Of what else those have to be the same.
 */
function fewSql(tier: Tier, ends: string, clock: string, more: readonly string[] = []): string {
  const alike = [...keysOf(tier), "outcome", ...more];
  if (isByTime(tier)) alike.push("y IS NULL", spanOf("t"), "clock");
  const along = (of: readonly string[], order: string) =>
    `OVER (PARTITION BY ${of.join(", ")} ORDER BY t ${order}, nr ${order})`;
  const hosts = (first: string, order: string) =>
    `count(*) FILTER (${first} = 1) ${along(alike, order)} <= 3`;
  return `SELECT * FROM (
    SELECT *, row_number() ${along([...alike, "host_key"], "ASC")} AS place,
      row_number() ${along([...alike, "host_key"], "DESC")} AS place_from_end
    FROM (SELECT *, ${clock} AS clock FROM ${ends})
    QUALIFY place <= 2 OR place_from_end <= 2
  ) QUALIFY ${hosts("place", "ASC")} OR ${hosts("place_from_end", "DESC")}`;
}

/** What may be a pair of a tier, of those ends that have no other yet. */
function tierSql(tier: Tier, isCrowded: boolean): string[] {
  const joined = isCrowded
    ? joinedFew(tier)
    : `client_rest AS c JOIN server_rest AS s ON ${equals(tier)}
LEFT JOIN rough ON rough.client = c.host_key AND rough.server = s.host_key`;
  const isOf = isOfTier(tier, C, S, "coalesce(offset_ns, 0)");
  return [
    `CREATE TEMP TABLE candidates AS SELECT ${tier.tier} AS tier, c.nr AS c, s.nr AS s
FROM ${joined}
WHERE ${mayBeOne(C, S)} AND ${isOf}`,
    ...onlyOnes(),
    foundSql("client"),
    foundSql("server"),
  ];
}

/** Few ends of a tier, by time each only with those of the other side that are about as old, by both clocks. */
function joinedFew(tier: Tier): string {
  const [clients, servers] = (["client", "server"] as const).map((side) =>
    `(${fewSql(tier, `${side}_rest`, isByTime(tier) ? clockSql(side) : "NULL")})`
  );
  const keys = keysOf(tier).join(", ");
  if (!isByTime(tier)) {
    return `${clients} AS c JOIN ${servers} AS s ON ${equals(tier)}
CROSS JOIN (SELECT 0 AS offset_ns)`;
  }
  return `(SELECT *, ${spanOf("t")} + unnest([-1, 0, 1]) AS span FROM ${clients}) AS c
JOIN (
  SELECT ends.*, told.clock AS other_clock, offset_ns, ${
    spanOf("t - coalesce(offset_ns, 0)")
  } AS span
  FROM ${servers} AS ends
  JOIN (SELECT DISTINCT ${keys}, ${
    clockSql("client")
  } AS clock FROM client_rest) AS told USING (${keys})
  LEFT JOIN rough ON rough.client = told.clock AND rough.server = ends.host_key
) AS s ON ${equals(tier)} AND c.clock IS NOT DISTINCT FROM s.other_clock AND c.span = s.span`;
}

/** The ends of a side that are on the way of another's; see {@linkcode ON_THE_WAY}. */
function onTheWaySql(side: Side): string {
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
  `DELETE FROM candidates WHERE c IN (FROM on_the_way) OR s IN (FROM on_the_way)`,
  "DELETE FROM client_ends WHERE nr IN (FROM on_the_way)",
  "DELETE FROM server_ends WHERE nr IN (FROM on_the_way)",
];

const [EXACT, ...LATER] = TIERS;

/** What the first tier is looked for in. */
function firstEnds(end: Side, isCrowded: boolean): string {
  if (!isCrowded) return `${end}_ends`;
  const flagged = `(SELECT *, nr IN (FROM on_the_way) AS is_on_the_way FROM ${end}_ends)`;
  return `(${fewSql(EXACT, flagged, "NULL", ["is_on_the_way"])})`;
}

/**
 * Makes the table `matches` of both ends' numbers, tier by tier.
 *
 * @param isCrowded Whether many ends have the same number, as where one SYN is told all day: then fewer are
 * joined. What is found is the same, and takes longer where no number comes again.
 */
export function matchesSql(isCrowded: boolean): string[] {
  return [
    "CREATE TEMP TABLE matches (tier UTINYINT, c UBIGINT, s UBIGINT)",
    `CREATE TEMP TABLE on_the_way AS ${onTheWaySql("client")} UNION ALL ${onTheWaySql("server")}`,
    `CREATE TEMP TABLE candidates AS SELECT ${EXACT.tier} AS tier, c.nr AS c, s.nr AS s,
  c.host_key AS client, s.host_key AS server, s.t - c.t AS apart_ns
FROM ${firstEnds("client", isCrowded)} AS c JOIN ${firstEnds("server", isCrowded)} AS s
ON ${equals(EXACT)}
WHERE ${mayBeOne(C, S)}`,
    // How far clocks are apart, roughly.
    `CREATE TEMP TABLE rough AS SELECT client, server,
  quantile_disc(apart_ns // ${ROUGH_NS}, 0.5) * ${ROUGH_NS} AS offset_ns
FROM candidates GROUP BY client, server`,
    ...WITHOUT_THE_WAY,
    ...onlyOnes(),
    restSql("client"),
    restSql("server"),
    ...LATER.flatMap((tier) => tierSql(tier, isCrowded)),
  ];
}

/** How far the clocks of clients' hosts and servers' are apart, roughly. */
export const ROUGH_SQL = "SELECT client, server, offset_ns FROM rough";

/** The names of hosts by their keys, with when each was last told. */
export const HOSTS_SQL = `SELECT host_key, host, max(t) FROM (
  SELECT host_key, host, t FROM client_ends UNION ALL SELECT host_key, host, t FROM server_ends
) GROUP BY 1, 2`;

/** Counts the records that name no host. */
export const NAMELESS_SQL = `SELECT count(*) FROM passing WHERE ${HOST_KEY} IS NULL`;
