import type { HandshakeFilter } from "../pipeline/filter.ts";
import { FILTER_FLAGS, parseFilter } from "./filter_options.ts";
import { type Flag, parseFlags } from "./flags.ts";
import { MEMORY_FLAG, parseMemory } from "./query_options.ts";
import { UsageError } from "./usage.ts";

/** The flags of `pairs`. */
export const PAIRS_FLAGS: readonly Flag[] = [
  { name: "json", meaning: "NDJSON: a line for each handshake, and for each minute of two clocks" },
  MEMORY_FLAG,
  ...FILTER_FLAGS,
  { name: "help", meaning: "show this" },
];

/** What `pairs` was asked. */
export interface PairsOptions {
  help: boolean;
  inputs: readonly string[];
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
  if (operands.length === 0 && !help) {
    throw new UsageError("Cannot find pairs in nothing: give stores or FILEs of several hosts");
  }
  return {
    help,
    inputs: operands,
    filter: parseFilter(parsed),
    json: switches.has("json"),
    memoryBytes: parseMemory(parsed),
  };
}
