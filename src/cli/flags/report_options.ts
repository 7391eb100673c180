import type { HandshakeFilter } from "../../pipeline/filter.ts";
import {
  ANONYMIZE_FLAGS,
  type AnonymizeOptions,
  hideValues,
  parseAnonymize,
} from "./anonymize_options.ts";
import { EXIT_STATUS_FLAG, FILTER_FLAGS, formatFilter, parseFilter } from "./filter_options.ts";
import { type Flag, parseFlags } from "./flags.ts";
import { assertNamed, FORCE_FLAG } from "./page_options.ts";
import { READ_FLAGS, STANDARD_INPUT } from "./read_options.ts";
import { UsageError } from "../usage.ts";

/** The flags of `report`. */
export const REPORT_FLAGS: readonly Flag[] = [
  { name: "output", value: "FILE", meaning: "write the page there (default: standard output)" },
  FORCE_FLAG,
  ...READ_FLAGS.filter(({ name }) => name === "interface"),
  ...FILTER_FLAGS,
  ...ANONYMIZE_FLAGS,
  EXIT_STATUS_FLAG,
  { name: "help", meaning: "show this" },
];

/** What `report` was asked to do. */
export interface ReportCommandOptions extends AnonymizeOptions {
  help: boolean;
  /** Paths in order; `-` is standard input. */
  files: readonly string[];
  /** Where the page goes; undefined: standard output. */
  output: string | undefined;
  /** Whether a page that is there is replaced. */
  force: boolean;
  filter: HandshakeFilter;
  /** The flags that say what is reported, each as it was given. */
  filterTexts: readonly string[];
  /** Names of interfaces; none: all. */
  interfaces: readonly string[];
  /** Whether the exit status tells that nothing matched. */
  exitStatus: boolean;
}

/**
 * Reads the command line of `report`.
 *
 * @throws {UsageError} One line for the user.
 */
export function parseReportOptions(args: readonly string[]): ReportCommandOptions {
  const parsed = parseFlags(args, REPORT_FLAGS);
  const { switches, values, operands: files } = parsed;
  const help = switches.has("help");
  if (files.length === 0 && !help) {
    throw new UsageError(
      "Cannot report on nothing: give a FILE (pcap, pcapng or NDJSON), or - for standard input",
    );
  }
  if (files.filter((file) => file === STANDARD_INPUT).length > 1) {
    throw new UsageError(`Cannot read "${STANDARD_INPUT}" twice: standard input ends once`);
  }
  const output = values.get("output")?.[0];
  const anonymizing = parseAnonymize(parsed);
  const filterTexts = formatFilter(parsed, ["interface"]);
  if (output !== undefined) assertNamed("output", output);
  return {
    help,
    files,
    output: output === STANDARD_INPUT ? undefined : output,
    force: switches.has(FORCE_FLAG.name),
    filter: parseFilter(parsed),
    filterTexts: anonymizing.anonymize ? hideValues(filterTexts) : filterTexts,
    ...anonymizing,
    interfaces: values.get("interface") ?? [],
    exitStatus: switches.has(EXIT_STATUS_FLAG.name),
  };
}
