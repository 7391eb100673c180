/**
 * The questions that need both ends of handshakes.
 *
 * @module
 */
import { formatMoment } from "./pair_text.ts";
import type { Answer } from "../query/answer_text.ts";
import type { Value } from "../query/duckdb.ts";
import type { AnswerColumn, AnswerKind } from "../query/questions.ts";
import { type Clocks, type FoundPairs, PAIR_COLUMNS } from "./found_pairs.ts";

/** A question that is asked of what was told by two hosts. */
export interface PairQuestion {
  /** What it answers, one sentence. */
  meaning: string;
  /** @param limit Rows at most. @returns Its answer. */
  answerOf(found: FoundPairs, limit: number): Promise<Answer>;
}

type PairColumn = typeof PAIR_COLUMNS[number];

const PAIRS_OF: readonly (readonly [AnswerColumn, PairColumn])[] = ([
  ["verdict", "text"],
  ["tier", "number"],
  ["client_host", "text"],
  ["client_address", "text"],
  ["client_port", "number"],
  ["client_outcome", "text"],
  ["server_host", "text"],
  ["server_address", "text"],
  ["server_port", "number"],
  ["server_outcome", "text"],
  ["syns_lost", "count"],
  ["syn_acks_lost", "count"],
  ["network_rtt_ns", "ns"],
] as const).map(([name, kind]) => [{ name, kind }, name]);

/** The questions by name. */
export const PAIR_QUESTIONS: Readonly<Record<string, PairQuestion>> = {
  pairs: {
    meaning:
      "The handshakes between two hosts, by both of their ends: where on the way each failed.",
    answerOf: async (found, limit) => {
      const rows: Value[][] = [];
      for await (const some of found.pairs()) {
        for (const row of some) {
          const valueOf = (name: PairColumn) => row[PAIR_COLUMNS.indexOf(name)];
          const time = formatMoment(valueOf("client_t") ?? valueOf("server_t"));
          rows.push([time, ...PAIRS_OF.map(([, name]) => valueOf(name))]);
          if (rows.length === limit) return { columns: pairColumns(), rows };
        }
      }
      return { columns: pairColumns(), rows };
    },
  },
  paths: {
    meaning:
      "The ways from a host to another: losses of each direction, the network's round trip " +
      "without clocks, and how much longer than the least of its minute each direction took.",
    answerOf: async (found, limit) =>
      answer(
        [
          ["client_host", "text"],
          ["server_host", "text"],
          ["handshakes", "count"],
          ["paired", "count"],
          ["syns_lost", "count"],
          ["syn_acks_lost", "count"],
          ["acks_lost", "count"],
          ["network_rtt_p50_ns", "ns"],
          ["network_rtt_p99_ns", "ns"],
          ["wait_there_p99_ns", "ns"],
          ["wait_back_p99_ns", "ns"],
        ],
        (await found.paths()).slice(0, limit).map((path) => [
          path.clientHost,
          path.serverHost,
          path.handshakes,
          path.paired,
          path.synsLost,
          path.synAcksLost,
          path.verdicts.find(([verdict]) => verdict === "ack_lost")?.[1] ?? 0,
          path.networkRttP50Ns,
          path.networkRttP99Ns,
          path.forwardWaitP99Ns,
          path.backWaitP99Ns,
        ]),
      ),
  },
  clocks: {
    meaning: "How far the clocks of two hosts are apart, a minute a row, with bounds that hold " +
      "whatever the network does.",
    answerOf: async (found, limit) => {
      const rows: Value[][] = [];
      for await (const clocks of found.clocks()) {
        for (const row of clockRows(clocks)) {
          if (rows.length === limit) return answer(CLOCK_COLUMNS, rows);
          rows.push(row);
        }
      }
      return answer(CLOCK_COLUMNS, rows);
    },
  },
};

const CLOCK_COLUMNS = [
  ["time", "time"],
  ["host", "text"],
  ["other_host", "text"],
  ["offset_ns", "ns"],
  ["uncertainty_ns", "ns"],
  ["drift_ppb", "number"],
  ["stepped", "text"],
  ["packets_seen", "count"],
] as const;

function clockRows({ one, other, windows }: Clocks): Value[][] {
  return windows.map((window) => {
    const isKnown = window.uncertaintyNs >= 0;
    return [
      formatMoment(String(window.atNs)),
      one,
      other,
      isKnown ? window.offsetNs : null,
      isKnown ? window.uncertaintyNs : null,
      window.driftPpb ?? null,
      window.stepped,
      window.packets,
    ];
  });
}

function pairColumns(): AnswerColumn[] {
  return [{ name: "time", kind: "time" }, ...PAIRS_OF.map(([column]) => column)];
}

function answer(
  columns: readonly (readonly [name: string, kind: AnswerKind])[],
  rows: Answer["rows"],
): Answer {
  return { columns: columns.map(([name, kind]) => ({ name, kind })), rows };
}
