import { LOSS_PLACES, type Losses } from "../../pipeline/losses.ts";
import { toAscii } from "../../text/ascii.ts";
import { formatDuration, formatTime } from "../../text/time.ts";
import { type Column, formatColumns } from "../columns.ts";
import type { Statistics } from "./statistics.ts";
import type { IntervalState } from "./interval.ts";

/** As wide as what is usual in them: rows come one at a time. 80 columns in all. */
const COLUMNS: readonly Column[] = [
  { heading: "TIME (UTC)", align: "left" },
  { heading: "HANDSHAKES", align: "right" },
  { heading: "    /s", align: "right" },
  { heading: "FAILED", align: "right" },
  { heading: "    p50", align: "right" },
  { heading: "    p99", align: "right" },
  { heading: "    p50", align: "right" },
  { heading: "    p99", align: "right" },
  { heading: "LOST", align: "right" },
];

/** Above the quantiles, ending where the p99 of each ends. */
const LEGS = "CLIENT RTT".padStart(56) + "SERVER RTT".padStart(18) + "\n";

/** The headings of the lines that {@link formatInterval} writes, two lines. */
export function formatIntervalHeading(): string {
  return LEGS + formatColumns(COLUMNS, []);
}

/**
 * Writes what happened from one moment to another as a line for a terminal, with a newline: when it
 * ended, handshakes, how many a second, how many were not established, both RTTs, and what was lost
 * (packets, records and whatever else `LOSS_PLACES` counts as a loss). `-`: not measured.
 */
export function formatInterval({ statistics, state }: IntervalState, ascii: boolean): string {
  const { span: { epochSeconds, startNs, endNs }, losses } = state;
  const { handshakes } = statistics;
  const established = statistics.outcomes().find(([outcome]) => outcome === "established")?.[1] ??
    0;
  const perSecond = handshakes / Math.max((endNs - startNs) / 1e9, 1e-3);
  const row = [
    formatTime(epochSeconds, endNs).slice(11, 21),
    String(handshakes),
    perSecond.toFixed(perSecond < 10 ? 1 : 0),
    String(handshakes - established),
    ...(["client", "server"] as const).flatMap((leg) =>
      [0.5, 0.99].map((share) => formatQuantile(statistics, leg, share))
    ),
    String(countLost(losses)),
  ];
  // The headings are there already, and as wide as they make the columns.
  const [, line] = formatColumns(COLUMNS, [row]).split("\n");
  return (ascii ? toAscii(line) : line) + "\n";
}

function formatQuantile(statistics: Statistics, leg: "client" | "server", share: number): string {
  const ns = statistics.rtt(leg).quantiles.quantile(share);
  return ns === undefined ? "-" : formatDuration(ns);
}

/** Counts what was lost at all places together; times are no counts. */
export function countLost(losses: Losses): number {
  return LOSS_PLACES.filter(({ name, isLoss }) => isLoss && !name.endsWith("_ms"))
    .reduce((sum, { name }) => sum + (losses[name] ?? 0), 0);
}
