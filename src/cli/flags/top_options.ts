import { GROUPINGS } from "../../output/statistics/groupings.ts";
import type { TableView } from "../../output/top/picture.ts";
import { SORTS } from "../../output/top/table_columns.ts";
import type { HandshakeFilter } from "../../pipeline/filter.ts";
import { FILTER_FLAGS, FILTERS_OF_FILES, parseFilter } from "./filter_options.ts";
import { type Flag, parseFlags } from "./flags.ts";
import {
  FORMAT_FLAG,
  type FormatOptions,
  parseColour,
  parseInterval,
  TOP_MAX,
} from "./format_options.ts";
import { STANDARD_INPUT } from "./read_options.ts";
import { HOST_FLAGS, type HostOptions, parseHost, TRACE_FLAGS } from "./trace_options.ts";
import { UsageError } from "../usage.ts";
import { parseChoice, parseInteger } from "./values.ts";

const TOP_USUAL = 20;

/** The flags of `top`. */
export const TOP_FLAGS: readonly Flag[] = [
  {
    name: "group",
    value: "BY",
    completes: GROUPINGS,
    meaning: `begin with ${GROUPINGS.join(", ")} (default server)`,
  },
  {
    name: "sort",
    value: "COLUMN",
    completes: SORTS,
    meaning: `by ${SORTS.join(", ")} (default rate)`,
  },
  {
    name: "interval",
    value: "TIME",
    meaning: "no screen: write the table as plain text so often, as for a screen reader",
  },
  { name: "top", value: "N", meaning: `rows of each such table (default ${TOP_USUAL})` },
  { name: "ascii", meaning: "draw with ASCII alone, as where the locale is not UTF-8" },
  FORMAT_FLAG.colour,
  FORMAT_FLAG.color,
  FORMAT_FLAG.localTime,
  { name: "quit-at-end", meaning: "end when FILE or standard input has ended; follow no FILE" },
  {
    name: "interface",
    value: "NAME",
    many: true,
    completes: "interface",
    meaning: "only what is or was captured on this interface",
  },
  ...FILTER_FLAGS,
  ...TRACE_FLAGS.filter(({ name }) => HOST_FLAGS.includes(name)),
  { name: "help", meaning: "show this" },
];

/** What `top` was asked to do. */
export interface TopOptions extends HostOptions {
  help: boolean;
  /** Path, `-` for standard input; undefined: what happens on this host. */
  file: string | undefined;
  filter: HandshakeFilter;
  table: TableView;
  /** How often a plain table is written, milliseconds; undefined: a screen is shown. */
  intervalMs: number | undefined;
  /** Rows of a plain table at most. */
  top: number;
  /** ASCII alone; false: where the locale asks for it. */
  ascii: boolean;
  colour: FormatOptions["colour"];
  localTime: boolean;
  quitAtEnd: boolean;
}

/**
 * Reads the command line of `top`.
 *
 * @throws {UsageError} One line for the user.
 */
export function parseTopOptions(args: readonly string[]): TopOptions {
  const parsed = parseFlags(args, TOP_FLAGS);
  const { switches, values, operands } = parsed;
  const isGiven = (flag: string) => values.has(flag) || switches.has(flag);
  if (operands.length > 1) {
    throw new UsageError(
      `Cannot show "${operands[1]}" too: give one FILE, ${STANDARD_INPUT} for standard input, ` +
        "or none for this host",
    );
  }
  const file = operands.at(0);
  const ofHost = HOST_FLAGS.find(isGiven);
  if (file !== undefined && ofHost !== undefined) {
    throw new UsageError(
      `Cannot use --${ofHost} with a FILE: it is about what happens on this host`,
    );
  }
  const ofFile = [...FILTERS_OF_FILES, "quit-at-end"].find(isGiven);
  if (file === undefined && ofFile !== undefined && !switches.has("help")) {
    throw new UsageError(
      `Cannot use --${ofFile} without a FILE: what happens on this host happens now`,
    );
  }
  const one = <T>(flag: string, parse: (flag: string, text: string) => T): T | undefined =>
    values.get(flag)?.map((text) => parse(flag, text))[0];
  const intervalMs = one("interval", parseInterval);
  if (intervalMs === undefined && values.has("top")) {
    throw new UsageError("Cannot use --top without --interval: a screen has rows of its own");
  }
  return {
    help: switches.has("help"),
    file,
    filter: parseFilter(parsed),
    ...parseHost(parsed),
    table: {
      grouping: one("group", (flag, text) => parseChoice(flag, text, GROUPINGS)) ?? "server",
      sort: one("sort", (flag, text) => parseChoice(flag, text, SORTS)) ?? "rate",
      isReversed: false,
    },
    intervalMs,
    top: one("top", (flag, text) => parseInteger(flag, text, 1, TOP_MAX)) ?? TOP_USUAL,
    ascii: switches.has("ascii"),
    colour: parseColour(values),
    localTime: switches.has("local-time"),
    quitAtEnd: switches.has("quit-at-end"),
  };
}
