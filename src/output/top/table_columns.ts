/**
 * The columns of the table of groups: how each is drawn, sorted by, and left out where it is narrow.
 *
 * @module
 */
import { toAscii } from "../../text/ascii.ts";
import { escapeText } from "../../text/escape.ts";
import { formatDuration } from "../../text/time.ts";
import { OUTCOME_TONE } from "../colour.ts";
import type { GroupRow } from "./group_row.ts";
import { fit, type ScreenLine, type ScreenSpan } from "./screen_line.ts";
import { drawHistory } from "./sparkline.ts";

/** What a table is sorted by. */
export const SORTS = [
  "name",
  "handshakes",
  "rate",
  "failed",
  "failed-rate",
  "network-p50",
  "network-p99",
  "host-p50",
  "host-p99",
] as const;

/** One of {@link SORTS}. */
export type Sort = typeof SORTS[number];

/** A column. */
interface TableColumn {
  /** What to press to sort by it, 1 to 9 in the order of {@link SORTS}; undefined: one cannot. */
  sort?: Sort;
  heading: string;
  /** Characters; of the last column at least. */
  width: number;
  /** Which columns there is room for first: those with the lowest number. */
  rank: number;
  align: "left" | "right";
  /** What sorts: numbers, the largest first. */
  value?(row: GroupRow): number | undefined;
  cell(row: GroupRow, width: number, ascii: boolean): ScreenLine;
}

/** Writes how many a second there are, in six characters at most. */
export function formatRate(rate: number): string {
  if (rate === 0) return "0";
  return rate < 0.1 ? "<0.1" : rate.toFixed(rate < 9.95 ? 1 : 0);
}

function optionalDuration(ns: number | undefined): string {
  return ns === undefined ? "-" : formatDuration(ns);
}

function text(value: string, style?: ScreenSpan["style"]): ScreenLine {
  return [{ text: value, style }];
}

const HISTORY = "LAST 60 S";
const FAILURES = "FAILURES";

/** Characters of a name at least; where there is room, those of an IPv4 address and its port. */
const NAME_MIN = 15;
const ADDRESS_WIDTH = 21;
const ROOMY = 60;

const FAILED_STYLE = (count: number) => count > 0 ? "bad" as const : undefined;

const COLUMNS: readonly TableColumn[] = [
  {
    sort: "handshakes",
    heading: "COUNT",
    width: 8,
    rank: 4,
    align: "right",
    value: (row) => row.handshakes,
    cell: (row) => text((row.missedMax > 0 ? ">=" : "") + row.handshakes),
  },
  {
    sort: "rate",
    heading: "NEW/S",
    width: 6,
    rank: 1,
    align: "right",
    value: (row) => row.perSecond.handshakes,
    cell: (row) => text(formatRate(row.perSecond.handshakes)),
  },
  {
    sort: "failed",
    heading: "FAILED",
    width: 7,
    rank: 2,
    align: "right",
    value: (row) => row.failed,
    cell: (row) => text(String(row.failed), FAILED_STYLE(row.failed)),
  },
  {
    sort: "failed-rate",
    heading: "FAIL/S",
    width: 7,
    rank: 9,
    align: "right",
    value: (row) => row.perSecond.failed,
    cell: ({ perSecond: { failed } }) => text(formatRate(failed), FAILED_STYLE(failed)),
  },
  {
    sort: "network-p50",
    heading: "NET P50",
    width: 8,
    rank: 5,
    align: "right",
    value: (row) => row.network.p50,
    cell: (row) => text(optionalDuration(row.network.p50)),
  },
  {
    sort: "network-p99",
    heading: "NET P99",
    width: 8,
    rank: 3,
    align: "right",
    value: (row) => row.network.p99,
    cell: (row) => text(optionalDuration(row.network.p99)),
  },
  {
    sort: "host-p50",
    heading: "HOST P50",
    width: 9,
    rank: 10,
    align: "right",
    value: (row) => row.host.p50,
    cell: (row) => text(hostTime(row, row.host.p50)),
  },
  {
    sort: "host-p99",
    heading: "HOST P99",
    width: 9,
    rank: 8,
    align: "right",
    value: (row) => row.host.p99,
    cell: (row) => text(hostTime(row, row.host.p99)),
  },
  {
    heading: HISTORY,
    width: 12,
    rank: 6,
    align: "left",
    cell: (row, width, ascii) => drawHistory(row.history, width, ascii),
  },
  {
    heading: FAILURES,
    width: 24,
    rank: 7,
    align: "left",
    cell: ({ failures }) =>
      failures.flatMap(([outcome, count], at): ScreenSpan[] => [
        { text: (at === 0 ? "" : ", ") + `${count} ` },
        { text: outcome, style: OUTCOME_TONE[outcome] },
      ]),
  },
];

