/**
 * Both ends of a handshake as one row, in ClickHouse's SQL: by the rules of `pairs/pair_rules`.
 *
 * Ends that belong together share the client's initial sequence number, by which a cluster is sharded. So
 * all ends of one number are grouped where they are. Of nearly all numbers that is a client's end, a
 * server's, or both: those are told at once. What chose a number several times, by chance or because a
 * host always chooses the same, is joined tier by tier.
 *
 * @module
 */
import {
  clientVerdict,
  type EndColumn,
  type HostPairValue,
  isOfTier,
  isOnTheWay,
  isWatchedBy,
  mayBeOne,
  ON_THE_WAY,
  pairedVerdict,
  pairValues,
  ROUGH_NS,
  SAME_NS,
  synsLostAlone,
  type Tier,
  TIERS,
} from "../pairs/pair_rules.ts";
import { BEFORE } from "./dialect.ts";
import { clickHouseName, clickHouseText, HOST_KEY } from "./schema.ts";

/** What an end is, each by its column and what that is at a server. The first two are its order. */
const END: readonly (readonly [name: string, sql: string])[] = [
  ["t", "time"],
  ["tracer", "ifNull(tracer, '')"],
  ["host_key", HOST_KEY],
  ["outcome", "outcome"],
  ["reason", "coalesce(reason, drop_reason, reset_reason)"],
  ...["client_address", "client_port", "server_address", "server_port"].map((name) =>
    [name, name] as const
  ),
  ["y", "server_isn"],
  ["syn", "toInt64(packets_syn)"],
  ["syn_ack", "toInt64(packets_syn_ack)"],
  ["syn_t", "time + times_syn_ns"],
  ["syn_ack_t", "time + times_syn_ack_ns"],
  ["ack_t", "time + times_ack_ns"],
  ["rtt_client_ns", "toInt64(rtt_client_ns)"],
];
const TUPLE = ["client_address", "client_port", "server_address", "server_port"];
const SERVICE = ["server_address", "server_port"];

/** What pairs are asked of. */
export interface PairsOf {
  database: string;
  /** Of the filter, which asks columns of the table alone; undefined: all pass. */
  condition: string | undefined;
  /** Whether some host had several tracers, so that one handshake may be told twice. */
  isToldTwice: boolean;
  /** How far clocks are apart that are far apart, roughly. */
  offsets: readonly HostPairValue[];
}

/** The number of two hosts; 0 where none is told. */
export function valueOf(
  clientKey: string,
  serverKey: string,
  values: readonly HostPairValue[],
): string {
  const told = values.filter(({ value }) => value !== 0);
  if (told.length === 0) return "toInt64(0)";
  const keys = told.map(({ client, server }) => clickHouseText(`${client}\n${server}`));
  const numbers = told.map(({ value }) => `toInt64(${value})`);
  return `transform(concat(${clientKey}, '\\n', ${serverKey}), [${keys.join(", ")}], ` +
    `[${numbers.join(", ")}], toInt64(0))`;
}

/** A field of an end that is a tuple. */
function fieldOf(end: string): EndColumn {
  return (name) => `${end}.${END.findIndex(([each]) => each === name) + 1}`;
}

/** A condition that is never unknown. */
function holds(condition: string): string {
  return `ifNull(${condition}, 0)`;
}

const CLIENT = "role = 'client'";
const SERVER = "role = 'server'";

/** The records of ends. */
export function endsWhere({ condition }: Pick<PairsOf, "condition">): string {
  const filter = condition === undefined ? "" : ` AND (${condition})`;
  return `role IN ('client', 'server') AND client_isn IS NOT NULL${filter}`;
}

function fromEnds(of: PairsOf): string {
  return `${clickHouseName(of.database)}.handshakes WHERE ${endsWhere(of)}`;
}

/** How much later than the one before a record is that tells something else, nanoseconds. */
function sameNs({ isToldTwice }: PairsOf): number {
  // What was shipped twice is always one, and tables are asked without FINAL.
  return isToldTwice ? SAME_NS : 0;
}

