/**
 * Asking a fleet's ClickHouse in place of files: its flags, and how that begins and fails.
 *
 * @module
 */
import { InputError } from "../files/input_error.ts";
import { narrowToNetwork } from "../linux/narrow.ts";
import { ClickHouseServer } from "../store/clickhouse/client.ts";
import { MEMORY_LIMIT, ServerError } from "../store/clickhouse/server_error.ts";
import { LIBRARY_SIZE_MB } from "../store/query/duckdb.ts";
import { Ending } from "./ending.ts";
import type { Flag, ParsedFlags } from "./flags/flags.ts";
import { sayNote } from "./process/terminal.ts";
import {
  loadServers,
  parseServers,
  SERVER_FLAGS,
  type ServerChoice,
} from "./flags/server_options.ts";
import { ExitStatus, UsageError } from "./usage.ts";

const NAME = "from";

/** The flag that names a server, and those that go with it. */
export const FROM_FLAGS: readonly Flag[] = [
  {
    name: NAME,
    value: "URL",
    meaning: "ask ClickHouse, where synsnoop ship keeps a fleet's records: http://127.0.0.1:8123",
  },
  ...SERVER_FLAGS,
];

/** Reads {@linkcode FROM_FLAGS}. @returns Undefined where files are asked. @throws {UsageError} One line. */
export function parseFrom(parsed: ParsedFlags): ServerChoice | undefined {
  if (parsed.values.has(NAME)) return parseServers(parsed, NAME);
  const useless = SERVER_FLAGS.find(({ name }) => parsed.values.has(name));
  if (useless === undefined) return undefined;
  throw new UsageError(`Cannot use --${useless.name} without --${NAME}: it is about ClickHouse`);
}

/**
 * Does something with a server: says how it fails, and ends it there when that is asked for.
 *
 * @param work Hands on whether all was written. @returns The exit status.
 * @throws {UsageError} A file that goes with the server cannot be used.
 */
export async function askingServer(
  from: ServerChoice,
  work: (server: ClickHouseServer, signal: AbortSignal) => Promise<boolean>,
): Promise<number> {
  const [options] = loadServers(from);
  narrowToNetwork();
  const ending = Ending.listen({ report: () => "the question is not answered yet" });
  const aborter = new AbortController();
  ending.asked.then(() => aborter.abort());
  try {
    using server = new ClickHouseServer(options);
    return await work(server, aborter.signal) ? ExitStatus.Ok : ExitStatus.Failed;
  } catch (error) {
    if (aborter.signal.aborted) return ExitStatus.Interrupted;
    if (error instanceof ServerError && error.code === MEMORY_LIMIT) {
      sayNote(`${error.message}; give more with --memory`);
    } else if (error instanceof ServerError || error instanceof InputError) sayNote(error.message);
    else throw error;
    return ExitStatus.Failed;
  }
}

/** Says that the database which answers is fetched. */
export function sayFetch(): void {
  sayNote(`fetching DuckDB, which answers questions: ${LIBRARY_SIZE_MB} MB, once`);
}
