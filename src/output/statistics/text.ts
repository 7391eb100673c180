import { escapeText } from "../../text/escape.ts";
import { toAscii } from "../../text/ascii.ts";
import { type Column, formatColumns, formatShare } from "../columns.ts";
import { drawHistogram } from "./draw_histogram.ts";
import type { TraceSpan } from "../../pipeline/sink.ts";
import type { Histogram } from "../../pipeline/histogram.ts";
import { type Ranking, RTTS, type Statistics } from "./statistics.ts";
import { QUANTILES } from "../../pipeline/summary.ts";
import type { Tally } from "./tally.ts";
import { formatDuration, formatTime } from "../../text/time.ts";

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
}

/** Writes statistics for a person: tables, then a histogram of each leg. */
export function formatStatistics(
  statistics: Statistics,
  span: TraceSpan,
  { top, ascii }: StatisticsTextOptions,
): string {
  const parts = [
    formatTotal(statistics.handshakes, span),
    ...(statistics.handshakes === 0 ? [] : [
      formatOutcomes(statistics),
      formatRtts(statistics),
      formatRepetitions(statistics),
      formatRanking("SERVER", "servers", statistics.servers(top)),
      formatRanking("CLIENT", "clients", statistics.clients(top)),
      // Packets alone tell of none.
      ...([
        ["PROCESS", "processes", statistics.processes(top)],
        ["CONTAINER", "containers", statistics.containers(top)],
        ["CGROUP", "cgroups", statistics.cgroups(top)],
        ["REASON", "reasons", statistics.reasons(top)],
      ] as const).filter(([, , ranking]) => ranking.top.length > 0)
        .map(([heading, many, ranking]) => formatRanking(heading, many, ranking)),
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

function formatTotal(handshakes: number, { epochSeconds, startNs, endNs }: TraceSpan): string {
  const count = handshakes === 1 ? "1 handshake" : `${handshakes} handshakes`;
  if (handshakes === 0) return `${count}\n`;
  const [from, to] = [startNs, endNs].map((timeNs) =>
    formatTime(epochSeconds, timeNs).slice(0, 26).replace("T", " ")
  );
  return `${count} in ${formatDuration(endNs - startNs)}, from ${from} to ${to} UTC\n`;
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
    [left("RTT"), right("MEASURED"), ...quantileColumns(""), right("MAX")],
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

function formatRanking(heading: string, many: string, ranking: Ranking): string {
  const { top, others, names, namesMax } = ranking;
  const columns = [
    left(heading),
    right("HANDSHAKES"),
    right("ESTABLISHED"),
    ...quantileColumns("CLIENT RTT "),
    right("REPEATED"),
    left("FAILURES"),
  ];
  const rows = top.map(({ name, tally, missedMax }) =>
    tallyCells(escapeText(name), tally, missedMax > 0 ? ">=" : "")
  );
  if (others.handshakes > 0) {
    rows.push(tallyCells(`(${otherNames(names, top.length)})`, others));
  }
  const text = formatColumns(columns, rows);
  const missedMax = Math.max(...top.map((row) => row.missedMax));
  if (names !== undefined) return text;
  return text + `There are more than ${namesMax} ${many}. ` +
    (missedMax > 0
      ? `A row with >= may have up to ${missedMax} more, which are among the others.\n`
      : "Those named are counted whole.\n");
}

function otherNames(names: number | undefined, named: number): string {
  if (names === undefined) return "others";
  return names - named === 1 ? "1 other" : `${names - named} others`;
}

function tallyCells(name: string, tally: Tally, bound = ""): string[] {
  return [
    name,
    bound + tally.handshakes,
    formatShare(tally.established, tally.handshakes),
    ...quantileCells(tally.clientRtt),
    formatShare(tally.repeated, tally.captured),
    formatFailures(tally),
  ];
}

/** How many ended how, the most frequent first. */
function formatFailures({ failures }: Tally): string {
  return [...failures].sort((one, other) => other[1] - one[1])
    .map(([outcome, count]) => `${count} ${outcome}`).join(", ");
}

function quantileColumns(prefix: string): Column[] {
  return QUANTILES.map(([name], at) => right((at === 0 ? prefix : "") + name.toUpperCase()));
}

function quantileCells(histogram: Histogram): string[] {
  return QUANTILES.map(([, share]) => {
    const ns = histogram.quantile(share);
    return ns === undefined ? "-" : formatDuration(ns);
  });
}

function left(heading: string): Column {
  return { heading, align: "left" };
}

function right(heading: string): Column {
  return { heading, align: "right" };
}