/** The numbers that one side told several times, but for what tells one handshake again. */
function severalSql(of: PairsOf): string {
  const one = `cityHash64(${HOST_KEY}, ${TUPLE.join(", ")})`;
  const isSeveral = [CLIENT, SERVER].map((role) =>
    `minIf(${one}, ${role}) <> maxIf(${one}, ${role}) OR ` +
    `maxIf(time, ${role}) - minIf(time, ${role}) > ${sameNs(of)}`
  );
  return `SELECT client_isn FROM ${fromEnds(of)} GROUP BY client_isn HAVING ${
    isSeveral.join(" OR ")
  }`;
}

const END_TUPLE = `(${END.map(([, sql]) => sql).join(", ")})`;

/** Whether one is there of each side. */
const BOTH = "has_c AND has_s";

/** Both ends of those numbers that each side told at most once: a row each, or one row an end. */
function simpleSql(of: PairsOf): string {
  const [c, s] = [fieldOf("c"), fieldOf("s")];
  const equals = (names: readonly string[]) =>
    names.map((name) => `${c(name)} = ${s(name)}`).join(" AND ");
  const offset = valueOf(c("host_key"), s("host_key"), of.offsets);
  const cases = TIERS.flatMap((tier) => {
    const equal = tier.equal.filter((each) => each !== "y").map((each) =>
      equals(each === "tuple" ? TUPLE : SERVICE)
    );
    return [holds([...equal, isOfTier(tier, c, s, offset)].join(" AND ")), `${tier.tier}`];
  });
  const tier = `if(${BOTH} AND ${mayBeOne(c, s)}, multiIf(${cases.join(", ")}, 0), 0)`;
  const first = (role: string) => `arraySort(groupArrayIf(${END_TUPLE}, ${role}))[1]`;
  return `SELECT x, c, s, item.1 AS tier, item.2 AS has_c, item.3 AS has_s
FROM (
  SELECT x, c, s, arrayJoin(if(joined > 0 OR NOT (${BOTH}),
    [(toUInt8(joined), toUInt8(has_c), toUInt8(has_s))],
    [(toUInt8(0), toUInt8(1), toUInt8(0)), (toUInt8(0), toUInt8(0), toUInt8(1))])) AS item
  FROM (
    SELECT x, c, s, has_c, has_s, ${tier} AS joined
    FROM (
      SELECT client_isn AS x, ${first(CLIENT)} AS c, ${first(SERVER)} AS s,
        countIf(${CLIENT}) > 0 AS has_c, countIf(${SERVER}) > 0 AS has_s
      FROM ${fromEnds(of)} AND client_isn GLOBAL NOT IN (${severalSql(of)})
      GROUP BY client_isn
    ) AS of_numbers
  ) AS simple
) AS items`;
}

/** An end that is not there. */
function noEnd(end: string): string {
  return `[${end}][2]`;
}

/** What stands behind FROM, with the names of what each row is of: tier, has_c, has_s, c and s. */
interface Items {
  from: string;
  names: string;
}

/** The ends of the other numbers, each once, without those that are on the way of another's. */
function severalEnds(of: PairsOf): Items {
  const isOther = `nth = 1 OR item.1 - before.1 > ${sameNs(of)}`;
  const end = fieldOf("told");
  const { order, endIs } = ON_THE_WAY;
  const ranked = `arraySort(arrayMap(told -> (${order.map(end).join(", ")}), ` +
    `arrayFilter(told -> ${end("rtt_client_ns")} IS NOT NULL AND ${
      end("y")
    } IS NOT NULL, of_numbers)))`;
  const own: EndColumn = (name) => `own.${order.indexOf(name as typeof order[number]) + 1}`;
  const isWay = (side: "client" | "server") => holds(isOnTheWay(side, end, own));
  const at = (side: "client" | "server") => endIs[side] === "last" ? "-1" : "1";
  return {
    names: "now AS c, now AS s, toUInt8(0) AS tier, toUInt8(side = 'client') AS has_c, " +
      "toUInt8(side = 'server') AS has_s",
    from: `(
    SELECT x, side, arrayJoin(if(notEmpty(ranked) AND own.1 IS NOT NULL AND side <> '',
      arrayFilter(told -> NOT (if(side = 'client', ${isWay("client")}, ${isWay("server")}) AND ${
      end("y")
    } IS NOT NULL), of_numbers), of_numbers)) AS now
    FROM (
      SELECT x, side, groupArray(item) AS of_numbers, ${ranked} AS ranked,
        ranked[if(side = 'client', ${at("client")}, ${at("server")})] AS own
      FROM (
        SELECT client_isn AS x, role AS side, arraySort(groupArray(${END_TUPLE})) AS those
        FROM ${fromEnds(of)} AND client_isn GLOBAL IN (${severalSql(of)})
        GROUP BY client_isn, role, ${HOST_KEY}, ${TUPLE.join(", ")}
      ) AS told_by_hosts ARRAY JOIN those AS item, ${BEFORE} AS before, arrayEnumerate(those) AS nth
      WHERE ${isOther}
      GROUP BY x, side, ${fieldOf("item")("y")}
    ) AS told_once
  ) AS without_the_way`,
  };
}

