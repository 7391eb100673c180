import type { HandshakeFilter } from "../../pipeline/filter.ts";
import { FILTER_FLAGS, parseFilter } from "./filter_options.ts";
import { type Flag, parseFlags } from "./flags.ts";
import { FROM_FLAGS, parseFrom } from "../from_server.ts";
import { MEMORY_FLAG, parseMemory, refuseStandardInput } from "./query_options.ts";
import type { ServerChoice } from "./server_options.ts";
import { UsageError } from "../usage.ts";

/** The flags of `pairs`. */
export const PAIRS_FLAGS: readonly Flag[] = [
  { name: "json", meaning: "NDJSON: a line for each handshake, and for each minute of two clocks" },
  MEMORY_FLAG,
  ...FROM_FLAGS,
  ...FILTER_FLAGS,
  { name: "help", meaning: "show this" },
];

/** What `pairs` was asked. */
export interface PairsOptions {
  help: boolean;
  inputs: readonly string[];
  /** The server that is asked in their place. */
  from: ServerChoice | undefined;
  filter: HandshakeFilter;
  json: boolean;
  memoryBytes: number;
}

/**
 * Reads the command line of `pairs`.
 *
 * @throws {UsageError} One line for the user.
 */
export function parsePairsOptions(args: readonly string[]): PairsOptions {
  const parsed = parseFlags(args, PAIRS_FLAGS);
  const { switches, operands } = parsed;
  const help = switches.has("help");
  const from = parseFrom(parsed);
  if (from !== undefined && operands.length > 0) {
    throw new UsageError(`Cannot ask "${operands[0]}" with --from: give stores or a server`);
  }
  if (operands.length === 0 && from === undefined && !help) {
    throw new UsageError("Cannot find pairs in nothing: give stores or FILEs of several hosts");
  }
  refuseStandardInput(operands);
  return {
    help,
    inputs: operands,
    from,
    filter: parseFilter(parsed),
    json: switches.has("json"),
    memoryBytes: parseMemory(parsed),
  };
}
