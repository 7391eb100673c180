import { countOf } from "../../text/count.ts";
import { LOSS_PLACES, type Losses } from "../../pipeline/losses.ts";
import type { Delivering } from "../../pipeline/sink.ts";
import { escapeText } from "../../text/escape.ts";
import { formatDateTime, formatDuration } from "../../text/time.ts";
import { widthOf } from "../../text/width.ts";
import { OUTCOME_TONE } from "../colour.ts";
import { type Grouping, GROUPINGS } from "../statistics/groupings.ts";
import { countLost } from "../statistics/interval_line.ts";
import type { Quantiles } from "./group_row.ts";
import type { Picture, Totals } from "./picture.ts";
import type { ScreenLine, ScreenSpan } from "./screen_line.ts";
import { drawSparkline, joinCounts } from "./sparkline.ts";
import { formatRate } from "./table_columns.ts";

/** Where handshakes come from and what was lost, beside what is counted of them. */
export interface TopStatus {
  /** Name of the host that traces or reads: untrusted text. */
  host: string;
  /** Where from, in a few words: untrusted text. */
  source: string;
  /** Absent where nothing is live. */
  delivering?: Delivering;
  losses: Losses;
  /** Handshakes that a filter of the command line kept back. */
  filtered: number;
}

/** What stands in the header beside numbers. */
export interface HeaderOptions {
  columns: number;
  ascii: boolean;
  localTime: boolean;
  grouping: Grouping;
  /** What is filtered by now; "" where all count. */
  filter: string;
  /** Whether the picture stands still. */
  isPaused: boolean;
  /** Handshakes that came by now. */
  taken: number;
}

/** Stands between two parts. */
const GAP = "  ";
/** Places before the two drawings of the last minute, and between them. */
const HISTORY_WORDS = "last 60 s: established  failed ".length;

/** A part of a line that is whole or left out. */
type Part = readonly ScreenSpan[];

/** Puts parts side by side as long as there is room: the first ones matter most. */
export function joinParts(parts: readonly Part[], width: number): ScreenLine {
  const line: ScreenSpan[] = [];
  let left = width;
  for (const part of parts) {
    const places = part.reduce((sum, { text }) => sum + widthOf(text), 0);
    const gap = line.length === 0 ? "" : GAP;
    if (part.length === 0 || gap.length + places > left) continue;
    line.push(...(gap === "" ? [] : [{ text: gap }]), ...part);
    left -= gap.length + places;
  }
  return line;
}

function plain(text: string, style?: ScreenSpan["style"]): Part {
  return text === "" ? [] : [{ text, style }];
}

/** The first line: what this is, where it comes from, and when. */
export function drawTitle(picture: Picture, status: TopStatus, options: HeaderOptions): ScreenLine {
  const { isPaused, taken, columns, localTime } = options;
  const { now } = picture.moment;
  const time = now === 0 ? "" : formatDateTime(now, 0, localTime).slice(11, 19);
  const came = taken - picture.taken;
  return joinParts([
    plain("synsnoop top", "heading"),
    ...(isPaused ? [plain(`paused: ${came} came since`, "inverse")] : []),
    plain(time === "" ? "" : localTime ? time : `${time} UTC`),
    plain(escapeText(status.host)),
    plain(escapeText(status.source), "aside"),
  ], columns);
}

/** How many, how fast, how many failed, and what was lost. */
export function drawCounts(
  { totals, taken }: Picture,
  { losses, filtered }: TopStatus,
  { columns, filter }: HeaderOptions,
): ScreenLine {
  const { handshakes, failed, failures, perSecond } = totals;
  const lost = countLost(losses);
  const failedStyle = failed > 0 ? "bad" as const : undefined;
  return joinParts([
    plain(
      filter === ""
        ? countOf(handshakes, "handshake")
        : `${handshakes} of ${countOf(taken, "handshake")}`,
    ),
    plain(`${formatRate(perSecond.handshakes)}/s`),
    plain(`${failed} failed`, failedStyle),
    plain(`${formatRate(perSecond.failed)} failed/s`, perSecond.failed > 0 ? "bad" : undefined),
    plain(lost === 0 ? "lost: nothing" : `lost: ${lost}`, lost === 0 ? undefined : "bad"),
    plain(lost === 0 ? "" : `most of ${nameMost(losses)}`, "aside"),
    ...failures.map(([outcome, count]) => [
      { text: `${count} ` },
      { text: outcome, style: OUTCOME_TONE[outcome] },
    ]),
    plain(filtered === 0 ? "" : `${filtered} kept back by filters`, "aside"),
  ], columns);
}

