/**
 * What a page is made of, as JSON: small, because numbers that are nothing are told by how many of them
 * follow each other, and texts that come again by their place in a list.
 *
 * @module
 */
import { countOf, withCommas } from "../../text/count.ts";
import type { Role } from "../../match/handshake.ts";
import { explainReason } from "../../explain/words.ts";
import { Histogram } from "../../pipeline/histogram.ts";
import { escapeText } from "../../text/escape.ts";
import type { Ranking, Statistics } from "../statistics/statistics.ts";
import type { Tally } from "../statistics/tally.ts";
import type { Entry, Section } from "./about.ts";
import type { HandshakeView } from "./handshake_view.ts";
import type { KeptRow } from "./kept_rows.ts";
import type { Kind } from "./kinds.ts";
import type { TimedNames } from "./timed_names.ts";
import { type LEG_ENDS, ROLE_LEGS, type TimeSpan } from "./timeline.ts";

/** Buckets of durations to a power of two: each is at most 12.5 % wide. */
export const PARTS = 8;

/** Numbers, each 0 or more; of some 0 in a row there is one number, less than 0, which counts them. */
export type Packed = number[];

/** The place of a text in {@link PageData.texts}. */
export type TextAt = number;

/** How handshakes ended and why, over time. */
export interface KindData {
  outcome: string;
  /** Symbols; "" where no reason is known. */
  reason: string;
  /** What those mean, a sentence or less. */
  meaning: string;
  handshakes: number;
  /** How many of them the table has. */
  kept: number;
  /** By bucket of time. */
  series: Packed;
}

/** A leg of the handshakes of one role, over time. */
export interface LegData {
  title: string;
  /** What it measures. */
  meaning: string;
  /** Of all of them; nanoseconds. */
  measured: number;
  p50Ns: number;
  p99Ns: number;
  maxNs: number;
  /** By bucket of time: number of the first bucket of durations, then how many lie in it and those after. */
  cells: Packed[];
}

/** A table of servers, clients, processes, containers or cgroups, those with the most handshakes first. */
export interface RankingData {
  title: string;
  /** Above the names. */
  heading: string;
  rows: {
    name: string;
    /** Whether the handshakes may be more. */
    isLeast: boolean;
    handshakes: number;
    failed: number;
    failures: string;
    /** Round trip through the network; absent where none is known. */
    p50Ns?: number;
    p99Ns?: number;
    /** By bucket of time; absent where they are not counted so. */
    all?: Packed;
    failedOf?: Packed;
  }[];
  note: string;
}

/** A row of a ladder, in this order. */
export type LadderRowData = [
  /** 0 an event, 1 an arrow, 2 one that was lost on the way. */
  kind: 0 | 1 | 2,
  /** 0 neither, 1 the client, 2 the server. */
  end: 0 | 1 | 2,
  /** 0: none. */
  number: number,
  time: TextAt,
  serverTime: TextAt,
  style: TextAt,
  label: TextAt,
  linesStyle: TextAt,
  ...lines: TextAt[],
];

/** What one host tells of a handshake. */
export interface ViewData {
  teller: TextAt;
  title: TextAt;
  /** Name, text, name, text … */
  facts: TextAt[];
  client: TextAt;
  server: TextAt;
  timeWidth: number;
  /** 0: it has no times by the server's clock. */
  serverTimeWidth: number;
  inner: number;
  ladder: LadderRowData[];
  /** Claim, verdict (1 held, 0 did not, -1 not known), sum, comment. */
  relations: [TextAt, number, TextAt, TextAt][];
  /** Name, duration, text. */
  trips: [TextAt, TextAt, TextAt][];
  remarks: TextAt[];
}

/** A row of the table. Durations are nanoseconds, -1 where they are not known. */
export interface RowData {
  /** Microseconds after {@link PageData.startMs}. */
  us: number;
  kind: number;
  client: TextAt;
  server: TextAt;
  who: TextAt;
  network: number;
  host: number;
  total: number;
  syns: number;
  synAcks: number;
  slow: 0 | 1;
  /** First what two hosts tell together, where they do. */
  views: ViewData[];
}

/** Everything that a page shows. */
export interface PageData {
  version: string;
  handshakes: number;
  /** Said first. */
  missing: string[];
  about: Entry[];
  outcomes: readonly string[];
  /** When the first bucket of time begins, milliseconds of Unix time, and how wide each is. */
  startMs: number;
  widthMs: number;
  buckets: number;
  /** Buckets of durations to a power of two. */
  parts: number;
  kinds: KindData[];
  legs: LegData[];
  rankings: RankingData[];
  sections: Section[];
  tableNote: string;
  /** Above and below each ladder. */
  ladderWords: { legend: string; legendOfBothEnds: string; numbers: string; trips: string };
  rows: RowData[];
  texts: string[];
  /** What `--stats` writes of the same handshakes, for who runs no script; it is no part of the JSON. */
  statistics: string;
}