/** The role in which that was this host's time stands behind it. */
function hostTime({ host: { as } }: GroupRow, ns: number | undefined): string {
  return ns === undefined ? "-" : `${formatDuration(ns)} ${as[0]}`;
}

/** What a row sorts by; undefined where it has none. */
export function sortValue(sort: Sort, row: GroupRow): number | undefined {
  return COLUMNS.find((column) => column.sort === sort)?.value?.(row);
}

/** Sorts rows. @param isReversed The smallest first, or the names from behind. */
export function sortRows(rows: GroupRow[], sort: Sort, isReversed: boolean): GroupRow[] {
  const sign = isReversed ? -1 : 1;
  if (sort === "name") {
    return rows.sort((one, two) => sign * (one.name < two.name ? -1 : one.name > two.name ? 1 : 0));
  }
  // What was never measured stands last, whatever is asked for.
  return rows.sort((one, two) => {
    const [first, second] = [sortValue(sort, one), sortValue(sort, two)];
    if (first === undefined || second === undefined) {
      return Number(first === undefined) - Number(second === undefined);
    }
    return sign * (second - first) || two.handshakes - one.handshakes;
  });
}

/** Which columns a screen has room for, from left to right, and how wide each is in characters. */
export interface TableLayout {
  /** Characters of the names. */
  nameWidth: number;
  columns: readonly { column: TableColumn; width: number }[];
}

/**
 * Chooses the columns that a screen has room for.
 *
 * @param width Its columns, less one for the mark. @param isDrawn Whether the last minute is drawn, too.
 */
export function layOut(width: number, isDrawn = true): TableLayout {
  const byRank = COLUMNS.filter(({ heading }) => isDrawn || heading !== HISTORY)
    .toSorted((one, two) => one.rank - two.rank);
  const nameMin = width < ROOMY ? NAME_MIN : ADDRESS_WIDTH;
  const chosen = new Set<TableColumn>();
  let taken = 0;
  for (const column of byRank) {
    if (nameMin + taken + column.width + 1 > width) continue;
    chosen.add(column);
    taken += column.width + 1;
  }
  const shown = COLUMNS.filter((column) => chosen.has(column));
  const spare = Math.max(0, width - nameMin - taken);
  const hasFailures = shown.some(({ heading }) => heading === FAILURES);
  // Names take what is left, up to an IPv6 address with its port; then the failures.
  const forName = Math.min(spare, 32);
  return {
    nameWidth: Math.min(width, nameMin) + (hasFailures ? forName : spare),
    columns: shown.map((column) => ({
      column,
      width: column.width + (column.heading === FAILURES ? spare - forName : 0),
    })),
  };
}

/** The headings, the one that it is sorted by marked. */
export function drawHeadings(
  layout: TableLayout,
  { name, sort, isReversed, ascii }: {
    name: string;
    sort: Sort;
    isReversed: boolean;
    ascii: boolean;
  },
): ScreenLine {
  const mark = ascii ? (isReversed ? "^" : "v") : isReversed ? "▲" : "▼";
  const named = (heading: string, of: Sort | undefined) => of === sort ? heading + mark : heading;
  return [
    ...[{
      column: { heading: name, sort: "name" as const, align: "left" as const },
      width: layout.nameWidth,
    }],
    ...layout.columns,
  ].map(({ column: { heading, sort: of, align }, width }) => ({
    text: " " + fit(named(heading, of), width, align, ascii),
    style: of === sort ? "heading" : "aside",
  }));
}

/** Which column is at a place of a line, counted from 0. */
export function sortAt(layout: TableLayout, place: number): Sort | undefined {
  let end = 1 + layout.nameWidth;
  if (place < end) return "name";
  for (const { column, width } of layout.columns) {
    end += 1 + width;
    if (place < end) return column.sort;
  }
  return undefined;
}

/** Draws a row. @param isChosen Whether it is marked. */
export function drawRow(
  layout: TableLayout,
  row: GroupRow,
  { isChosen, ascii }: { isChosen: boolean; ascii: boolean },
): ScreenLine {
  const printable = escapeText(row.name);
  const name = fit(ascii ? toAscii(printable) : printable, layout.nameWidth, "left", ascii);
  const spans: ScreenSpan[] = [
    { text: isChosen ? ">" : " " },
    { text: name, style: isChosen ? "inverse" : undefined },
  ];
  for (const { column, width } of layout.columns) {
    const cell = column.cell(row, width, ascii);
    const length = cell.reduce((sum, span) => sum + span.text.length, 0);
    const blanks = " ".repeat(Math.max(0, width - length));
    spans.push({ text: " " + (column.align === "right" ? blanks : "") }, ...cell);
    if (column.align === "left") spans.push({ text: blanks });
  }
  return spans;
}