/** Of each number of an array, whether it is there once. */
function isOnly(numbers: string): string {
  return `arrayMap((nth, nth_of_last) -> nth = 1 AND nth_of_last = 1, arrayEnumerateUniq(${numbers}), ` +
    `reverse(arrayEnumerateUniq(reverse(${numbers}))))`;
}

/**
 * Joins what may be joined by a tier; what has found its other end passes. Selects are as few as can be:
 * each doubles the time that version 18.16 takes to understand what is within.
 */
function joinedByTier({ from, names }: Items, tier: Tier, of: PairsOf): Items {
  const [c, s] = [fieldOf("c"), fieldOf("s")];
  const equal = tier.equal.flatMap((each) =>
    each === "tuple" ? TUPLE : each === "service" ? SERVICE : ["y"]
  );
  const keys = equal.map((name) => `if(has_c, ${c(name)}, ${s(name)})`);
  const offset = valueOf(c("host_key"), s("host_key"), of.offsets);
  const fits = holds(`${mayBeOne(c, s)} AND ${isOfTier(tier, c, s, offset)}`);
  const sideOf = (at: 1 | 2) => `arrayMap(both -> both.${at}, candidates)`;
  const found = (at: 1 | 2) => `arrayMap(both -> both.${at}, found)`;
  const rest = (at: 1 | 2, ends: string, item: string) =>
    `arrayMap(end -> ${item}, arrayFilter((end, nth) -> NOT has(${found(at)}, nth), ${ends}, ` +
    `arrayEnumerate(${ends})))`;
  return {
    names: "item.1 AS tier, item.2 AS has_c, item.3 AS has_s, item.4 AS c, item.5 AS s",
    from: `(
  SELECT x, passing AS before, cs AS clients, ss AS servers, arrayFilter((both, only_c, only_s) -> only_c AND only_s, candidates,
    ${isOnly(sideOf(1))}, ${isOnly(sideOf(2))}) AS found
  FROM (
    SELECT x, passing, cs, ss, arrayReduce('groupArrayArray', arrayMap((c, at_c) ->
      arrayMap(at_s -> (at_c, at_s), arrayFilter((at_s, s) -> ${fits}, arrayEnumerate(ss), ss)),
      cs, arrayEnumerate(cs))) AS candidates
    FROM (
      WITH ${names}
      SELECT x, groupArrayIf((tier, has_c, has_s, c, s), tier > 0) AS passing,
        groupArrayIf(c, tier = 0 AND has_c) AS cs, groupArrayIf(s, tier = 0 AND has_s) AS ss
      FROM ${from}
      GROUP BY ${["x", ...keys].join(", ")}
    ) AS of_keys
  ) AS with_candidates
) AS with_found ARRAY JOIN arrayConcat(before,
  arrayMap(both -> (toUInt8(${tier.tier}), toUInt8(1), toUInt8(1), clients[both.1], servers[both.2]), found),
  ${rest(1, "clients", `(toUInt8(0), toUInt8(1), toUInt8(0), end, ${noEnd("end")})`)},
  ${rest(2, "servers", `(toUInt8(0), toUInt8(0), toUInt8(1), ${noEnd("end")}, end)`)}) AS item`,
  };
}

/** Both ends of the other numbers, joined tier by tier. */
function severalJoined(of: PairsOf): string {
  const { from, names } = TIERS.reduce(
    (items, tier) => joinedByTier(items, tier, of),
    severalEnds(of),
  );
  return `SELECT x, ${names} FROM ${from}`;
}

