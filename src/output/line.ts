/**
 * A handshake as one line of a terminal: what an operator looks for first where it is narrow, all that
 * three packets tell where it is wide.
 *
 * @module
 */
import type { Endpoint, Handshake } from "../match/handshake.ts";
import { toAscii } from "../text/ascii.ts";
import { formatDateTime } from "../text/time.ts";
import { clip, clipMiddle, widthOf } from "../text/width.ts";
import { formatAddress, formatEndpoint } from "../wire/address.ts";
import {
  formatChecks,
  formatEvidence,
  formatFacts,
  formatIsn,
  formatNetns,
  formatNetworkRtt,
  formatProcesses,
  formatReasons,
  formatRtts,
  formatWho,
  joinParts,
  type ProcessParts,
} from "./cells.ts";
import { outcomeColour, paint } from "./colour.ts";
import type { WhereContext } from "./whereabouts.ts";

/** How lines are written. */
export interface LineStyle {
  /** Columns of the terminal; Infinity: every value whole. */
  width: number;
  /** ASCII alone: a check that held is `y`, one that did not is `n`. */
  ascii: boolean;
  /** Whether outcomes are coloured. */
  colour: boolean;
  /** Whether the time is local, not UTC. */
  localTime: boolean;
  /** Whether the network namespace is told, where that is not the tool's own nor a container's. */
  netns: boolean;
  /** Whether the cgroup of a process is told that is in no container, where there is room. */
  cgroups: boolean;
}

/** Every value whole, without colours, in UTC. */
const WHOLE: LineStyle = {
  width: Infinity,
  ascii: false,
  colour: false,
  localTime: false,
  netns: false,
  cgroups: false,
};

/** A column: its heading, its width in characters, negative where it is aligned right, and its cells. */
interface LineColumn {
  heading: string;
  width: number;
  cell(handshake: Handshake, style: LineStyle, context: WhereContext): string;
}

/** Columns of a terminal that has room for initial sequence numbers. */
const WIDE_WIDTH = 140;
/** Where there is less, the name of a container says more than the number of a process. */
const NARROW_PARTS: ProcessParts = { pid: "on_host", cgroup: false };
/** Characters of a name where there is least: as many as the kernel gives a command. */
const NAME_WIDTH = 15;

/** The characters of `2026-11-23 ` before the time of day. */
const DATE = 11;
/** The characters of `01:02:03.123` and of `01:02:03.123456`. */
const MILLISECONDS = 12;
const MICROSECONDS = 15;

const TIME = timeOfDay(MILLISECONDS);
const OUTCOME: LineColumn = { heading: "OUTCOME", width: 11, cell: ({ outcome }) => outcome };
const NETWORK_RTT: LineColumn = { heading: "RTT", width: -9, cell: formatNetworkRtt };
const CLIENT = endpoint("CLIENT", ({ client }) => client);
const SERVER = endpoint("SERVER", ({ server }) => server);
const ISNS: readonly LineColumn[] = [
  { heading: "CLIENT ISN", width: 10, cell: ({ client }) => formatIsn(client.isn) },
  { heading: "SERVER ISN", width: 10, cell: ({ server }) => formatIsn(server.isn) },
];
const CHECKS: LineColumn = {
  heading: "CHECKS",
  width: 6,
  cell: (handshake, { ascii }) => formatChecks(handshake, ascii),
};
const NOTES: LineColumn = {
  heading: "NOTES",
  width: 0,
  cell: (handshake, { netns, cgroups, width }, context) =>
    joinParts([
      ...formatReasons(handshake),
      formatProcesses(
        handshake,
        context,
        width < WIDE_WIDTH ? NARROW_PARTS : { pid: "always", cgroup: cgroups },
      ),
      ...formatFacts(handshake),
      formatEvidence(handshake),
      netns ? formatNetns(handshake, context) : "",
    ]),
};

/** What an operator looks for first: whom it concerns, by name where that is known, and how it went. */
const NARROW: readonly LineColumn[] = [
  TIME,
  OUTCOME,
  {
    heading: "CLIENT",
    width: NAME_WIDTH,
    cell: ({ client }, { ascii }, context) =>
      formatWho(client, context, { width: NAME_WIDTH, ascii }) ||
      clipMiddle(formatAddress(client.address), NAME_WIDTH, ascii),
  },
  {
    heading: "SERVER",
    width: 21,
    // Of a server elsewhere the address tells more than a name here would.
    cell: ({ role, server }, { ascii }, context) => {
      const name = role === "client"
        ? ""
        : formatWho(server, context, { width: NAME_WIDTH, ascii });
      return name === "" ? clipMiddle(formatEndpoint(server), 21, ascii) : `${name}:${server.port}`;
    },
  },
  {
    heading: "RTT OR REASON",
    width: 0,
    cell: (handshake, { netns }, context) => {
      const rtt = formatNetworkRtt(handshake);
      return joinParts([
        rtt === "-" ? "" : rtt,
        ...formatReasons(handshake),
        ...formatFacts(handshake),
        netns ? formatNetns(handshake, context) : "",
      ]);
    },
  },
];

