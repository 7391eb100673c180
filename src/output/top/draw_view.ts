/**
 * The view as lines of a screen, whatever its size from 40 × 10 on.
 *
 * @module
 */
import { escapeText } from "../../text/escape.ts";
import { widthOf } from "../../text/width.ts";
import { wrap } from "../../text/wrap.ts";
import {
  drawCounts,
  drawLegs,
  drawMinute,
  drawSources,
  drawTabs,
  drawTitle,
  type HeaderOptions,
  joinParts,
  tabAt,
} from "./draw_header.ts";
import { drawHandshake, drawListHeading, type ListOptions } from "./draw_list.ts";
import { drawHelp } from "./help_text.ts";
import {
  fitScreen,
  plainLine,
  type ScreenLine,
  type ScreenSize,
  skipPlaces,
} from "./screen_line.ts";
import { drawHeadings, drawRow, layOut, sortAt } from "./table_columns.ts";
import type { ListOf, Position, Target, TopView } from "./top_view.ts";

/** From so many rows on there is room for the whole header, and for what is below the table. */
const HIGH = 18;
/** The fewest rows and columns that are drawn for; on a smaller screen the rest is cut off. */
const ROWS_MIN = 4;

/** What a row of the screen shows, and what a click on it does. */
interface DrawnLine {
  line: ScreenLine;
  target?: (column: number) => Target | undefined;
}

/** Draws the view. It remembers what is where, for the mouse. */
export function drawView(view: TopView, size: ScreenSize): ScreenLine[] {
  const { ascii } = view.options;
  const rows = Math.max(size.rows, ROWS_MIN);
  const { body, below } = drawBody(view, { ...size, rows: rows - 1 });
  const foot = drawFoot(view, size.columns, below);
  const drawn = [...body.slice(0, rows - 1)];
  while (drawn.length < rows - 1) drawn.push({ line: [] });
  view.targetAt = (column, row) => drawn[row]?.target?.(column);
  return fitScreen([...drawn.map(({ line }) => line), foot], { ...size, rows }, ascii);
}

/** @returns `below`: how many lines of a text stand below the screen. */
function drawBody(view: TopView, size: ScreenSize): { body: DrawnLine[]; below: number } {
  switch (view.screen.kind) {
    case "table":
      return { body: drawTable(view, size), below: 0 };
    case "list":
      return { body: drawList(view, view.screen.of, size), below: 0 };
    case "ladder": {
      const { lines, left } = view.screen;
      return drawText(view, lines.map((line) => skipPlaces(line, left)), size);
    }
    case "help":
      return drawText(view, drawHelp(size.columns), size);
    case "messages":
      return drawText(
        view,
        view.messages.length === 0
          ? [plainLine("nothing was said", "aside")]
          : view.messages.flatMap((text) => wrap(text, Math.max(2, size.columns))).map((text) =>
            plainLine(text)
          ),
        size,
      );
  }
}

function headerOptions(view: TopView, columns: number): HeaderOptions {
  const { options: { ascii, localTime }, table: { grouping }, filter, isPaused, model } = view;
  return { columns, ascii, localTime, grouping, filter, isPaused, taken: model.taken };
}

function drawTable(view: TopView, size: ScreenSize): DrawnLine[] {
  const { picture, status, table, options: { ascii } } = view;
  const header = headerOptions(view, size.columns);
  const isHigh = size.rows >= HIGH;
  const sources = drawSources(status, header);
  const layout = layOut(size.columns - 1);
  const above: DrawnLine[] = [
    { line: drawTitle(picture, status, header) },
    { line: drawCounts(picture, status, header) },
    ...(isHigh
      ? [
        { line: drawLegs(picture.totals, header) },
        ...(sources.length > 0 ? [{ line: sources }] : []),
        { line: drawMinute(picture.totals, header) },
      ]
      : []),
    {
      line: drawTabs(header),
      target: (column) => {
        const grouping = tabAt(header, column);
        return grouping && { kind: "grouping", grouping };
      },
    },
    {
      line: drawHeadings(layout, {
        name: table.grouping.toUpperCase(),
        sort: table.sort,
        isReversed: table.isReversed,
        ascii,
      }),
      target: (column) => {
        const sort = sortAt(layout, column);
        return sort && { kind: "sort", sort };
      },
    },
  ];
  const free = size.rows - above.length;
  const below = isHigh ? drawLatest(view, size.columns, free) : [];
  const room = Math.max(1, free - below.length);
  const others = picture.others ? [otherGroups(view, picture.others)] : [];
  const shown = window(view, view.position, picture.rows.length, room - others.length);
  const rows = picture.rows.slice(shown.from, shown.to).map((row, nth): DrawnLine => {
    const at = shown.from + nth;
    return {
      line: drawRow(layout, row, { isChosen: at === view.position.at, ascii }),
      target: () => ({ kind: "row", at }),
    };
  });
  const body = rows.length > 0 ? rows : [{ line: plainLine(nothingYet(view), "aside") }];
  while (body.length < room - others.length) body.push({ line: [] });
  return [...above, ...body, ...others, ...below];
}

function nothingYet({ filter, table: { grouping }, picture: { totals } }: TopView): string {
  if (totals.handshakes > 0) return ` none of them tells a ${grouping}`;
  return filter === "" ? " no handshake yet" : " none that passes the filter yet";
}