/** Texts, each once. */
export class TextTable {
  readonly texts: string[] = [];
  readonly #places = new Map<string, number>();

  /** The place of a text. */
  at(text: string): TextAt {
    let at = this.#places.get(text);
    if (at === undefined) this.#places.set(text, at = this.texts.push(text) - 1);
    return at;
  }
}

/** Packs numbers, see {@link Packed}. */
export function pack(numbers: readonly number[]): Packed {
  const packed: Packed = [];
  for (const number of numbers) {
    const last = packed.length - 1;
    if (number !== 0) packed.push(number);
    else if (last >= 0 && packed[last] < 0) packed[last]--;
    else packed.push(-1);
  }
  return packed;
}

/** Kinds with their numbers over time. @param kept How many of each the table has. */
export function kindsData(
  kinds: readonly Kind[],
  span: TimeSpan | undefined,
  kept: readonly number[],
): KindData[] {
  return kinds.map(({ outcome, reasons, isRest, handshakes }, at) => ({
    outcome,
    reason: isRest ? "(others)" : escapeText(reasons.join(", ")),
    meaning: isRest ? "too many reasons to be told apart" : meaningOf(outcome, reasons),
    handshakes,
    kept: kept[at] ?? 0,
    series: pack(span?.buckets.map((bucket) => bucket?.kinds[at] ?? 0) ?? []),
  }));
}

function meaningOf(outcome: string, reasons: readonly string[]): string {
  if (outcome === "established" && reasons.length === 0) return "";
  if (reasons.length === 0) return "no reason is known";
  const meanings = reasons.map((reason) => /^\S+ \((.*)\)$/s.exec(explainReason(reason))?.[1]);
  return meanings.filter((meaning) => meaning !== undefined).join("; ");
}

/** What each leg is by the role of the host that saw it: what is behind a colon says what is in it. */
const LEG_TITLES: Readonly<Record<Role, Record<typeof LEG_ENDS[number], [string, string]>>> = {
  client: {
    client: ["Network RTT, as the client", "SYN to SYN-ACK: to the server and back"],
    server: ["Host time, as the client", "SYN-ACK to ACK: this host's own kernel, no network"],
  },
  server: {
    client: ["Host time, as the server", "SYN to SYN-ACK: this host's own kernel, no network"],
    server: ["Network RTT, as the server", "SYN-ACK to ACK: to the client and back"],
  },
  local: {
    client: ["Both ends on one host, client RTT", "SYN to SYN-ACK: no network but the host's own"],
    server: ["Both ends on one host, server RTT", "SYN-ACK to ACK: no network but the host's own"],
  },
  observer: {
    client: [
      "Seen on the way, client RTT",
      "SYN to SYN-ACK: from the capture to the server and back",
    ],
    server: [
      "Seen on the way, server RTT",
      "SYN-ACK to ACK: from the capture to the client and back",
    ],
  },
};

/** The legs that were measured, network before host time. */
export function legsData(span: TimeSpan | undefined): LegData[] {
  const legs = ROLE_LEGS.flatMap(({ role, leg }, at) => {
    const all = new Histogram();
    for (const bucket of span?.buckets ?? []) {
      if (bucket?.legs[at] !== undefined) all.add(bucket.legs[at]);
    }
    if (all.count === 0) return [];
    const [title, meaning] = LEG_TITLES[role][leg];
    return [{
      title,
      meaning,
      measured: all.count,
      p50Ns: all.quantile(0.5)!,
      p99Ns: all.quantile(0.99)!,
      maxNs: all.max!,
      cells: span!.buckets.map((bucket) => cellsOf(bucket?.legs[at])),
    }];
  });
  const isHost = ({ title }: LegData) => Number(title.startsWith("Host time"));
  return legs.sort((one, other) => isHost(one) - isHost(other));
}

function cellsOf(histogram: Histogram | undefined): Packed {
  if (histogram === undefined) return [];
  const counts: number[] = [];
  let first: number | undefined;
  for (const [at, count] of histogram.coarse(PARTS)) {
    first ??= at;
    counts[at - first] = count;
  }
  return [first!, ...pack(Array.from(counts, (count) => count ?? 0))];
}

/**
 * Names of each kind in tables; those that there are none of are left out.
 *
 * @param top How many of each. @param names Those that are counted over time.
 */
