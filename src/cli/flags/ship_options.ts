import { type ListenAddress, parseListenAddress } from "../../http/listen_address.ts";
import type { BatchLimits } from "../../store/ship/batch.ts";
import { type Flag, parseFlags } from "./flags.ts";
import { parseName, parseServers, SERVER_FLAGS, type ServerChoice } from "./server_options.ts";
import { UsageError } from "../usage.ts";
import { parseDuration, parseInteger, parseSize } from "./values.ts";

const ROWS_USUAL = 50_000;
const ROWS_MAX = 1_000_000;
const BYTES_USUAL = 8e6;
const BYTES_MAX = 256e6;
const INTERVAL_USUAL_MS = 5_000;
const INTERVAL_MIN_MS = 100;
const REPORT_USUAL_MS = 60_000;
const REPORT_MIN_MS = 1_000;

/** The flags of `ship`. */
export const SHIP_FLAGS: readonly Flag[] = [
  {
    name: "to",
    value: "URL",
    many: true,
    meaning: "ClickHouse's HTTP interface: http://127.0.0.1:8123; of several, any that answers",
  },
  { name: "apply", meaning: "first make the tables on each server of --to that has none" },
  { name: "ddl", meaning: "print the statements that make the tables, and nothing else" },
  {
    name: "cluster",
    value: "NAME",
    meaning: "with --apply or --ddl: tables spread over that cluster, as the servers name it",
  },
  ...SERVER_FLAGS,
  {
    name: "state",
    value: "FILE",
    completes: "file",
    meaning: "keep there what was shipped (default DIR/.shipped.json)",
  },
  {
    name: "once",
    meaning: "end when all is shipped that is there now; a server may be away for 60 s",
  },
  {
    name: "interval",
    value: "TIME",
    meaning: "how often to look for more, and to ship it (default 5s)",
  },
  {
    name: "batch-rows",
    value: "N",
    meaning: `rows of one insert, about (default ${ROWS_USUAL})`,
  },
  { name: "batch-size", value: "SIZE", meaning: "bytes of one insert, about (default 8M)" },
  {
    name: "report-interval",
    value: "TIME",
    meaning: "how often to say on standard error what was shipped, and what waits (default 60s)",
  },
  {
    name: "metrics",
    value: "ADDRESS",
    meaning: "answer Prometheus at 127.0.0.1:9465, [::1]:9465 or unix:PATH",
  },
  { name: "metrics-public", meaning: "let other hosts reach that ADDRESS, too" },
  {
    name: "config",
    value: "FILE",
    completes: "config",
    meaning: "take flags from FILE too, [ship] in TOML; those given here win",
  },
  { name: "help", meaning: "show this" },
];

/** What `ship` was asked. */
export interface ShipOptions {
  help: boolean;
  /** The store; undefined: only the tables are printed or made. */
  folder: string | undefined;
  servers: ServerChoice;
  cluster: string | undefined;
  printsDdl: boolean;
  applies: boolean;
  statePath: string;
  once: boolean;
  intervalMs: number;
  reportMs: number;
  limits: BatchLimits;
  metrics: ListenAddress | undefined;
}

/**
 * Reads the command line of `ship`.
 *
 * @throws {UsageError} One line for the user.
 */
export function parseShipOptions(args: readonly string[]): ShipOptions {
  const parsed = parseFlags(args, SHIP_FLAGS);
  const { switches, values, operands } = parsed;
  const one = (flag: string) => values.get(flag)?.[0];
  const help = switches.has("help");
  const [printsDdl, applies] = [switches.has("ddl"), switches.has("apply")];
  const servers = parseServers(parsed, "to");
  const [folder, other] = operands;
  if (!help) refuseWrong({ folder, other, printsDdl, applies, servers });
  const cluster = one("cluster");
  if (cluster !== undefined && !printsDdl && !applies) {
    throw new UsageError(
      "Cannot use --cluster without --apply or --ddl: the tables know their cluster once they are made",
    );
  }
  const [rows, bytes] = [one("batch-rows"), one("batch-size")];
  return {
    help,
    folder,
    servers,
    cluster: cluster === undefined ? undefined : parseName("cluster", cluster),
    printsDdl,
    applies,
    statePath: one("state") ?? `${(folder ?? ".").replace(/(.)\/+$/, "$1")}/.shipped.json`,
    once: switches.has("once"),
    intervalMs: parseInterval("interval", one("interval"), INTERVAL_USUAL_MS, INTERVAL_MIN_MS),
    reportMs: parseInterval(
      "report-interval",
      one("report-interval"),
      REPORT_USUAL_MS,
      REPORT_MIN_MS,
    ),
    limits: {
      rows: rows === undefined ? ROWS_USUAL : parseInteger("batch-rows", rows, 1, ROWS_MAX),
      bytes: bytes === undefined ? BYTES_USUAL : parseBatchSize(bytes),
    },
    metrics: parseMetricsAddress(one("metrics"), switches.has("metrics-public")),
  };
}

function refuseWrong(
  { folder, other, printsDdl, applies, servers }:
    & Pick<ShipOptions, "folder" | "printsDdl" | "applies" | "servers">
    & { other: string | undefined },
): void {
  if (printsDdl) {
    if (applies) throw new UsageError("Cannot use --ddl with --apply: give one of them");
    if (folder === undefined) return;
    throw new UsageError(
      `Cannot use "${folder}" with --ddl: it prints the tables' statements and ships nothing`,
    );
  }
  if (other !== undefined) {
    throw new UsageError(
      `Cannot ship "${other}" too: give one store, and run another for each other`,
    );
  }
  if (folder === undefined && !applies) {
    throw new UsageError("Cannot ship nothing: give the DIR that trace --store writes");
  }
  if (servers.origins.length === 0) {
    throw new UsageError(
      "Cannot ship to nowhere: give --to with the address of ClickHouse, such as http://127.0.0.1:8123",
    );
  }
}

function parseInterval(
  flag: string,
  text: string | undefined,
  usualMs: number,
  leastMs: number,
): number {
  const ms = text === undefined ? usualMs : parseDuration(flag, text);
  if (ms >= leastMs) return ms;
  throw new UsageError(`Cannot use --${flag} "${text}": give a time of at least ${leastMs}ms`);
}

function parseBatchSize(text: string): number {
  const bytes = parseSize("batch-size", text);
  if (bytes <= BYTES_MAX) return bytes;
  throw new UsageError(`Cannot use --batch-size "${text}": give at most ${BYTES_MAX / 1e6}M`);
}

function parseMetricsAddress(
  text: string | undefined,
  isPublic: boolean,
): ListenAddress | undefined {
  if (text === undefined) {
    if (!isPublic) return undefined;
    throw new UsageError(
      "Cannot use --metrics-public without --metrics: it says who may ask there",
    );
  }
  const address = parseListenAddress(text);
  if (address === undefined || address.kind === "systemd") {
    throw new UsageError(
      `Cannot use --metrics "${text}": give an address with its port such as 127.0.0.1:9465 or ` +
        "[::1]:9465, or unix:PATH",
    );
  }
  if (address.kind === "tcp" && !address.isLocal && !isPublic) {
    throw new UsageError(
      `Cannot use --metrics "${text}": other hosts reach that address; give --metrics-public too, ` +
        "or 127.0.0.1",
    );
  }
  return address;
}
