/**
 * The rules of pairs as SQL that every database understands: which ends may be of one handshake, and what
 * both say together. Each is a function of how the columns of the two ends are written.
 *
 * @module
 */
import { POSSIBLE_ENDS, SLOWER_NS, VERDICT_RULES } from "../../match/both_ends.ts";
import type { Dialect } from "../query/dialect.ts";
import { SPAN_NS } from "./clocks.ts";

/** A number of a client's host and a server's, by their keys. */
export interface HostPairValue {
  client: string;
  server: string;
  value: number;
}

/** How a column of an end is written. */
export type EndColumn = (name: string) => string;

/** Two that are one handshake, by less than all numbers, are nearer in time than this, clocks set aside. */
export const NEAR_NS = 150e9;
/** One host tells a handshake once: what is nearer than this is another tracer's record of it. */
export const SAME_NS = 1e9;
/** How long before and after a handshake a tracer must have been watching, whatever its clock says. */
const WATCHED_NS = 5e9;
/** How far clocks are apart is taken to a second where it is only needed roughly. */
export const ROUGH_NS = 1e9;

/** By what ends are joined, beside the client's initial sequence number. */
export interface Tier {
  /** Its number in an answer. */
  tier: 1 | 2 | 3;
  /** What is equal: all addresses and ports (`tuple`), those of the server (`service`), its number (`y`). */
  equal: readonly ("tuple" | "service" | "y")[];
}

/** The tiers, in their order: a later one joins what the earlier ones left. */
export const TIERS: readonly Tier[] = [
  // All numbers are equal: whatever their times, this leaves no doubt.
  { tier: 1, equal: ["tuple", "y"] },
  { tier: 1, equal: ["tuple"] },
  { tier: 2, equal: ["y"] },
  { tier: 3, equal: ["service"] },
];

/** Whether two hosts told the ends, and both ends can be of one handshake. */
export function mayBeOne(c: EndColumn, s: EndColumn): string {
  const agree = Object.entries(POSSIBLE_ENDS).map(([client, servers]) =>
    `${c("outcome")} = '${client}' AND ${s("outcome")} IN (${
      servers.map((each) => `'${each}'`).join(", ")
    })`
  );
  return `${c("host_key")} <> ${s("host_key")} AND (${agree.join(" OR ")})`;
}

/**
 * Whether two ends are of a tier, beside what {@linkcode mayBeOne} asks and what is equal by it.
 *
 * @param offset How far the clock of the server's host is ahead, roughly, nanoseconds.
 */
export function isOfTier({ equal }: Tier, c: EndColumn, s: EndColumn, offset: string): string {
  if (equal.includes("y")) return `${c("y")} = ${s("y")}`;
  return `(${c("y")} IS NULL OR ${s("y")} IS NULL) ` +
    `AND abs(${s("t")} - ${c("t")} - ${offset}) < ${NEAR_NS}`;
}

/**
 * What a host tells as its own end of a handshake and is none: a router that translates addresses, traced on
 * one side of it, sees its own address there. Of ends with both numbers equal that several hosts told as
 * the client's, the client's own is the one that waited longest for the SYN-ACK, for its way is the longest;
 * as the server's, the one that waited least.
 */
export const ON_THE_WAY = {
  /** What ends are ordered by; the first tells. */
  order: [
    "rtt_client_ns",
    ...["host_key", "client_address", "client_port", "server_address", "server_port"],
  ],
  /** Which one of this order is the end itself. */
  endIs: { client: "last", server: "first" },
} as const;

/** Whether an end is on the way of another, which is the end itself; either has a `rtt_client_ns`. */
export function isOnTheWay(side: "client" | "server", end: EndColumn, own: EndColumn): string {
  const isOther = ON_THE_WAY.order.slice(2).map((name) => `${end(name)} <> ${own(name)}`);
  return `${end("rtt_client_ns")} ${side === "client" ? "<" : ">"} ${own("rtt_client_ns")} ` +
    `AND ${end("host_key")} <> ${own("host_key")} AND (${isOther.join(" OR ")})`;
}

/** What both ends say together. */
export function pairedVerdict(c: EndColumn, s: EndColumn): string {
  const cases = VERDICT_RULES.map(({ client, server, verdict }) => {
    const conditions = [
      ...client === undefined ? [] : [`${c("outcome")} = '${client}'`],
      ...server === undefined ? [] : [`${s("outcome")} = '${server}'`],
    ];
    return conditions.length === 0
      ? `ELSE '${verdict}'`
      : `WHEN ${conditions.join(" AND ")} THEN '${verdict}'`;
  });
  return `CASE ${cases.join("\n    ")} END`;
}

