/**
 * Facts of initial sequence numbers, for every database.
 *
 * @module
 */
import { type Dialect, sqlText } from "./dialect.ts";

/** Ticks of the clock that an initial sequence number is made of, nanoseconds: RFC 6528, and Linux. */
const RFC_TICK_NS = 4_000;
const LINUX_TICK_NS = 64;
/** How much later than its number a packet may be captured. */
const CAPTURE_SLACK_NS = 2_000_000;

/** The numbers of both ends, each with that of the handshake before between the same ports. */
function consecutive({ withBefore, ns }: Dialect): string {
  const at = (packet: string, end: string) =>
    `${ns("time")} + coalesce(times_${packet}_ns, 0) AS ${end}_at_ns`;
  return withBefore({
    columns: [
      ...["client_address", "client_isn", "server_address", "server_isn"],
      ...[at("syn", "client"), at("syn_ack", "server")],
    ],
    from: "handshakes",
    keys: ["client_address", "client_port", "server_address", "server_port"],
    order: "client_at_ns",
    values: ENDS.flatMap((end) => [`${end}_isn`, `${end}_at_ns`]),
  });
}

const ENDS = ["client", "server"] as const;
/** What is counted of the numbers that follow another one. */
const FACTS = ["returns", "by_4us_clock", "by_64ns_clock", "unchanged"] as const;

/** Those facts, for the rows of {@linkcode consecutive}. */
function factsOf(end: typeof ENDS[number], { countIf, quotient }: Dialect): string[] {
  const advanced = `(CAST(${end}_isn AS BIGINT) - ${end}_isn_before)`;
  const waited = `(${end}_at_ns - ${end}_at_ns_before)`;
  const conditions: Readonly<Record<typeof FACTS[number], string>> = {
    returns: `${advanced} IS NOT NULL`,
    by_4us_clock: isWithin(RFC_TICK_NS, `${advanced} - ${quotient(waited, RFC_TICK_NS)}`),
    by_64ns_clock: isWithin(LINUX_TICK_NS, `${advanced} - ${quotient(waited, LINUX_TICK_NS)}`),
    unchanged: `${advanced} = 0`,
  };
  return FACTS.map((fact) => `${countIf(conditions[fact])} AS ${end}_${fact}`);
}

/** Whether a number of ticks is as near to 0 as a packet is to its number. */
function isWithin(tickNs: number, ticks: string): string {
  const slack = Math.ceil(CAPTURE_SLACK_NS / tickNs);
  const all = 2 ** 32;
  // Sequence numbers are modulo 2^32.
  return `((${ticks}) % ${all} + ${all + slack}) % ${all} <= ${2 * slack}`;
}

/** What is counted of the numbers of an address, in the order of its columns. */
export const ISN_COUNTS = ["numbers", "different", ...FACTS] as const;

/** Facts of the initial sequence numbers that each address chose, by the end it was. */
export function isnSql(dialect: Dialect, limit: number): string {
  const facts = ENDS.flatMap((end) => factsOf(end, dialect));
  const counted = ENDS.map((end) =>
    `SELECT ${end}_address AS address, ${sqlText(end)} AS chosen_as, count(*) AS numbers,
    count(DISTINCT ${end}_isn) AS different
  FROM handshakes WHERE ${end}_isn IS NOT NULL GROUP BY ${end}_address`
  );
  const returned = ENDS.map((end) =>
    `SELECT ${end}_address AS address, ${sqlText(end)} AS chosen_as, ${
      FACTS.map((fact) => `sum(${end}_${fact}) AS ${fact}`).join(", ")
    }
  FROM ways GROUP BY ${end}_address`
  );
  return `WITH ways AS (
  SELECT client_address, server_address, ${facts.join(",\n    ")}
  FROM (${consecutive(dialect)}) AS consecutive GROUP BY client_address, server_address
)
SELECT counted.address AS address, counted.chosen_as AS chosen_as, numbers, different, ${
    FACTS.map((fact) => `CAST(${fact} AS BIGINT) AS ${fact}`).join(", ")
  }
FROM (${counted.join("\n  UNION ALL ")}) AS counted
JOIN (${returned.join("\n  UNION ALL ")}) AS returned
  ON counted.address = returned.address AND counted.chosen_as = returned.chosen_as
ORDER BY numbers - different DESC, numbers DESC, address, chosen_as
LIMIT ${limit}`;
}
