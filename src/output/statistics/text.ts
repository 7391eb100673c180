import { countOf } from "../../text/count.ts";
import { escapeText } from "../../text/escape.ts";
import { toAscii } from "../../text/ascii.ts";
import { clip, clipMiddle, widthOf } from "../../text/width.ts";
import { wrap } from "../../text/wrap.ts";
import { type Column, columnWidths, formatColumns, formatShare, GAP } from "../columns.ts";
import { drawHistogram } from "./draw_histogram.ts";
import type { TraceSpan } from "../../pipeline/sink.ts";
import type { Histogram } from "../../pipeline/histogram.ts";
import { type Ranking, RTTS, type Statistics } from "./statistics.ts";
import { QUANTILES } from "../../pipeline/summary.ts";
import type { Tally } from "./tally.ts";
import { formatDuration, formatSpan, formatTime } from "../../text/time.ts";

/** What each duration is. */
const RTT_MEANING = {
  client: "client RTT (SYN to SYN-ACK)",
  server: "server RTT (SYN-ACK to ACK)",
  total: "total (first SYN to ACK)",
};

/** How statistics are written. */
export interface StatisticsTextOptions {
  /** Names of each kind to tell. */
  top: number;
  /** ASCII alone. */
  ascii: boolean;
  /** Columns that lines take at most, as far as names and numbers can be cut; Infinity: as they are. */
  width: number;
}

/** Writes statistics for a person: tables, then a histogram of each leg. */
export function formatStatistics(
  statistics: Statistics,
  span: TraceSpan,
  options: StatisticsTextOptions,
): string {
  const { top, ascii, width } = options;
  const parts = [
    formatTotal(statistics.handshakes, span, width),
    ...(statistics.handshakes === 0 ? [] : [
      formatOutcomes(statistics),
      formatRtts(statistics),
      formatRepetitions(statistics),
      formatRanking("SERVER", "servers", statistics.servers(top), options),
      formatRanking("CLIENT", "clients", statistics.clients(top), options),
      // Packets alone tell of none.
      ...([
        ["PROCESS", "processes", statistics.processes(top)],
        ["CONTAINER", "containers", statistics.containers(top)],
        ["CGROUP", "cgroups", statistics.cgroups(top)],
        ["REASON", "reasons", statistics.reasons(top)],
      ] as const).filter(([, , ranking]) => ranking.top.length > 0)
        .map(([heading, many, ranking]) => formatRanking(heading, many, ranking, options)),
      ...(["client", "server"] as const).map((name) => {
        const { buckets } = statistics.rtt(name);
        return `${RTT_MEANING[name]}\n` +
          (buckets.length > 0 ? drawHistogram(buckets, ascii) : "never measured\n");
      }),
    ]),
  ];
  const text = parts.join("\n");
  return ascii ? toAscii(text) : text;
}

function formatTotal(
  handshakes: number,
  { epochSeconds, startNs, endNs }: TraceSpan,
  width: number,
): string {
  const count = countOf(handshakes, "handshake");
  if (handshakes === 0) return `${count}\n`;
  const [from, to] = [startNs, endNs].map((timeNs) =>
    formatTime(epochSeconds, timeNs).slice(0, 26).replace("T", " ")
  );
  return fill(`${count} in ${formatSpan(endNs - startNs)}, from ${from} to ${to} UTC`, width);
}

function formatOutcomes(statistics: Statistics): string {
  return formatColumns(
    [left("OUTCOME"), right("HANDSHAKES"), right("SHARE")],
    statistics.outcomes().map(([outcome, handshakes]) => [
      outcome,
      String(handshakes),
      formatShare(handshakes, statistics.handshakes),
    ]),
  );
}

function formatRtts(statistics: Statistics): string {
  return formatColumns(
    [left("RTT"), right("MEASURED"), ...quantileColumns(), right("MAX")],
    RTTS.map((name) => {
      const { quantiles } = statistics.rtt(name);
      return [
        RTT_MEANING[name],
        String(quantiles.count),
        ...quantileCells(quantiles),
        quantiles.max === undefined ? "-" : formatDuration(quantiles.max),
      ];
    }),
  ) + "Quantiles are never too low and at most 1.6 % too high.\n";
}

function formatRepetitions({ syn, synAck }: Statistics): string {
  return formatColumns(
    [left("PACKET"), right("CAPTURED IN"), right("REPEATED IN"), right("SHARE")],
    ([["SYN", syn], ["SYN-ACK", synAck]] as const).map(([packet, { captured, repeated }]) => [
      packet,
      String(captured),
      String(repeated),
      formatShare(repeated, captured),
    ]),
  );
}

/** What a row of a ranking tells. */
interface RankingRow {
  name: string;
  tally: Tally;
  /** Stands before a count that may be higher. */
  bound: string;
}

/** A column of a ranking, and how much it may be cut down to. */
interface RankingColumn extends Column {
  cell(row: RankingRow): string;
}

/** All columns, whose quantiles name their leg in their headings. */
function wideColumns(heading: string): RankingColumn[] {
  const [p50, ...others] = QUANTILES.map(([name, share]) => quantileColumn(name, share));
  return [
    ...leadingColumns(heading),
    { ...p50, heading: `${LEG} ${p50.heading}` },
    ...others,
    { ...right("REPEATED"), cell: ({ tally }) => formatShare(tally.repeated, tally.captured) },
    FAILURES,
  ];
}