/** What the client's end says alone. @param wasWatching Whether the server's host was, as a condition. */
export function clientVerdict(c: EndColumn, wasWatching: string): string {
  return `CASE WHEN ${c("outcome")} = 'refused' AND ${wasWatching} THEN 'refused_on_the_way'
    WHEN ${c("outcome")} IN ('timeout', 'unanswered') AND ${wasWatching} THEN 'syn_lost'
    WHEN ${c("outcome")} = 'unreachable' THEN 'unreachable'
    WHEN ${c("outcome")} = 'aborted' THEN 'aborted'
    ELSE 'server_end_not_seen' END`;
}

/** How many SYNs were lost of what the client's end told alone, by its `verdict`: all that it sent, or unknown. */
export function synsLostAlone(c: EndColumn): string {
  return `CASE WHEN verdict = 'syn_lost' THEN ${c("syn")} END`;
}

/** Whether a tracer that told from one time to another was watching when a client's record begins. */
export function isWatchedBy(since: string, until: string, c: EndColumn, offset: string): string {
  return `${since} <= ${c("t")} + ${offset} - ${WATCHED_NS} ` +
    `AND ${until} >= ${c("t")} + ${offset} + ${WATCHED_NS}`;
}

/** What is told of a pair beyond its ends, each `SQL AS NAME`. */
export function pairValues(c: EndColumn, s: EndColumn): [sql: string, name: string][] {
  // Whether each end saw one SYN and one SYN-ACK: the same ones, so that durations may be subtracted.
  const isPlain = [c("syn"), s("syn"), c("syn_ack"), s("syn_ack")].map((each) => `${each} = 1`)
    .join(" AND ");
  const more = (one: string, other: string) =>
    `CASE WHEN ${one} > ${other} THEN ${one} - ${other} ELSE 0 END`;
  const established = `${c("outcome")} = 'established'`;
  // See `synAcksLost` of `match/both_ends`.
  const synAcksLost = `CASE
    WHEN ${established} AND ${s("outcome")} <> 'established' THEN NULL
    WHEN ${established} AND ${s("ack_t")} - ${s("syn_t")} > ${c("ack_t")} - ${
    c("syn_t")
  } + ${SLOWER_NS}
      THEN NULL
    WHEN ${s("syn_ack")} > ${c("syn_ack")} THEN ${s("syn_ack")} - ${c("syn_ack")} ELSE 0 END`;
  return [
    [more(c("syn"), s("syn")), "syns_lost"],
    [synAcksLost, "syn_acks_lost"],
    [
      `CASE WHEN ${isPlain} THEN ${c("rtt_client_ns")} - ${s("rtt_client_ns")} END`,
      "network_rtt_ns",
    ],
    [isPlain, "is_plain"],
    [`${s("syn_t")} - ${c("syn_t")}`, "forward_ns"],
    [`${c("syn_ack_t")} - ${s("syn_ack_t")}`, "back_ns"],
    [`${s("ack_t")} - ${c("ack_t")}`, "ack_ns"],
  ];
}

/** What delays are compared within, nanoseconds: the clocks' drift is set aside by that. */
const MINUTE_NS = 60e9;
/** The packets of which both ends tell when they were there. */
const PACKETS = [
  { delay: "forward_ns", time: "syn_t", sender: "client" },
  { delay: "back_ns", time: "syn_ack_t", sender: "server" },
  { delay: "ack_ns", time: "ack_t", sender: "client" },
] as const;

/**
 * The least delays that were seen of each direction between two hosts, a row for each few seconds: when,
 * by the first host's clock, and how long, from the clock of who sent to that of who received.
 *
 * @param pairs What stands behind FROM.
 */
