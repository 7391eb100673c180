/**
 * Facts of initial sequence numbers, for every database.
 *
 * @module
 */
import type { Dialect, Statement } from "./dialect.ts";

/** Ticks of the clock that an initial sequence number is made of, nanoseconds: RFC 6528, and Linux. */
const RFC_TICK_NS = 4_000;
const LINUX_TICK_NS = 64;
/** How much later than its number a packet may be captured. */
const CAPTURE_SLACK_NS = 2_000_000;

/** What the numbers of both ends are taken from, and what tells of each row whose they are. */
interface Chosen {
  /** A table or view of handshakes. */
  from: string;
  /** What handshakes between the same ports share, in its columns. */
  keys: readonly string[];
  /** Columns that are kept, each `SQL AS NAME` or a name. */
  kept: readonly string[];
}

/** The numbers of both ends, each with that of the handshake before between the same ports. */
function consecutive({ from, keys, kept }: Chosen, { withBefore, ns, ifItFits }: Dialect): string {
  const at = (packet: string, end: string) =>
    `${ifItFits(`${ns("time")} + coalesce(times_${packet}_ns, 0)`)} AS ${end}_at_ns`;
  return withBefore({
    columns: [...kept, "client_isn", "server_isn", at("syn", "client"), at("syn_ack", "server")],
    from,
    keys,
    order: "client_at_ns",
    values: ENDS.flatMap((end) => [`${end}_isn`, `${end}_at_ns`]),
  });
}

const ENDS = ["client", "server"] as const;
/** What is counted of the numbers that follow another one. */
const FACTS = ["returns", "by_4us_clock", "by_64ns_clock", "unchanged"] as const;

/** Those facts, for the rows of {@linkcode consecutive}. */
function factsOf(end: typeof ENDS[number], dialect: Dialect): string[] {
  const conditions = conditionsOf(end, dialect);
  return FACTS.map((fact) => `${dialect.countIf(conditions[fact])} AS ${end}_${fact}`);
}

/** What is so of a number where a fact is. */
function conditionsOf(
  end: typeof ENDS[number],
  dialect: Dialect,
): Record<typeof FACTS[number], string> {
  const { quotient, asInteger, ifItFits } = dialect;
  const ticked = (tickNs: number) =>
    isWithin(tickNs, `${advanced} - ${quotient(waited, tickNs)}`, dialect);
  const advanced = `(${asInteger(`${end}_isn`)} - ${end}_isn_before)`;
  const waited = ifItFits(`${end}_at_ns - ${end}_at_ns_before`);
  return {
    returns: `${advanced} IS NOT NULL`,
    by_4us_clock: ticked(RFC_TICK_NS),
    by_64ns_clock: ticked(LINUX_TICK_NS),
    unchanged: `${advanced} = 0`,
  };
}

/** Whether a number of ticks is as near to 0 as a packet is to its number. */
function isWithin(tickNs: number, ticks: string, { lowBits }: Dialect): string {
  const slack = Math.ceil(CAPTURE_SLACK_NS / tickNs);
  // Sequence numbers are modulo 2^32.
  return `${lowBits(`${ticks} + ${slack}`)} <= ${2 * slack}`;
}

/** What is counted of the numbers of an address, in the order of its columns. */
export const ISN_COUNTS = ["numbers", "different", ...FACTS] as const;

function inOrder(limit: number): string {
  return `WHERE all_numbers > 0
ORDER BY all_numbers - all_different DESC, all_numbers DESC, address, chosen_as
LIMIT ${limit}`;
}

/** The same in one pass, where handshakes would be looked for again wherever they are asked. */
function isnInOnePass(
  dialect: Dialect,
  alternatives: NonNullable<Dialect["alternatives"]>,
  limit: number,
): Statement {
  const ways = ENDS.map((end) => ({
    address: `${end}_address`,
    chosen_as: dialect.text(end),
    isn: `${end}_isn`,
    ...conditionsOf(end, dialect),
  }));
  const chosen = {
    from: "handshakes",
    keys: ["client_address", "client_port", "server_address", "server_port"],
    kept: ENDS.map((end) => `${end}_address`),
  };
  const rows = alternatives(`(${consecutive(chosen, dialect)}) AS consecutive`, ways);
  const counts: Readonly<Record<typeof ISN_COUNTS[number], string>> = {
    numbers: "count(isn)",
    different: "count(DISTINCT isn)",
    returns: dialect.countIf("returns"),
    by_4us_clock: dialect.countIf("by_4us_clock"),
    by_64ns_clock: dialect.countIf("by_64ns_clock"),
    unchanged: dialect.countIf("unchanged"),
  };
  return {
    sql: `SELECT address, chosen_as, ${
      ISN_COUNTS.map((name) => `all_${name} AS ${name}`).join(", ")
    }
FROM (
  SELECT address, chosen_as, ${
      ISN_COUNTS.map((name) => `coalesce(${dialect.asInteger(counts[name])}, 0) AS all_${name}`)
        .join(", ")
    }
  FROM (${rows}) AS told GROUP BY address, chosen_as
) AS chosen
${inOrder(limit)}`,
  };
}