function otherGroups({ table: { grouping }, model }: TopView, others: number): DrawnLine {
  const { namesMax } = model.counts.groups[grouping];
  const text = ` more than ${namesMax} names: some made room for others, ${others} of whose ` +
    "handshakes are in no row";
  return { line: plainLine(text, "aside") };
}

/**
 * The latest failures and the slowest: in what the table leaves, at least a third of the screen.
 *
 * @param free Rows for the table and for them.
 */
function drawLatest(view: TopView, columns: number, free: number): DrawnLine[] {
  const { picture: { rows, failures, slowest } } = view;
  const room = Math.max(Math.floor(free / 3), free - rows.length - 1);
  const lists = [
    { heading: "latest failures (f)", list: failures },
    { heading: "slowest through the network (o)", list: slowest },
  ].filter(({ list }) => list.length > 0);
  let left = room;
  return lists.flatMap(({ heading, list }, nth): DrawnLine[] => {
    const most = Math.floor(left / (lists.length - nth)) - 1;
    const shown = list.slice(0, Math.max(0, most));
    if (shown.length === 0) return [];
    left -= shown.length + 1;
    return [
      { line: plainLine(heading, "heading") },
      ...shown.map((kept): DrawnLine => ({
        line: drawHandshake(kept, listOptions(view, columns), false),
        target: () => ({ kind: "handshake", kept }),
      })),
    ];
  });
}

function listOptions({ options: { ascii, localTime } }: TopView, columns: number): ListOptions {
  return { columns, ascii, localTime };
}

function drawList(view: TopView, of: ListOf, size: ScreenSize): DrawnLine[] {
  const { picture, status, list, position } = view;
  const header = headerOptions(view, size.columns);
  const options = listOptions(view, size.columns);
  const above: DrawnLine[] = [
    { line: drawTitle(picture, status, header) },
    { line: drawCounts(picture, status, header) },
    { line: plainLine(`${titleOf(of)}: ${list.length} kept`, "heading") },
    { line: drawListHeading(options) },
  ];
  const shown = window(view, position, list.length, Math.max(1, size.rows - above.length));
  return [
    ...above,
    ...list.slice(shown.from, shown.to).map((kept, nth): DrawnLine => {
      const at = shown.from + nth;
      return {
        line: drawHandshake(kept, options, at === position.at),
        target: () => ({ kind: "row", at }),
      };
    }),
  ];
}

function titleOf(of: ListOf): string {
  switch (of) {
    case "failures":
      return "latest failures";
    case "slowest":
      return "slowest through the network";
    case "latest":
      return "latest handshakes";
    default:
      return `${of.grouping} ${escapeText(of.name)}, latest`;
  }
}

function drawText(view: TopView, lines: readonly ScreenLine[], { rows }: ScreenSize) {
  const { position } = view;
  view.pageRows = rows;
  position.top = Math.max(0, Math.min(position.top, lines.length - rows));
  const body = lines.slice(position.top, position.top + rows).map((line): DrawnLine => ({ line }));
  return { body, below: Math.max(0, lines.length - position.top - rows) };
}

/** Moves what is seen of some rows so that the chosen one is among them. */
function window(
  view: TopView,
  position: Position,
  count: number,
  room: number,
): { from: number; to: number } {
  view.pageRows = Math.max(1, room);
  position.at = Math.max(0, Math.min(position.at, count - 1));
  const last = Math.max(0, count - room);
  const top = Math.min(position.top, position.at, last);
  position.top = Math.max(top, position.at - room + 1, 0);
  return { from: position.top, to: position.top + room };
}

/** What can be pressed here, the most important first. */
const HINTS = {
  table: ["q quit", "? help", "Tab group", "Enter open", "/ filter", "s sort", "space pause"],
  list: ["Esc back", "Enter ladder", "? help", "/ filter", "w save", "space pause", "q quit"],
  ladder: ["Esc back", "n p next", "w save", "? help", "q quit"],
  help: ["Esc back", "q quit"],
  messages: ["Esc back", "q quit"],
} as const;

/**
 * The last line: what is typed, what was said, or what can be pressed.
 *
 * @param below How many lines of a text stand below the screen.
 */
function drawFoot(view: TopView, columns: number, below: number): ScreenLine {
  const { typing, message, screen } = view;
  if (typing !== undefined) {
    const label = typing.what === "filter" ? "/" : "save as: ";
    const fault = typing.fault === "" ? "" : `  ${typing.fault}`;
    const room = Math.max(2, columns - label.length - Math.min(widthOf(fault), columns >> 1));
    return [
      { text: label, style: "heading" },
      ...typing.editor.draw(room).map((span) => ({ ...span, text: escapeText(span.text) })),
      { text: fault, style: "bad" },
    ];
  }
  if (message !== "") return plainLine(message, "unsure");
  const hints = [...below > 0 ? [`PgDn ${below} more`] : [], ...HINTS[screen.kind]];
  return joinParts(
    hints.map((hint) => {
      const at = hint.indexOf(" ");
      return [
        { text: hint.slice(0, at), style: "heading" as const },
        { text: hint.slice(at), style: "aside" as const },
      ];
    }),
    columns,
  );
}