const PAIR = (end: "c" | "s"): EndColumn => (name) => `${end}_${name}`;

/** Each address, with the host that most ends told it as their own. */
function addressesSql(of: PairsOf): string {
  const table = `${clickHouseName(of.database)}.handshakes`;
  const own = (end: "client" | "server") =>
    `SELECT ${end}_address AS peer_address, ${HOST_KEY} AS key, count() AS ends FROM ${table} FINAL ` +
    `WHERE ${endsWhere(of)} AND role = '${end}' GROUP BY peer_address, key`;
  return `SELECT peer_address, arraySort(groupArray((all_ends, key)))[-1].2 AS peer_key FROM (
    SELECT peer_address, key, sum(ends) AS all_ends
    FROM (${own("client")} UNION ALL ${own("server")}) AS own GROUP BY peer_address, key
  ) AS of_hosts GROUP BY peer_address`;
}

/** When each host was watching without a filter. */
function watchingSql({ database }: PairsOf): string {
  return `SELECT host_key AS peer_key, groupArray((watched_since, watched_until)) AS watched FROM (
    SELECT host_key, teller, min(told_since) AS watched_since, max(told_at) AS watched_until FROM (
      SELECT ${HOST_KEY} AS host_key, ifNull(tracer, '') AS teller,
        assumeNotNull(since) AS told_since, time AS told_at
      FROM ${clickHouseName(database)}.status
      WHERE event = 'status' AND empty(filters) AND ifNull(sample, 1) = 1
        AND match(ifNull(sources, ''), '"wire":\\\\[[^\\\\]]') AND since IS NOT NULL
    ) AS told GROUP BY host_key, teller
  ) AS of_tracers GROUP BY host_key`;
}

/**
 * A row for each handshake between two hosts of which either end was told: what stands behind FROM. Times
 * are nanoseconds of each host's own clock.
 */
export function pairsFrom(of: PairsOf): string {
  const [c, s] = [PAIR("c"), PAIR("s")];
  const columns = (["c", "s"] as const).flatMap((end) =>
    END.map(([name]) => `if(has_${end}, ${fieldOf(end)(name)}, NULL) AS ${end}_${name}`)
  );
  const all = ["x", "c", "s", "tier", "has_c", "has_s"].join(", ");
  const ends = `SELECT x, toUInt8(tier) AS joined_by, has_c, has_s, ${columns.join(", ")},
  multiIf(tier > 0, '', has_c, ${fieldOf("c")("server_address")}, ${
    fieldOf("s")("client_address")
  }) AS peer_address
FROM (SELECT ${all} FROM (${simpleSql(of)}) AS simple UNION ALL SELECT ${all} FROM (${
    severalJoined(of)
  }) AS several) AS items`;
  const peers = `SELECT * FROM (${ends}) AS flat ANY LEFT JOIN (${
    addressesSql(of)
  }) AS addresses USING (peer_address)`;
  const isKnown = `joined_by > 0 OR (peer_key <> '' AND ` +
    `peer_key <> ifNull(if(has_c, ${c("host_key")}, ${s("host_key")}), ''))`;
  const offset = valueOf(`assumeNotNull(${c("host_key")})`, "peer_key", of.offsets);
  const isWithin = isWatchedBy("w.1", "w.2", (name) => `assumeNotNull(${c(name)})`, offset);
  // Version 18.16 leaves out columns that only a function of arrays names: so each is named before it.
  const wasWatching =
    `(${c("t")} IS NOT NULL AND ${c("host_key")} IS NOT NULL AND peer_key <> '' ` +
    `AND arrayExists(w -> ${isWithin}, watched))`;
  const paired = (sql: string, name: string) =>
    `if(joined_by > 0, ${sql}, ${name === "syns_lost" ? synsLostAlone(c) : "NULL"})`;
  const coalesced = (...ends: EndColumn[]) => (name: string) =>
    `coalesce(${ends.map((end) => end(name)).join(", ")}) AS ${name}`;
  return `(
SELECT if(joined_by > 0, joined_by, NULL) AS tier,
  multiIf(joined_by > 0, ${pairedVerdict(c, s)}, has_c, ${
    clientVerdict(c, wasWatching)
  }, 'client_end_not_seen') AS verdict,
  ifNull(if(has_c, ${c("host_key")}, peer_key), '') AS client_key,
  ifNull(if(has_s, ${s("host_key")}, peer_key), '') AS server_key,
  ${
    ["outcome", "reason", "t", "syn", "syn_ack", "syn_t", "syn_ack_t", "ack_t"].flatMap((name) => [
      `${c(name)} AS client_${name}`,
      `${s(name)} AS server_${name}`,
    ]).join(", ")
  },
  ${TUPLE.map(coalesced(c, s)).join(", ")}, x, ${coalesced(c, s)("y")},
  ${pairValues(c, s).map(([sql, name]) => `${paired(sql, name)} AS ${name}`).join(",\n  ")}
FROM (SELECT * FROM (${peers}) AS with_peers WHERE ${isKnown}) AS known
ANY LEFT JOIN (${watchingSql(of)}) AS watching USING (peer_key)
) AS pairs`;
}

