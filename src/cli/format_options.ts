/**
 * The flags that say how to write handshakes, for the commands that have them.
 *
 * @module
 */
import type { OutputSurface } from "./process/terminal.ts";
import { LineFormat, NdjsonFormat, type TextFormat } from "../output/text_sink.ts";
import { TABLE_ROWS_HELD } from "../output/limits.ts";
import type { Flag, ParsedFlags } from "./flags.ts";
import { UsageError } from "./usage.ts";
import { parseInteger } from "./values.ts";

/** The flags, for a command to choose from. */
export const FORMAT_FLAG = {
  json: { name: "json", meaning: "NDJSON also on a terminal (elsewhere it is always NDJSON)" },
  table: { name: "table", meaning: "an aligned table for people instead, also in a pipe" },
  stats: {
    name: "stats",
    meaning: "statistics instead: outcomes, servers, clients, RTTs (with --json: one JSON object)",
  },
  top: {
    name: "top",
    value: "N",
    meaning: "servers and clients that --stats names (default 10)",
  },
  ascii: {
    name: "ascii",
    meaning: "--stats in ASCII alone (default where the locale is not UTF-8)",
  },
} as const satisfies Record<string, Flag>;

const TOP_DEFAULT = 10;
const TOP_MAX = 1_000;

/** How handshakes are to be written. */
export interface FormatOptions {
  /** Records are NDJSON, or lines on a terminal. */
  kind: "records" | "table" | "statistics";
  /** JSON whatever standard output is. */
  json: boolean;
  /** Servers and clients that statistics name. */
  top: number;
  /** ASCII alone; false: where the locale asks for it. */
  ascii: boolean;
}

/**
 * Reads the switches and values of {@linkcode FORMAT_FLAG}.
 *
 * @throws {UsageError} One line for the user, where two contradict each other.
 */
export function parseFormat({ switches, values }: ParsedFlags): FormatOptions {
  const [json, table, stats, ascii] = ["json", "table", "stats", "ascii"]
    .map((flag) => switches.has(flag));
  if (table && (stats || json)) {
    throw new UsageError(
      `Cannot use --table with --${stats ? "stats" : "json"}: give one of them`,
    );
  }
  for (const flag of ["top", "ascii"]) {
    if (!stats && (switches.has(flag) || values.has(flag))) {
      throw new UsageError(`Cannot use --${flag} without --stats: it says how to write those`);
    }
  }
  if (ascii && json) {
    throw new UsageError("Cannot use --ascii with --json: JSON draws nothing, give one of them");
  }
  const top = values.get("top")?.map((text) => parseInteger("top", text, 1, TOP_MAX))[0];
  return {
    kind: table ? "table" : stats ? "statistics" : "records",
    json,
    top: top ?? TOP_DEFAULT,
    ascii,
  };
}

/**
 * Makes the format asked for. Tables and statistics are loaded only then: 2 ms of each start.
 *
 * @param follow Whether each handshake is to be written when it comes.
 */
export async function createFormat(
  { kind, json, top, ascii }: FormatOptions,
  surface: OutputSurface,
  follow: boolean,
): Promise<TextFormat> {
  const { isTerminal, colour, utf8 } = surface;
  switch (kind) {
    case "table": {
      const { TableFormat }: typeof import("../output/table.ts") = await load("table");
      return new TableFormat({ rowsHeld: follow ? 1 : TABLE_ROWS_HELD, colour, ascii: !utf8 });
    }
    case "statistics": {
      const { StatisticsFormat }: typeof import("../output/statistics/format.ts") = await load(
        "statistics/format",
      );
      return new StatisticsFormat({ top, json, ascii: ascii || !utf8 });
    }
    case "records":
      return isTerminal && !json ? new LineFormat({ ascii: !utf8 }) : new NdjsonFormat();
  }
}

/** A literal path would have what it leads to read and examined at each start. */
function load(format: string) {
  return import(import.meta.resolve(`../output/${format}.ts`));
}
