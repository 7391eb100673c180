/**
 * The questions that have a name: each is written once, for every database.
 *
 * @module
 */
import { HANDSHAKE_COLUMNS } from "./columns.ts";
import type { Dialect, Statement } from "./dialect.ts";
import { ISN_COUNTS, isnSql } from "./isn_sql.ts";

/** What a column of an answer holds, and so how it is shown. */
export type AnswerKind = "text" | "count" | "share" | "ns" | "time" | "number";

/** One column of an answer. */
export interface AnswerColumn {
  name: string;
  kind: AnswerKind;
}

/** What can be asked beyond the question itself. */
export interface Ask {
  /** What rows are made of; undefined: what the question says. */
  by: readonly Key[] | undefined;
  /** Seconds of a row of `over-time`. */
  bucketSeconds: number;
  /** Rows at most. */
  limit: number;
}

/** A part of a handshake that rows can be made of. */
export const KEYS = {
  host: "host",
  role: "role",
  server: "server",
  client: "client",
  "server-port": "server_port",
  process: "process",
  user: "uid",
  cgroup: "cgroup",
  container: "container",
  interface: "network_interface",
  outcome: "outcome",
  reason: "reason",
} as const satisfies Record<string, string>;

/** One of {@linkcode KEYS}. */
export type Key = keyof typeof KEYS;

/** A question that has a name. */
export interface Question {
  /** What it answers, one sentence. */
  meaning: string;
  /** What its rows are made of where nobody says; undefined: `--by` has no meaning for it. */
  by?: readonly Key[];
  /** Whether it takes `--bucket`. */
  hasBuckets?: boolean;
  /** @returns The SQL of its answer, and what the columns of that are. */
  answer(dialect: Dialect, ask: Ask): AnswerSql;
}

/** How an answer is found. */
export interface AnswerSql extends Statement {
  columns: readonly AnswerColumn[];
}

const HANDSHAKES = column("handshakes", "count");
const FAILED = column("failed", "count");
const FAILED_SHARE = column("failed_share", "share");
const IS_FAILED = "outcome <> 'established'";

function column(name: string, kind: AnswerKind): AnswerColumn {
  return { name, kind };
}

/** An expression and the column that it is; a key that is made of others is grouped by those. */
type Part = readonly [column: AnswerColumn, sql: string, of?: readonly string[]];

function counted(dialect: Dialect): Part[] {
  return [
    [HANDSHAKES, "count(*)"],
    [FAILED, dialect.countIf(IS_FAILED)],
    [FAILED_SHARE, `${dialect.countIf(IS_FAILED)} / count(*)`],
  ];
}

/** Median and 99th percentile of both legs by role, which are never mixed. */
function quantiles(dialect: Dialect): Part[] {
  const percents = [50, 99];
  return ["network_rtt", "host_time"].flatMap((leg) => {
    const values = dialect.quantiles(percents.map((percent) => percent / 100), `${leg}_ns`);
    return percents.map((percent, at): Part => [
      column(`${leg}_p${percent}_ns`, "ns"),
      values[at],
    ]);
  });
}

/** How a key is written, and what it is called in an answer. */
function keyParts(by: readonly Key[], { join, asText }: Dialect): Part[] {
  const address = (end: string) =>
    `CASE WHEN ${end}_address LIKE '%:%' ` +
    `THEN ${join("'['", `${end}_address`, "']'")} ELSE ${end}_address END`;
  const atOwnEnd = (part: string) =>
    `CASE WHEN role = 'client' THEN client_${part} WHEN role = 'server' THEN server_${part} ` +
    `ELSE coalesce(server_${part}, client_${part}) END`;
  const sql: Readonly<Record<Key, string>> = {
    host: "host",
    role: "role",
    server: join(address("server"), "':'", asText("server_port")),
    client: "client_address",
    "server-port": "server_port",
    process: atOwnEnd("process_comm"),
    user: atOwnEnd("process_uid"),
    cgroup: atOwnEnd("process_cgroup_path"),
    container: `coalesce(${atOwnEnd("process_container_name")}, ${
      atOwnEnd("process_container_id")
    })`,
    interface: "network_interface",
    outcome: "outcome",
    reason: "coalesce(reason, drop_reason, reset_reason)",
  };
  return by.map((key) => [
    column(KEYS[key], key === "server-port" || key === "user" ? "number" : "text"),
    sql[key],
    // Written once a group, not once a handshake.
    key === "server" ? ["server_address", "server_port"] : undefined,
  ]);
}