/** What fits 80 columns: the leg of the quantiles stands above them. */
function narrowColumns(heading: string): RankingColumn[] {
  const quantiles = QUANTILES.filter(([name]) => name !== "p90");
  return [
    ...leadingColumns(heading),
    ...quantiles.map(([name, share]) => quantileColumn(name, share, DURATION_WIDTH)),
    FAILURES,
  ];
}

const LEG = "CLIENT RTT";
/** Of the longest durations but few. */
const DURATION_WIDTH = 7;
/** So much of a name and of failures stays readable. */
const NAME_MIN = 15;
const FAILURES_MIN = 13;

const FAILURES: RankingColumn = {
  ...left("FAILURES"),
  cell: ({ tally }) => formatFailures(tally),
};

function leadingColumns(heading: string): RankingColumn[] {
  return [
    { ...left(heading), cell: ({ name }) => name },
    { ...right("HANDSHAKES"), cell: ({ bound, tally }) => bound + tally.handshakes },
    {
      ...right("ESTABLISHED"),
      cell: ({ tally }) => formatShare(tally.established, tally.handshakes),
    },
  ];
}

function quantileColumn(name: string, share: number, width = 0): RankingColumn {
  return {
    ...right(name.toUpperCase().padStart(width)),
    cell: ({ tally }) => quantileCell(tally.clientRtt, share),
  };
}

function formatRanking(
  heading: string,
  many: string,
  ranking: Ranking,
  options: StatisticsTextOptions,
): string {
  const { top, others, names, namesMax } = ranking;
  const { width, ascii } = options;
  const rows = top.map(({ name, tally, missedMax }) => ({
    ...{ name: ascii ? toAscii(escapeText(name)) : escapeText(name), tally },
    bound: missedMax > 0 ? ">=" : "",
  }));
  if (others.handshakes > 0) {
    rows.push({ name: `(${otherNames(names, top.length)})`, tally: others, bound: "" });
  }
  const text = formatRows(heading, rows, options);
  const missedMax = Math.max(...top.map((row) => row.missedMax));
  if (names !== undefined) return text;
  const rest = missedMax > 0
    ? `A row with >= may have up to ${missedMax} more, which are among the others.`
    : "Those named are counted whole.";
  return text + fill(`There are more than ${namesMax} ${many}. ${rest}`, width);
}

function formatRows(
  heading: string,
  rows: readonly RankingRow[],
  { width, ascii }: StatisticsTextOptions,
): string {
  const cellsOf = (columns: readonly RankingColumn[]) =>
    rows.map((row) => columns.map((column) => column.cell(row)));
  const wide = wideColumns(heading);
  const text = formatColumns(wide, cellsOf(wide));
  if (text.split("\n").every((line) => widthOf(line) <= width)) return text;
  const columns = narrowColumns(heading);
  const cells = cellsOf(columns);
  const last = columns.length - 1;
  const [nameWidth, ...others] = columnWidths(columns, cells);
  const failuresWidth = others.pop()!;
  const between = others.reduce((sum, each) => sum + each + GAP.length, GAP.length);
  const nameMax = Math.max(NAME_MIN, width - between - Math.min(failuresWidth, FAILURES_MIN));
  const failuresMax = Math.max(FAILURES_MIN, width - between - Math.min(nameWidth, nameMax));
  for (const row of cells) {
    const isAscii = row[0].length === widthOf(row[0]);
    row[0] = isAscii ? clipMiddle(row[0], nameMax, ascii) : clip(row[0], nameMax, ascii);
    row[last] = clipList(row[last], failuresMax, ascii);
  }
  const nameNow = Math.min(nameWidth, nameMax);
  return LEG.padStart(nameNow + between - GAP.length) + "\n" + formatColumns(columns, cells);
}

/** Leaves out the last of a list where all do not fit, and marks that. */
function clipList(list: string, width: number, ascii: boolean): string {
  if (list.length <= width) return list;
  const end = list.lastIndexOf(", ", width - ", …".length);
  return end < 0 ? clip(list, width, ascii) : `${list.slice(0, end)}, ${ascii ? "~" : "…"}`;
}

/** Breaks a sentence into lines where it is longer. */
function fill(sentence: string, width: number): string {
  return wrap(sentence, width).join("\n") + "\n";
}

function otherNames(names: number | undefined, named: number): string {
  if (names === undefined) return "others";
  return countOf(names - named, "other");
}

/** How many ended how, the most frequent first. */
function formatFailures({ failures }: Tally): string {
  return [...failures].sort((one, other) => other[1] - one[1])
    .map(([outcome, count]) => `${count} ${outcome}`).join(", ");
}

function quantileColumns(): Column[] {
  return QUANTILES.map(([name]) => right(name.toUpperCase()));
}

function quantileCells(histogram: Histogram): string[] {
  return QUANTILES.map(([, share]) => quantileCell(histogram, share));
}

function quantileCell(histogram: Histogram, share: number): string {
  const ns = histogram.quantile(share);
  return ns === undefined ? "-" : formatDuration(ns);
}

function left(heading: string): Column {
  return { heading, align: "left" };
}

function right(heading: string): Column {
  return { heading, align: "right" };
}
