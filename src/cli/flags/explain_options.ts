import type { HandshakeFilter } from "../../pipeline/filter.ts";
import {
  EXIT_STATUS_FLAG,
  FILTER_FLAGS,
  FILTERS_OF_FILES,
  formatFilter,
  parseFilter,
} from "./filter_options.ts";
import { type Flag, type ParsedFlags, parseFlags } from "./flags.ts";
import { refuseNoUtf8, STANDARD_OUTPUT } from "./output_options.ts";
import { STANDARD_INPUT } from "./read_options.ts";
import {
  HOST_FLAGS,
  type HostOptions,
  parseHost,
  refuseWithCommand,
  TRACE_FLAGS,
} from "./trace_options.ts";
import { UsageError } from "../usage.ts";
import { parseChoice, parseInteger, UNBOUNDED } from "./values.ts";

const FORMATS = ["text", "svg", "markdown"] as const;

/** The flags of `explain`. */
export const EXPLAIN_FLAGS: readonly Flag[] = [
  { name: "index", value: "N", meaning: "the Nth handshake that matches (default 1)" },
  {
    name: "pair",
    meaning: "as both of its hosts tell it: of captures, records or stores of both",
  },
  { name: "header", meaning: "also the TCP header of each packet, field by field" },
  {
    name: "format",
    value: "FORMAT",
    completes: FORMATS,
    meaning: `${FORMATS.join(", ")} (default text)`,
  },
  {
    name: "output",
    value: "FILE",
    meaning: "write it to FILE, anew (- is standard output)",
  },
  { name: "ascii", meaning: "draw with ASCII alone, as where the locale is not UTF-8" },
  {
    name: "interface",
    value: "NAME",
    many: true,
    completes: "interface",
    meaning: "only what was captured on this one",
  },
  ...FILTER_FLAGS,
  ...TRACE_FLAGS.filter(({ name }) => HOST_FLAGS.includes(name)),
  EXIT_STATUS_FLAG,
  { name: "help", meaning: "show this" },
];

/** What `explain` was asked to do. */
export interface ExplainOptions extends HostOptions {
  help: boolean;
  /** Path, `-` for standard input; undefined: what happens on this host. */
  file: string | undefined;
  /** Files and stores of both hosts, to tell both ends of it; absent: one end is told. */
  pairFiles?: readonly string[];
  /** Which of those that match, 1 the first. */
  index: number;
  filter: HandshakeFilter;
  /** The flags of the filter as they were given; "" for none. */
  filterText: string;
  header: boolean;
  format: typeof FORMATS[number];
  ascii: boolean;
  /** Path of the file to write it to; undefined: none. */
  output: string | undefined;
  /** The command to run and its arguments, of whose handshakes one is explained; undefined: none. */
  command: readonly string[] | undefined;
  /** Whether it goes to standard error: standard output is the command's. */
  toStandardError: boolean;
  /** Whether the exit status tells that nothing matched. */
  exitStatus: boolean;
}

/**
 * Reads the command line of `explain`.
 *
 * @throws {UsageError} One line for the user.
 */
export function parseExplainOptions(args: readonly string[]): ExplainOptions {
  const parsed = parseFlags(args, EXPLAIN_FLAGS, true);
  const { switches, values, operands, command } = parsed;
  refuseOperands(parsed);
  const file = operands.at(0);
  const one = <T>(flag: string, parse: (flag: string, text: string) => T): T | undefined =>
    values.get(flag)?.map((text) => parse(flag, text))[0];
  const format = one("format", (flag, text) => parseChoice(flag, text, FORMATS)) ?? "text";
  const ascii = switches.has("ascii");
  if (ascii && format === "svg") {
    throw new UsageError("Cannot use --ascii with --format svg: a picture is drawn with lines");
  }
  const output = values.get("output")?.[0];
  refuseNoUtf8("output", output);
  const toStandardError = command !== undefined && output === undefined;
  if (toStandardError && format === "svg") {
    throw new UsageError(
      "Cannot use --format svg with a command: standard output is the command's; give --output FILE",
    );
  }
  return {
    help: switches.has("help"),
    file,
    ...switches.has("pair") && { pairFiles: operands },
    index: one("index", (flag, text) => parseInteger(flag, text, 1, UNBOUNDED)) ?? 1,
    filter: parseFilter(parsed),
    filterText: formatFilter(parsed).join(" "),
    ...parseHost(parsed),
    header: switches.has("header"),
    format,
    ascii,
    output: output === STANDARD_OUTPUT ? undefined : output,
    command,
    toStandardError,
    exitStatus: switches.has(EXIT_STATUS_FLAG.name),
  };
}

/** @throws {UsageError} What is to be read, and what is said of it, do not fit. */
function refuseOperands(parsed: ParsedFlags): void {
  const { switches, values, operands, command } = parsed;
  const isPair = switches.has("pair");
  if (isPair && !switches.has("help")) refuseForPair(operands, command);
  const [file, another] = operands;
  if (another !== undefined && !isPair) {
    throw new UsageError(
      `Cannot explain "${another}" too: give one FILE, or none for this host; two of both ends ` +
        "need --pair",
    );
  }
  if (file !== undefined && command !== undefined) {
    throw new UsageError(
      `Cannot explain "${file}" and run "${command[0]}": give a FILE, or a command behind --`,
    );
  }
  refuseWithCommand(parsed);
  const [ofHost] = HOST_FLAGS.filter((flag) => values.has(flag) || switches.has(flag));
  if (file !== undefined && ofHost !== undefined) {
    throw new UsageError(
      `Cannot use --${ofHost} with a FILE: it is about what happens on this host`,
    );
  }
  const [ofFile] = FILTERS_OF_FILES.filter((flag) => values.has(flag));
  if (file === undefined && ofFile !== undefined && !switches.has("help")) {
    throw new UsageError(
      `Cannot use --${ofFile} without a FILE: what happens on this host happens now; give a FILE`,
    );
  }
}

/** Where both hosts are told of there are files, of which one may be standard input. */
function refuseForPair(files: readonly string[], command: readonly string[] | undefined): void {
  if (files.length === 0 || command !== undefined) {
    throw new UsageError(
      "Cannot use --pair of what happens here: give captures, records or stores of both hosts",
    );
  }
  if (files.filter((file) => file === STANDARD_INPUT).length > 1) {
    throw new UsageError(`Cannot read "${STANDARD_INPUT}" twice: standard input ends once`);
  }
}