interface Grouped {
  keys: readonly Part[];
  values: readonly Part[];
  order: string;
  from?: string;
  where?: string;
  having?: string;
  limit?: number;
}

/**
 * What a part is called in SQL: what is made of a column by its name is called otherwise, since databases
 * do not agree on which of the two such a name means.
 */
function aliasOf([{ name }, sql]: Part): string {
  return sql !== name && COLUMN_NAMES.has(name) ? `${name}_told` : name;
}

const COLUMN_NAMES = new Set(HANDSHAKE_COLUMNS.map(({ name }) => name));

/** The keys as what rows are ordered by. */
function inOrder(keys: readonly Part[]): string {
  return keys.map(aliasOf).join(", ");
}

/** A row for each value of the keys. */
function grouped({ keys, values, from = "handshakes", ...rest }: Grouped) {
  const parts = [...keys, ...values];
  const lines = [
    `SELECT ${parts.map((part) => `${part[1]} AS ${aliasOf(part)}`).join(",\n  ")}`,
    `FROM ${from}`,
    rest.where && `WHERE ${rest.where}`,
    keys.length > 0 && `GROUP BY ${keys.flatMap(([, sql, of]) => of ?? [sql]).join(", ")}`,
    rest.having && `HAVING ${rest.having}`,
    `ORDER BY ${rest.order}`,
    rest.limit !== undefined && `LIMIT ${rest.limit}`,
  ];
  return {
    columns: parts.map(([each]) => each),
    sql: lines.filter((line) => typeof line === "string").join("\n"),
  };
}

function ranking(meaning: string, by: readonly Key[]): Question {
  return {
    meaning,
    by,
    answer: (dialect, ask) => {
      const keys = keyParts(ask.by ?? by, dialect);
      return grouped({
        keys,
        values: [...counted(dialect), ...quantiles(dialect)],
        order: `${HANDSHAKES.name} DESC, ${inOrder(keys)}`,
        // Whose processes nobody knows, as of packets alone, is no process. Counted: as a condition of
        // each handshake it would be asked of all records before those told again are left out.
        having: ask.by === undefined && isOfProcesses(by) ? `count(${keys[0][1]}) > 0` : undefined,
        limit: ask.limit,
      });
    },
  };
}

function isOfProcesses([key]: readonly Key[]): boolean {
  return key === "process" || key === "container";
}

/** How many handshakes had a packet captured, and had it again. */
function repeated(name: string, packets: string, dialect: Dialect): Part[] {
  const [captured, again] = [`${packets} > 0`, `${packets} > 1`].map(dialect.countIf);
  return [
    [column(name, "count"), captured],
    [column(`${name}_repeated`, "count"), again],
    [column(`${name}_repeated_share`, "share"), `${again} / nullif(${captured}, 0)`],
  ];
}

