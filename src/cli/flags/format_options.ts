/**
 * The flags that say how to write handshakes, for the commands that have them.
 *
 * @module
 */
import type { OutputSurface } from "../process/terminal.ts";
import type { StatusOptions } from "../../output/status.ts";
import { NdjsonFormat, type TextFormat } from "../../output/text_sink.ts";
import { TABLE_ROWS_HELD } from "../../output/limits.ts";
import { chooseFields, fieldNames } from "../../record/choose_fields.ts";
import type { Field } from "../../record/field.ts";
import { FIELDS } from "../../record/fields.ts";
import type { Flag, ParsedFlags } from "./flags.ts";
import { askNearest } from "./nearest.ts";
import { UsageError } from "../usage.ts";
import { parseChoice, parseDuration, parseInteger } from "./values.ts";

const COLOUR_TIMES = ["auto", "always", "never"] as const;

/** The flags, for a command to choose from. */
export const FORMAT_FLAG = {
  json: { name: "json", meaning: "NDJSON also on a terminal (elsewhere it is always NDJSON)" },
  table: { name: "table", meaning: "an aligned table for people instead, also in a pipe" },
  stats: {
    name: "stats",
    meaning: "statistics instead: outcomes, RTTs, and who had which (with --json: one JSON object)",
  },
  top: {
    name: "top",
    value: "N",
    meaning: "servers, clients, processes and so on that --stats names (default 10)",
  },
  interval: {
    name: "interval",
    value: "TIME",
    meaning: "with --stats: each 10s or so those of the time since (terminal: a line, else NDJSON)",
  },
  ascii: {
    name: "ascii",
    meaning: "--stats in ASCII alone (default where the locale is not UTF-8)",
  },
  csv: { name: "csv", meaning: "comma-separated values instead (RFC 4180), on standard output" },
  fields: {
    name: "fields",
    value: "NAMES",
    many: true,
    completes: fieldNames,
    meaning:
      "only these fields in NDJSON and CSV: by path, such as client.address, or a whole level, rtt",
  },
  columns: {
    name: "columns",
    value: "NAMES",
    many: true,
    completes: fieldNames,
    meaning: "these fields as columns of lines and tables; in a pipe a table",
  },
  wide: { name: "wide", meaning: "lines with every column, however wide the terminal is" },
  localTime: {
    name: "local-time",
    meaning: "lines and tables with the time of this host's zone, not UTC",
  },
  colour: {
    name: "colour",
    value: "WHEN",
    completes: COLOUR_TIMES,
    meaning: "colour lines and tables: auto (default: on a terminal, unless NO_COLOR is set), " +
      "always, never",
  },
  color: { name: "color", value: "WHEN", completes: COLOUR_TIMES, meaning: "the same" },
} as const satisfies Record<string, Flag>;

/** All of them, in the order of the helps. */
export const FORMAT_FLAGS: readonly Flag[] = Object.values(FORMAT_FLAG);

/** Names or rows that are told at most. */
export const TOP_MAX = 1_000;
const INTERVAL_MIN_MS = 1_000;
const STATUS_INTERVAL_MS = 60_000;

/** How handshakes are to be written. */
export interface FormatOptions {
  /** Records are NDJSON, or lines on a terminal. */
  kind: "records" | "table" | "statistics" | "csv";
  /** JSON whatever standard output is. */
  json: boolean;
  /** Names of each kind that statistics tell. */
  top: number;
  /** ASCII alone; false: where the locale asks for it. */
  ascii: boolean;
  /** What NDJSON and CSV hold; undefined: every field. */
  fields: readonly Field[] | undefined;
  /** What stands in the columns of lines and tables; undefined: the usual. */
  columns: readonly Field[] | undefined;
  /** Every column of a line, whatever fits. */
  wide: boolean;
  /** The time of this host's zone, not UTC. */
  localTime: boolean;
  /** When to colour; `auto`: on a terminal that has colours. */
  colour: typeof COLOUR_TIMES[number];
  /** How often statistics of the time since the last are written, milliseconds; undefined: at the end. */
  intervalMs: number | undefined;
}

/** What holds where no flag says otherwise. */
export const FORMAT_DEFAULTS: Readonly<FormatOptions> = {
  kind: "records",
  json: false,
  top: 10,
  ascii: false,
  fields: undefined,
  columns: undefined,
  wide: false,
  localTime: false,
  colour: "auto",
  intervalMs: undefined,
};

/**
 * Reads the switches and values of {@linkcode FORMAT_FLAG}.
 *
 * @throws {UsageError} One line for the user, where two contradict each other.
 */