/** How far the clocks of clients' hosts and servers' are apart, roughly: a row for each two hosts. */
export function roughSql(of: PairsOf): string {
  const fields = ["role", "host_key", "t", "tracer", "outcome", "y"];
  const [c, s]: EndColumn[] = ["c", "s"].map((end) => (name) =>
    `${end}.${fields.indexOf(name) + 1}`
  );
  const values = ["role", HOST_KEY, "time", "ifNull(tracer, '')", "outcome", "server_isn"];
  const isOther = `nth = 1 OR now.1 <> before.1 OR now.2 <> before.2 OR now.3 - before.3 > ${
    sameNs(of)
  }`;
  const side = (role: string) => `arrayFilter(end -> end.1 = '${role}', ends)`;
  const seconds = `intDiv(${s("t")} - ${c("t")}, ${ROUGH_NS})`;
  return `SELECT client, server, arrayFirst((told, so_far) -> so_far * 2 >= all_pairs, offsets,
  arrayCumSum(arrayMap(told -> told.2, offsets))).1 * ${ROUGH_NS} AS offset_ns
FROM (
  SELECT client, server, sum(pairs) AS all_pairs, arraySort(groupArray((apart_s, pairs))) AS offsets
  FROM (
    SELECT both.1 AS client, both.2 AS server, both.3 AS apart_s, count() AS pairs
    FROM (
      SELECT arrayJoin(arrayReduce('groupArrayArray', arrayMap(c -> arrayMap(
        s -> (${c("host_key")}, ${s("host_key")}, ${seconds}),
        arrayFilter(s -> ${
    holds(`${c("y")} = ${s("y")} AND ${mayBeOne(c, s)}`)
  }, ss)), cs))) AS both
      FROM (
        SELECT ${side("client")} AS cs, ${side("server")} AS ss
        FROM (
          SELECT arrayFilter((now, before, nth) -> ${isOther}, those, ${BEFORE}, arrayEnumerate(those)) AS ends
          FROM (
            SELECT arraySort(groupArray((${values.join(", ")}))) AS those
            FROM ${fromEnds(of)} GROUP BY client_isn, ${TUPLE.join(", ")}
          ) AS of_numbers
        ) AS told_once
      ) AS of_sides WHERE notEmpty(cs) AND notEmpty(ss)
    ) AS candidates GROUP BY client, server, apart_s
  ) AS of_seconds GROUP BY client, server
) AS of_hosts WHERE all_pairs > 0 ORDER BY client, server`;
}

/** The names of hosts by their keys: when each was last told, and which tracers told. */
export function hostsSql({ database, condition }: PairsOf): string {
  const where = condition === undefined ? "" : ` WHERE ${condition}`;
  const isEnd = endsWhere({ condition: undefined });
  return `SELECT ${HOST_KEY} AS host_key, host, maxIf(time, ${isEnd}) AS last, countIf(${isEnd}) AS ends,
  min(tracer) AS first_tracer, max(tracer) AS last_tracer
FROM ${
    clickHouseName(database)
  }.handshakes${where} GROUP BY host_key, host ORDER BY host_key, host`;
}