/** The questions by name. */
export const QUESTIONS: Readonly<Record<string, Question>> = {
  servers: ranking("Who was connected to: handshakes, failures and both legs of each server.", [
    "server",
  ]),
  clients: ranking("Who connected: the same of each client's address.", ["client"]),
  processes: ranking("This host's processes: the same of each command name.", ["process"]),
  containers: ranking("The same of each container.", ["container"]),
  failures: {
    meaning: "What failed: each outcome and reason, with when it was seen first and last.",
    by: ["outcome", "reason", "server"],
    answer: (dialect, ask) => {
      const keys = keyParts(ask.by ?? ["outcome", "reason", "server"], dialect);
      return grouped({
        keys,
        values: [
          [column("failures", "count"), "count(*)"],
          [column("first", "time"), "min(time)"],
          [column("last", "time"), "max(time)"],
        ],
        where: IS_FAILED,
        order: `failures DESC, ${inOrder(keys)}`,
        limit: ask.limit,
      });
    },
  },
  slow: {
    meaning: "The handshakes with the longest round trip through the network.",
    answer: (dialect, { limit }) =>
      grouped({
        keys: [],
        values: [
          [column("time", "time"), "time"],
          ...keyParts(["host", "role", "client", "server", "process", "outcome"], dialect),
          [column("network_rtt_ns", "ns"), "network_rtt_ns"],
          [column("host_time_ns", "ns"), "host_time_ns"],
          [column("syn", "count"), "packets_syn"],
          [column("syn_ack", "count"), "packets_syn_ack"],
        ],
        // Chosen first: the texts of all others need not be made.
        from: `(
  SELECT * FROM handshakes WHERE network_rtt_ns IS NOT NULL
  ORDER BY network_rtt_ns DESC, time LIMIT ${limit}
) AS slowest`,
        order: "network_rtt_ns DESC, time",
      }),
  },
  "over-time": {
    meaning: "Each span of time, by role: handshakes, failures and both legs.",
    by: ["role"],
    hasBuckets: true,
    answer: (dialect, ask) => {
      const keys: Part[] = [
        [column("begin", "time"), dialect.bucket("time", ask.bucketSeconds)],
        ...keyParts(ask.by ?? ["role"], dialect),
      ];
      return grouped({
        keys,
        values: [...counted(dialect), ...quantiles(dialect)],
        order: inOrder(keys),
        limit: ask.limit,
      });
    },
  },
  retransmissions: {
    meaning: "Where SYNs and SYN-ACKs had to be repeated.",
    by: ["server"],
    answer: (dialect, ask) => {
      const keys = keyParts(ask.by ?? ["server"], dialect);
      return grouped({
        keys,
        values: [
          ...repeated("syn", "packets_syn", dialect),
          ...repeated("syn_ack", "packets_syn_ack", dialect),
        ],
        having: `${dialect.countIf("packets_syn > 1 OR packets_syn_ack > 1")} > 0`,
        order: `${dialect.countIf("packets_syn > 1 OR packets_syn_ack > 1")} DESC, ${
          inOrder(keys)
        }`,
        limit: ask.limit,
      });
    },
  },
  losses: {
    meaning: "What the tracers lost: the last that each said of every place.",
    answer: (dialect, { limit }) => {
      const rows = `SELECT host, tracer, min(since) AS since, max(time) AS until, ${
        dialect.ofGreatest("handshakes", "time")
      } AS handshakes, ${dialect.ofGreatest("losses", "time")} AS losses
  FROM status GROUP BY host, tracer`;
      const members = dialect.members({ rows, json: "losses", name: "place", number: "lost" });
      const asked = grouped({
        keys: [],
        values: [
          [column("host", "text"), "host"],
          [column("tracer", "text"), "tracer"],
          [column("since", "time"), "since"],
          [column("until", "time"), "until"],
          [column("handshakes", "count"), "handshakes"],
          [column("place", "text"), "place"],
          [column("lost", "count"), "lost"],
        ],
        from: `(${members}) AS places`,
        order: "host, tracer, lost DESC, place",
        limit,
      });
      return { ...asked, isOfStatus: true };
    },
  },
  isn: {
    meaning: "Facts of initial sequence numbers: repeated ones, and by which clock they advance " +
      "where a tuple returns (RFC 6528: a tick of 4 us; Linux: of 64 ns).",
    answer: (dialect, { limit }) => ({
      columns: [
        column("address", "text"),
        column("chosen_as", "text"),
        ...ISN_COUNTS.map((name) => column(name, "count")),
      ],
      ...isnSql(dialect, limit),
    }),
  },
};