export function parseFormat({ switches, values }: ParsedFlags): FormatOptions {
  const [json, table, stats, csv, ascii] = ["json", "table", "stats", "csv", "ascii"]
    .map((flag) => switches.has(flag));
  const forms = ["table", "csv", "stats", "json"].filter((flag) => switches.has(flag));
  if (forms.length > 1 && (table || csv)) {
    throw new UsageError(`Cannot use --${forms[0]} with --${forms[1]}: give one of them`);
  }
  for (const flag of ["top", "interval", "ascii"]) {
    if (!stats && (switches.has(flag) || values.has(flag))) {
      throw new UsageError(
        `Cannot use --${flag} without --stats: it is about statistics; give --stats too`,
      );
    }
  }
  if (ascii && json) {
    throw new UsageError("Cannot use --ascii with --json: JSON draws nothing, give one of them");
  }
  const fields = values.get("fields");
  if (fields && (table || stats)) {
    throw new UsageError(
      `Cannot use --fields with --${forms[0]}: it is about NDJSON and CSV` +
        (table ? "; give --columns" : ""),
    );
  }
  const columns = values.get("columns");
  if (columns && (json || csv || stats)) {
    throw new UsageError(
      `Cannot use --columns with --${forms[0]}: it is about lines and tables` +
        (stats ? "" : "; give --fields"),
    );
  }
  const wide = switches.has("wide");
  if (wide && (forms.length > 0 || columns)) {
    throw new UsageError(
      `Cannot use --wide with --${forms[0] ?? "columns"}: it is about lines on a terminal`,
    );
  }
  const top = values.get("top")?.map((text) => parseInteger("top", text, 1, TOP_MAX))[0];
  return {
    kind: table ? "table" : stats ? "statistics" : csv ? "csv" : "records",
    json,
    top: top ?? FORMAT_DEFAULTS.top,
    ascii,
    fields: fields && parseFields("fields", fields),
    columns: columns && parseFields("columns", columns),
    wide,
    localTime: switches.has("local-time"),
    colour: parseColour(values),
    intervalMs: values.get("interval")?.map((text) => parseInterval("interval", text))[0],
  };
}

/** Reads `--colour` or `--color`. @throws {UsageError} Both are given. */
export function parseColour(values: ParsedFlags["values"]): FormatOptions["colour"] {
  const [colour = FORMAT_DEFAULTS.colour, ...others] = ["colour", "color"].flatMap((flag) =>
    values.get(flag)?.map((text) => parseChoice(flag, text, COLOUR_TIMES)) ?? []
  );
  if (others.length === 0) return colour;
  throw new UsageError("Cannot use --colour with --color: they are the same, give one of them");
}

/** Reads names of fields. */
function parseFields(flag: string, names: readonly string[]): readonly Field[] {
  const chosen = chooseFields(names);
  if (typeof chosen !== "string") return chosen;
  throw new UsageError(
    `Cannot use --${flag} "${chosen}": ` +
      adviseField(chosen),
  );
}

/** What to give instead of a name that no field has. */
function adviseField(name: string): string {
  const names = fieldNames();
  // Who is used to short words means the long one.
  const long = name.replace(/(^|\.)(?:ip|addr)$/, "$1address");
  return askNearest(name === long || names.includes(long) ? long : name, names) ??
    "no field has that name; synsnoop schema --format markdown lists them";
}

/** Reads how often something is written. */
export function parseInterval(flag: string, text: string): number {
  const ms = parseDuration(flag, text);
  if (ms < INTERVAL_MIN_MS) {
    throw new UsageError(`Cannot use --${flag} "${text}": give a time of at least 1s`);
  }
  return ms;
}

/**
 * Reads `--status-interval`.
 *
 * @returns Milliseconds; undefined where no status lines are wanted.
 */
export function parseStatusInterval({ switches, values }: ParsedFlags): number | undefined {
  const text = values.get("status-interval")?.[0];
  if (text === undefined) return STATUS_INTERVAL_MS;
  const other = ["table", "csv", "stats"].find((flag) => switches.has(flag));
  if (other !== undefined) {
    throw new UsageError(
      `Cannot use --status-interval with --${other}: status lines stand among records of NDJSON`,
    );
  }
  return text === "0" || text === "off" ? undefined : parseInterval("status-interval", text);
}

/**
 * Makes the format asked for. All but NDJSON is loaded only then: 3 ms of each start.
 *
 * @param follow Whether each handshake is to be written when it comes.
 * @param status Of status lines among NDJSON that goes to no terminal; undefined: none.
 */
export async function createFormat(
  options: FormatOptions,
  surface: OutputSurface,
  follow: boolean,
  status?: StatusOptions,
): Promise<TextFormat> {
  const { json, top, ascii, fields, columns, wide, localTime, colour: when, intervalMs } = options;
  const { isForPeople, utf8 } = surface;
  const colour = when === "auto" ? surface.colour : when === "always";
  // Chosen columns are a table, on a terminal one whose rows do not wait for each other.
  switch (columns ? "table" : options.kind) {
    case "table": {
      const { TableFormat }: typeof import("../../output/table.ts") = await import(
        import.meta.resolve("../../output/table.ts")
      );
      const { fieldColumn }: typeof import("../../output/field_column.ts") = await import(
        import.meta.resolve("../../output/field_column.ts")
      );
      const isLines = isForPeople && options.kind === "records";
      const rowsHeld = follow || isLines ? 1 : TABLE_ROWS_HELD;
      const chosen = columns?.map(fieldColumn);
      return new TableFormat({ rowsHeld, colour, ascii: !utf8, localTime, columns: chosen });
    }
    case "csv": {
      const { CsvFormat }: typeof import("../../output/csv.ts") = await import(
        import.meta.resolve("../../output/csv.ts")
      );
      return new CsvFormat(fields ?? FIELDS);
    }
    case "statistics": {
      const { StatisticsFormat }: typeof import("../../output/statistics/format.ts") = await import(
        import.meta.resolve("../../output/statistics/format.ts")
      );
      const isJson = json || intervalMs !== undefined && !isForPeople;
      return new StatisticsFormat({
        ...{ top, intervalMs, width: () => surface.width() },
        json: isJson,
        ascii: ascii || !utf8,
      });
    }
    case "records": {
      if (!isForPeople || json) {
        return new NdjsonFormat(isForPeople ? undefined : status, fields);
      }
      const { LineFormat }: typeof import("../../output/line_format.ts") = await import(
        import.meta.resolve("../../output/line_format.ts")
      );
      return new LineFormat(() => ({
        width: wide ? Infinity : surface.width(),
        ascii: !utf8,
        colour,
        localTime,
      }));
    }
  }
}
