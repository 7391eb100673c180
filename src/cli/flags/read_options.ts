import type { HandshakeFilter } from "../../pipeline/filter.ts";
import { EXIT_STATUS_FLAG, FILTER_FLAGS, parseFilter } from "./filter_options.ts";
import { type Flag, parseFlags } from "./flags.ts";
import { FORMAT_FLAG, FORMAT_FLAGS, type FormatOptions, parseFormat } from "./format_options.ts";
import { formatTo, OUTPUT_FLAGS, type OutputOptions, parseOutput } from "./output_options.ts";
import { ANONYMIZE_FLAGS, type AnonymizeOptions, parseAnonymize } from "./anonymize_options.ts";
import { UsageError } from "../usage.ts";
import { parseInteger, UNBOUNDED } from "./values.ts";

/** The flags of `read`. */
export const READ_FLAGS: readonly Flag[] = [
  {
    name: "follow",
    meaning: "wait for more of FILE, which is still being written; of a store, too",
  },
  { name: "count", value: "N", meaning: "end after N handshakes" },
  {
    name: "interface",
    value: "NAME",
    many: true,
    completes: "interface",
    meaning: "only what was captured on this interface, where the file names it",
  },
  ...FILTER_FLAGS,
  // Of a file nothing is counted while it comes.
  ...FORMAT_FLAGS.filter((flag) => flag !== FORMAT_FLAG.interval),
  ...OUTPUT_FLAGS,
  ...ANONYMIZE_FLAGS,
  EXIT_STATUS_FLAG,
  { name: "help", meaning: "show this" },
];

/** Standard input, named as a file. */
export const STANDARD_INPUT = "-";

/** What `read` was asked to do. */
export interface ReadOptions extends OutputOptions, AnonymizeOptions {
  help: boolean;
  /** Paths in order; `-` is standard input. */
  files: readonly string[];
  filter: HandshakeFilter;
  /** Names of interfaces; none: all. */
  interfaces: readonly string[];
  format: FormatOptions;
  count: number;
  follow: boolean;
  /** Whether the exit status tells that nothing matched. */
  exitStatus: boolean;
}

/**
 * Reads the command line of `read`.
 *
 * @throws {UsageError} One line for the user.
 */
export function parseReadOptions(args: readonly string[]): ReadOptions {
  const parsed = parseFlags(args, READ_FLAGS);
  const { switches, values, operands: files } = parsed;
  const help = switches.has("help");
  const follow = switches.has("follow");
  if (!help) refuseInputs(files, follow, "pcap, pcapng or NDJSON");
  const count = values.get("count")?.map((text) => parseInteger("count", text, 1, UNBOUNDED))[0];
  return {
    help,
    files,
    filter: parseFilter(parsed),
    interfaces: values.get("interface") ?? [],
    format: formatTo(parseFormat(parsed), parsed),
    count: count ?? Infinity,
    follow,
    exitStatus: switches.has(EXIT_STATUS_FLAG.name),
    ...parseOutput(parsed),
    ...parseAnonymize(parsed),
  };
}

/**
 * Refuses files that cannot be read, or not together.
 *
 * @param files Paths in order; `-` is standard input. @param held What a file may hold, for a sentence.
 * @throws {UsageError} One line for the user.
 */
export function refuseInputs(files: readonly string[], follow: boolean, held: string): void {
  if (files.length === 0) {
    throw new UsageError(
      `Cannot read nothing: give a FILE (${held}), or - for standard input`,
    );
  }
  if (files.filter((file) => file === STANDARD_INPUT).length > 1) {
    throw new UsageError(`Cannot read "${STANDARD_INPUT}" twice: standard input ends once`);
  }
  if (follow && (files.length > 1 || files[0] === STANDARD_INPUT)) {
    throw new UsageError("Cannot use --follow here: it takes one FILE or store, no standard input");
  }
}