/** The place where most was lost. */
function nameMost(losses: Losses): string {
  const counted = LOSS_PLACES.filter(({ isLoss }) => isLoss)
    .sort((one, other) => (losses[other.name] ?? 0) - (losses[one.name] ?? 0));
  return counted[0].name;
}

/** Both legs, each by itself. */
export function drawLegs({ network, host }: Totals, { columns }: HeaderOptions): ScreenLine {
  const legs: readonly [string, Quantiles][] = [
    ["network RTT", network],
    ["this host as client", host.client],
    ["as server", host.server],
  ];
  const measured = legs.filter(([, { p50 }]) => p50 !== undefined);
  if (measured.length === 0) return plain("network RTT: never measured", "aside");
  return joinParts(
    measured.map(([name, { p50, p99 }]) => [
      { text: `${name} `, style: "aside" as const },
      { text: `p50 ${formatDuration(p50!)} p99 ${formatDuration(p99!)}` },
    ]),
    columns,
  );
}

/** The last minute: what was established and what failed, each as high as its own most. */
export function drawMinute({ history }: Totals, { columns, ascii }: HeaderOptions): ScreenLine {
  const room = Math.floor((columns - HISTORY_WORDS) / 2);
  const width = [60, 30, 20, 15, 10].find((each) => each <= room);
  if (width === undefined) return [];
  const joined = joinCounts(history, width);
  return [
    { text: "last 60 s: established ", style: "aside" },
    {
      text: drawSparkline(joined.map(({ handshakes, failed }) => handshakes - failed), ascii),
      style: "good",
    },
    { text: " failed ", style: "aside" },
    { text: drawSparkline(joined.map(({ failed }) => failed), ascii), style: "bad" },
  ];
}

/** What delivers now; empty where nothing is live. */
export function drawSources({ delivering }: TopStatus, { columns }: HeaderOptions): ScreenLine {
  if (delivering === undefined) return [];
  const { wire, kernel } = delivering;
  const names = (isUp: boolean) =>
    wire.filter(({ up }) => up === isUp)
      .map((each) => escapeText(each.interface ?? "all interfaces")).join(" ");
  return joinParts([
    [
      { text: "packets ", style: "aside" },
      names(true) === "" ? { text: "none", style: "bad" } : { text: names(true) },
    ],
    [
      { text: "kernel ", style: "aside" },
      { text: kernel, style: kernel === "none" ? "bad" : undefined },
    ],
    plain(names(false) === "" ? "" : `down: ${names(false)}`, "unsure"),
  ], columns);
}

/** The groupings, the one that is shown marked, and the filter. */
export function drawTabs({ grouping, filter, columns }: HeaderOptions): ScreenLine {
  const shown: Part[] = filter === "" ? [] : [[
    { text: "filter ", style: "aside" },
    { text: escapeText(filter), style: "unsure" },
  ]];
  const tabs = tabTexts(grouping).map(([each, text]) => ({
    text: text + " ",
    style: each === grouping ? "heading" as const : "aside" as const,
  }));
  const room = columns - tabs.reduce((sum, { text }) => sum + text.length, 0);
  return room >= 0 ? [...tabs, ...joinParts(shown, room)] : [
    tabs.find(({ style }) => style === "heading")!,
    ...joinParts(shown, columns - 10),
  ];
}

function tabTexts(grouping: Grouping): (readonly [Grouping, string])[] {
  return GROUPINGS.map((each) => [each, each === grouping ? `[${each}]` : ` ${each} `]);
}

/** Which grouping stands at a place of the line of {@link drawTabs}. */
export function tabAt(
  { grouping, columns }: Pick<HeaderOptions, "grouping" | "columns">,
  column: number,
): Grouping | undefined {
  const tabs = tabTexts(grouping);
  if (tabs.reduce((sum, [, text]) => sum + text.length + 1, 0) > columns) return undefined;
  let end = 0;
  for (const [each, text] of tabs) {
    end += text.length + 1;
    if (column < end) return each;
  }
  return undefined;
}