export function leastSql({ each, leastWith, quotient }: Dialect, pairs: string): string {
  const ofPacket = (sql: (packet: typeof PACKETS[number]) => string) =>
    `CASE ${
      PACKETS.map((packet, at) => `WHEN packet = ${at + 1} THEN ${sql(packet)}`).join(" ")
    } END`;
  const isClientFirst = "client_key < server_key";
  const [at, delay] = leastWith("at_ns", "delay_ns");
  return `SELECT one_key, other_key, is_to_other, ${at} AS least_at_ns, ${delay} AS least_delay_ns,
  count(*) AS packets
FROM (
  SELECT CASE WHEN ${isClientFirst} THEN client_key ELSE server_key END AS one_key,
    CASE WHEN ${isClientFirst} THEN server_key ELSE client_key END AS other_key,
    ${ofPacket(({ sender }) => sender === "client" ? isClientFirst : "client_key > server_key")}
      AS is_to_other,
    ${
    ofPacket(({ time }) => `CASE WHEN ${isClientFirst} THEN client_${time} ELSE server_${time} END`)
  } AS at_ns,
    ${ofPacket(({ delay }) => delay)} AS delay_ns
  FROM (
    SELECT *, ${each(PACKETS.map((_, at) => `${at + 1}`))} AS packet FROM ${pairs}
    WHERE is_plain AND verdict = 'established'
  ) AS packets_of_pairs
) AS delays WHERE delay_ns IS NOT NULL
GROUP BY one_key, other_key, is_to_other, ${quotient("at_ns", SPAN_NS)}
ORDER BY one_key, other_key, least_at_ns, is_to_other`;
}

/** How far into its minute a client's record begins, nanoseconds: what drift is counted by. */
const INTO_NS = `client_t % ${MINUTE_NS}`;

/**
 * Each path from a client's host to a server's: how its handshakes fared, its round trip without any
 * clock, and how much longer than the least of its minute a packet was under way in each direction. Where
 * a clock was set within the minute, the least of both directions contradict each other. Behind the
 * columns of {@linkcode PATH_VALUES} stands how many there are of each verdict.
 *
 * @param pairs What stands behind FROM: pairs, each with `ppb`, how fast the clocks part.
 */
export function pathsSql(dialect: Dialect, pairs: string, verdicts: readonly string[]): string {
  const { countIf, quantiles, quotient, rounded, withLeast, asInteger } = dialect;
  const drift = rounded(`ppb * (${INTO_NS}) / 1e9`);
  const rows = withLeast({
    columns: [
      ...["client_key", "server_key", "tier", "verdict", "syns_lost", "syn_acks_lost"],
      ...["network_rtt_ns", `${quotient("client_t", MINUTE_NS)} AS minute`],
      `CASE WHEN is_plain THEN forward_ns - ${drift} END AS there_ns`,
      `CASE WHEN is_plain THEN back_ns + ${drift} END AS returning_ns`,
    ],
    from: pairs,
    keys: ["client_key", "server_key", "minute"],
    values: ["there_ns", "returning_ns"],
  });
  const wait = (name: string) =>
    `CASE WHEN there_ns_least + returning_ns_least >= 0 THEN ${name} - ${name}_least END`;
  const values: Readonly<Record<typeof PATH_VALUES[number], string>> = {
    handshakes: "count(*)",
    paired: countIf("tier IS NOT NULL"),
    all_syns_lost: asInteger("sum(syns_lost)"),
    all_syn_acks_lost: asInteger("sum(syn_acks_lost)"),
    ...namesOf(
      ["network_rtt_p50_ns", "network_rtt_p99_ns"],
      quantiles([0.5, 0.99], "network_rtt_ns"),
    ),
    ...namesOf(["wait_there_p99_ns"], quantiles([0.99], wait("there_ns"))),
    ...namesOf(["wait_back_p99_ns"], quantiles([0.99], wait("returning_ns"))),
  };
  return `SELECT client_key, server_key, ${
    PATH_VALUES.map((name) => `${values[name]} AS ${name}`).join(",\n  ")
  },
  ${verdicts.map((verdict) => `${countIf(`verdict = '${verdict}'`)} AS ${verdict}`).join(", ")}
FROM (${rows}) AS rows_of_paths GROUP BY client_key, server_key ORDER BY client_key, server_key`;
}

/** What is told of a path, behind the keys of its hosts. */
export const PATH_VALUES = [
  ...["handshakes", "paired", "all_syns_lost", "all_syn_acks_lost"] as const,
  ...["network_rtt_p50_ns", "network_rtt_p99_ns", "wait_there_p99_ns", "wait_back_p99_ns"] as const,
] as const;

function namesOf<Name extends string>(
  names: readonly Name[],
  values: readonly string[],
): Record<Name, string> {
  return Object.fromEntries(names.map((name, at) => [name, values[at]])) as Record<Name, string>;
}