/** A hash of 64 bits of the addresses of some ends, in DuckDB's SQL. */
function codeOf(...ends: readonly string[]): string {
  return `hash(${ends.map((end) => `${end}_address`).join(", ")})`;
}

/**
 * The same by tables, in DuckDB's SQL. What goes over all handshakes knows addresses by their hashes
 * alone: to sort and to group texts takes a third longer. Their names are looked up at the end.
 */
function isnByHashes(dialect: Dialect, limit: number): Statement {
  const way = codeOf(...ENDS);
  const chosen = { from: "hashed_handshakes", keys: ["tuple_hash"], kept: [`${way} AS way`] };
  const tables = {
    ways: `SELECT way, ${ENDS.flatMap((end) => factsOf(end, dialect)).join(",\n  ")}
FROM (${consecutive(chosen, dialect)}) AS consecutive GROUP BY way`,
    // The numbers of both ends in one pass: a row is of the one end or of the other, and NULL elsewhere.
    different: `SELECT ${ENDS.join(", ")}, count(*) AS different, sum(times) AS numbers
FROM (
  SELECT ${ENDS.map((end) => `${end}, ${end}_isn`).join(", ")}, count(*) AS times
  FROM (SELECT ${
      ENDS.map((end) => `${codeOf(end)} AS ${end}, ${end}_isn`).join(", ")
    } FROM handshakes)
  GROUP BY GROUPING SETS (${ENDS.map((end) => `(${end}, ${end}_isn)`).join(", ")})
) WHERE ${ENDS.map((end) => `${end}_isn IS NOT NULL`).join(" OR ")}
GROUP BY ${ENDS.join(", ")}`,
    names: `SELECT DISTINCT ${ENDS.map((end) => `${end}_address`).join(", ")} FROM records`,
  };
  return dialect.withTables(tables, (table) => {
    const told = ENDS.flatMap((end) => {
      const chosen = `address, ${dialect.text(end)} AS chosen_as`;
      // Should addresses share a hash, their numbers stand together, under the names of all.
      const names = (code: string) =>
        `(SELECT string_agg(DISTINCT ${end}_address, ' ' ORDER BY ${end}_address) AS address, ${code} AS code
FROM ${table("names")} GROUP BY code) AS named`;
      return [
        `SELECT ${chosen}, numbers, different, ${FACTS.map((fact) => `0 AS ${fact}`).join(", ")}
  FROM ${table("different")} JOIN ${names(codeOf(end))} ON code = ${end}`,
        `SELECT ${chosen}, 0, 0, ${FACTS.map((fact) => `${end}_${fact}`).join(", ")}
  FROM ${table("ways")} JOIN ${names(way)} ON code = way`,
      ];
    });
    const sums = ISN_COUNTS.map((name) => `${dialect.asInteger(`sum(${name})`)} AS all_${name}`);
    return `SELECT address, chosen_as, ${
      ISN_COUNTS.map((name) => `all_${name} AS ${name}`).join(", ")
    }
FROM (
  SELECT address, chosen_as, ${sums.join(", ")}
  FROM (${told.join("\n  UNION ALL ")}) AS told
  GROUP BY address, chosen_as
) AS chosen
${inOrder(limit)}`;
  });
}

/** Facts of the initial sequence numbers that each address chose, by the end it was. */
export function isnSql(dialect: Dialect, limit: number): Statement {
  const { alternatives } = dialect;
  return alternatives === undefined
    ? isnByHashes(dialect, limit)
    : isnInOnePass(dialect, alternatives, limit);
}