const MEDIUM: readonly LineColumn[] = [TIME, OUTCOME, CLIENT, SERVER, NETWORK_RTT, NOTES];

const WIDE: readonly LineColumn[] = [
  TIME,
  OUTCOME,
  CLIENT,
  SERVER,
  NETWORK_RTT,
  ...ISNS,
  CHECKS,
  NOTES,
];

/** All that there is; a longer value pushes the rest right. */
const WHOLE_COLUMNS: readonly LineColumn[] = [
  timeOfDay(MICROSECONDS),
  { heading: "ROLE", width: 8, cell: ({ role }) => role },
  { ...OUTCOME, width: 12 },
  { ...CLIENT, cell: ({ client }) => formatEndpoint(client) },
  { ...SERVER, cell: ({ server }) => formatEndpoint(server) },
  { heading: "CLIENT RTT", width: -10, cell: (handshake) => formatRtts(handshake)[0] },
  { heading: "SERVER RTT", width: -10, cell: (handshake) => formatRtts(handshake)[1] },
  ...ISNS,
  CHECKS,
  {
    heading: "PROCESS",
    width: 0,
    cell: (handshake, { netns, cgroups }, context) =>
      joinParts([
        formatProcesses(handshake, context, { pid: "always", cgroup: cgroups }),
        ...formatReasons(handshake),
        ...formatFacts(handshake),
        formatEvidence(handshake),
        netns ? formatNetns(handshake, context) : "",
      ]),
  },
];

/** The columns for terminals that are at least so wide, the widest first. */
const LAYOUTS: readonly (readonly [width: number, columns: readonly LineColumn[]])[] = [
  [180, WHOLE_COLUMNS],
  [WIDE_WIDTH, WIDE],
  [100, MEDIUM],
  [0, NARROW],
];

function timeOfDay(width: number): LineColumn {
  return {
    heading: "TIME",
    width,
    cell: ({ epochSeconds, timeNs }, { localTime }) =>
      formatDateTime(epochSeconds, timeNs, localTime).slice(DATE, DATE + width),
  };
}

function endpoint(heading: string, end: (handshake: Handshake) => Endpoint): LineColumn {
  return {
    heading,
    width: 21,
    cell: (handshake, { ascii }) => clipMiddle(formatEndpoint(end(handshake)), 21, ascii),
  };
}

function columnsFor(width: number): readonly LineColumn[] {
  return LAYOUTS.find(([least]) => width >= least)![1];
}

/** The headings of the lines that {@link formatHandshake} writes in the same style, with a newline. */
export function formatHeading(style: Partial<LineStyle> = {}): string {
  const { width, localTime } = { ...WHOLE, ...style };
  const columns = columnsFor(width);
  const headings = columns.map(({ heading }) =>
    heading === TIME.heading && !localTime ? "TIME (UTC)" : heading
  );
  return joinColumns(columns, headings, { width, ascii: false });
}

/**
 * Writes a handshake as one aligned line for a terminal, with a newline: `-` is unknown. It has no more
 * columns than the terminal; what does not fit is cut off, marked by `…`.
 *
 * @param context What knows where processes are; absent: nothing is told of that.
 */
export function formatHandshake(
  handshake: Handshake,
  style: Partial<LineStyle> = {},
  context: WhereContext = {},
): string {
  const whole = { ...WHOLE, ...style };
  const { width, ascii, colour } = whole;
  const columns = columnsFor(width);
  const cells = columns.map(({ cell }) => cell(handshake, whole, context));
  const line = joinColumns(columns, ascii ? cells.map(toAscii) : cells, whole);
  if (!colour) return line;
  // The first column with these words is the outcome's: before it are a time, and perhaps a role.
  const { outcome } = handshake;
  return line.replace(outcome, paint(outcome, outcomeColour(outcome), true));
}

function joinColumns(
  columns: readonly LineColumn[],
  cells: readonly string[],
  { width, ascii }: Pick<LineStyle, "width" | "ascii">,
): string {
  const line = cells.map((cell, at) => {
    const columnWidth = columns[at].width;
    const blanks = " ".repeat(Math.max(0, Math.abs(columnWidth) - widthOf(cell)));
    return columnWidth < 0 ? blanks + cell : cell + blanks;
  }).join(" ");
  return clip(line.trimEnd(), width, ascii) + "\n";
}