export function rankingsData(
  statistics: Statistics,
  top: number,
  names: TimedNames,
  span: TimeSpan | undefined,
): RankingData[] {
  return ([
    ["Servers", "server", statistics.servers(top)],
    ["Clients", "client", statistics.clients(top)],
    ["Processes", "process", statistics.processes(top)],
    ["Containers", "container", statistics.containers(top)],
    ["Services and other cgroups", "cgroup", statistics.cgroups(top)],
  ] as const).filter(([, , ranking]) => ranking.top.length > 0)
    .map(([title, heading, ranking]) =>
      rankingData(title, heading, ranking, (name) => {
        const number = names.numberOf(heading, name);
        if (number === undefined) return {};
        const series = (count: "all" | "failed") =>
          pack(span?.buckets.map((bucket) => bucket?.names[count][number] ?? 0) ?? []);
        return { all: series("all"), failedOf: series("failed") };
      })
    );
}

function rankingData(
  title: string,
  heading: string,
  ranking: Ranking,
  overTime: (name: string) => { all?: Packed; failedOf?: Packed },
): RankingData {
  const { top, others, names, namesMax } = ranking;
  const rows: RankingData["rows"] = top.map(({ name, tally, missedMax }) => ({
    ...tallyData(escapeText(name), tally),
    isLeast: missedMax > 0,
    ...overTime(name),
  }));
  if (others.handshakes > 0) {
    const left = names === undefined ? "others" : countOf(names - top.length, "other");
    rows.push({ ...tallyData(`(${left})`, others), isLeast: false });
  }
  const missedMax = Math.max(0, ...top.map((row) => row.missedMax));
  const note = names !== undefined
    ? ""
    : `There are more than ${withCommas(namesMax)} of them. ` + (missedMax > 0
      ? `A row with ≥ may have up to ${missedMax} more, which are among the others.`
      : "Those named are counted whole.");
  return { title, heading, rows, note };
}

function tallyData(name: string, { handshakes, established, failures, networkRtt }: Tally) {
  return {
    name,
    handshakes,
    failed: handshakes - established,
    failures: [...failures].sort((one, other) => other[1] - one[1])
      .map(([outcome, count]) => `${withCommas(count)} ${outcome}`).join(", "),
    p50Ns: networkRtt.quantile(0.5),
    p99Ns: networkRtt.quantile(0.99),
  };
}

/** The rows of the table. @param startMs What their times count from. */
export function rowsData(
  rows: readonly KeptRow[],
  startMs: number,
  texts: TextTable,
): RowData[] {
  return rows.map((row) => ({
    us: row.timeUs - startMs * 1e3,
    kind: row.kind,
    client: texts.at(row.client),
    server: texts.at(row.server),
    who: texts.at(processesOf(row)),
    network: row.networkNs ?? -1,
    host: row.hostNs ?? -1,
    total: row.totalNs ?? -1,
    syns: row.synCount,
    synAcks: row.synAckCount,
    slow: row.isSlow ? 1 : 0,
    views: [...row.both ? [row.both] : [], ...row.views].map((view) => viewData(view, texts)),
  }));
}

/** Who connected to whom, by whichever host knows; "" where none does. */
function processesOf({ views }: KeptRow): string {
  const [client, server] = (["client", "server"] as const)
    .map((end) => views.find((view) => view[end] !== undefined)?.[end]);
  return client || server ? `${client ?? "?"} -> ${server ?? "?"}` : "";
}

const ENDS = [undefined, "client", "server"] as const;

function viewData(view: HandshakeView, texts: TextTable): ViewData {
  const { title, facts, ladder, relations, roundTrips, remarks } = view.draw();
  const at = (text: string) => texts.at(text);
  return {
    teller: at(view.teller),
    title: at(title),
    facts: facts.flatMap(({ name, text }) => [at(name), at(text)]),
    client: at(ladder.client),
    server: at(ladder.server),
    timeWidth: ladder.timeWidth,
    serverTimeWidth: ladder.serverTimeWidth,
    inner: ladder.inner,
    ladder: ladder.rows.map((row): LadderRowData => [
      row.kind === "event" ? 0 : row.isLost ? 2 : 1,
      ENDS.indexOf(row.end) as 0 | 1 | 2,
      row.number ?? 0,
      at(row.time),
      at(row.serverTime),
      at(row.style),
      at(row.label),
      at(row.linesStyle),
      ...row.lines.map(at),
    ]),
    relations: relations.map(({ claim, verdict, sum, comment }) => [
      at(claim),
      verdict === undefined ? -1 : verdict ? 1 : 0,
      at(sum ?? ""),
      at(comment),
    ]),
    trips: roundTrips.map(({ name, duration, text }) => [at(name), at(duration), at(text)]),
    remarks: remarks.map(at),
  };
}
