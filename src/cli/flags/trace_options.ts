import { MECHANISMS } from "../../kernel/choose_probes.ts";
import type { HandshakeFilter } from "../../pipeline/filter.ts";
import { adviseOperands } from "./advice.ts";
import {
  EXIT_STATUS_FLAG,
  FILTER_FLAGS,
  FILTERS_BY_PROCESS,
  FILTERS_OF_FILES,
  formatFilter,
  parseFilter,
} from "./filter_options.ts";
import { type Flag, type ParsedFlags, parseFlags } from "./flags.ts";
import {
  FORMAT_FLAGS,
  type FormatOptions,
  parseFormat,
  parseStatusInterval,
} from "./format_options.ts";
import {
  formatTo,
  OUTPUT_FLAGS,
  type OutputOptions,
  parseOutput,
  STANDARD_OUTPUT,
  STORE_FLAGS,
} from "./output_options.ts";
import {
  ANONYMIZE_FLAGS,
  type AnonymizeOptions,
  hideValues,
  parseAnonymize,
} from "./anonymize_options.ts";
import { metricsFlags, type MetricsOptions, parseMetrics } from "./metrics_options.ts";
import { PAGE_FLAGS, type PageOptions, parsePage } from "./page_options.ts";
import { UsageError } from "../usage.ts";
import { parseChoice, parseDuration, parseInteger, UNBOUNDED } from "./values.ts";

const PROBES = ["auto", ...MECHANISMS, "none"] as const;
const PACKET_FILTERS = ["auto", "ebpf", "classic"] as const;

/** The flags of `trace`. */
export const TRACE_FLAGS: readonly Flag[] = [
  {
    name: "interface",
    value: "NAME",
    many: true,
    completes: "interface",
    meaning: "capture on this interface only, and report only what was seen there",
  },
  {
    name: "interface-wait",
    meaning: "wait for an interface that is not there yet, instead of refusing",
  },
  {
    name: "netns",
    value: "NAME|PID|all",
    many: true,
    completes: "netns",
    meaning: "capture in these network namespaces too: by name, of a process, or all",
  },
  { name: "count", value: "N", meaning: "end after N handshakes" },
  {
    name: "duration",
    value: "TIME",
    meaning: "end after 10s, 500ms, 2m or 1h, counted from when every source is ready",
  },
  ...FILTER_FLAGS.filter(({ name }) => !FILTERS_OF_FILES.includes(name)),
  ...FORMAT_FLAGS,
  ...OUTPUT_FLAGS,
  ...STORE_FLAGS,
  ...PAGE_FLAGS,
  ...ANONYMIZE_FLAGS,
  ...metricsFlags("metrics"),
  {
    name: "status-interval",
    value: "TIME",
    meaning: "a status line among NDJSON so often (default 60s; 0 or off: none)",
  },
  {
    name: "probes",
    value: "KIND",
    completes: PROBES,
    meaning: `kernel events by ${PROBES.join(", ")} (default auto: the first that works)`,
  },
  {
    name: "packet-filter",
    value: "KIND",
    completes: PACKET_FILTERS,
    meaning: `socket filter: ${PACKET_FILTERS.join(", ")} (default auto: eBPF, else classic)`,
  },
  {
    name: "config",
    value: "FILE",
    completes: "config",
    meaning: "take flags from FILE too; those given here win",
  },
  EXIT_STATUS_FLAG,
  { name: "help", meaning: "show this" },
];

/** The flags that say what of this host to trace and how. */
export const HOST_FLAGS: readonly string[] = [
  "interface-wait",
  "netns",
  "duration",
  "probes",
  "packet-filter",
];

/** What of this host to trace, and how. */
export interface HostOptions {
  /** Names of the interfaces to capture on; none: all. */
  interfaces: readonly string[];
  /** Whether an interface that is not there yet is waited for. */
  awaitsInterfaces: boolean;
  /** Network namespaces to capture in beside the own one; see `NamespaceWatch`. */
  namespaces: readonly string[];
  /** Milliseconds; Infinity: until it is ended. */
  durationMs: number;
  probes: typeof PROBES[number];
  packetFilter: typeof PACKET_FILTERS[number];
}

/** What `trace` was asked to do. */
export interface TraceOptions extends HostOptions, OutputOptions, PageOptions, AnonymizeOptions {
  help: boolean;
  filter: HandshakeFilter;
  /** The flags that say what is reported, each as it was given. */
  filterTexts: readonly string[];
  format: FormatOptions;
  /** How often a status line is written, milliseconds; undefined: never. */
  statusIntervalMs: number | undefined;
  count: number;
  /** Who gets metrics; undefined: nobody. */
  metrics: MetricsOptions | undefined;
  /** The command to run and its arguments, of whose handshakes alone is reported; undefined: none. */
  command: readonly string[] | undefined;
  /** Whether handshakes go to standard error: standard output is the command's. */
  toStandardError: boolean;
  /** Whether the exit status tells that nothing matched. */
  exitStatus: boolean;
}

/**
 * Reads the command line of `trace`.
 *
 * @throws {UsageError} One line for the user.
 */
export function parseTraceOptions(args: readonly string[]): TraceOptions {
  const parsed = parseFlags(args, TRACE_FLAGS, true);
  const { switches, values, operands, command } = parsed;
  if (operands.length > 0) {
    throw new UsageError(
      `Cannot use "${operands[0]}": ${adviseOperands("trace", operands, TRACE_FLAGS, true)}`,
    );
  }
  refuseWithCommand(parsed);
  const count = values.get("count")?.map((text) => parseInteger("count", text, 1, UNBOUNDED))[0];
  const anonymizing = parseAnonymize(parsed);
  const filterTexts = [
    ...formatFilter(parsed, ["interface"]),
    // Its arguments may hold what is not to be read later.
    ...command ? [`-- ${command[0]}`] : [],
  ];
  return {
    help: switches.has("help"),
    filter: parseFilter(parsed),
    filterTexts: anonymizing.anonymize ? hideValues(filterTexts) : filterTexts,
    ...anonymizing,
    ...parseHost(parsed),
    statusIntervalMs: parseStatusInterval(parsed),
    format: formatTo(parseFormat(parsed), parsed),
    count: count ?? Infinity,
    metrics: parseMetrics(parsed, "metrics"),
    command,
    toStandardError: command !== undefined && values.get("output")?.[0] !== STANDARD_OUTPUT,
    exitStatus: switches.has(EXIT_STATUS_FLAG.name),
    ...parseOutput(parsed),
    ...parsePage(parsed),
  };
}

/** Flags that contradict a command to run, and why. */
const NOT_WITH_COMMAND: readonly (readonly [flag: string, why: string])[] = [
  [EXIT_STATUS_FLAG.name, "the exit status is the command's"],
  ["cgroup", "the command has a cgroup of its own"],
];

/**
 * Refuses what makes no sense together with a command to run.
 *
 * @throws {UsageError} One line for the user.
 */
export function refuseWithCommand({ switches, values, command }: ParsedFlags): void {
  if (command === undefined) return;
  const found = NOT_WITH_COMMAND.find(([flag]) => switches.has(flag) || values.has(flag));
  if (found !== undefined) {
    throw new UsageError(`Cannot use --${found[0]} with a command: ${found[1]}`);
  }
  if (values.get("probes")?.[0] === "none") {
    throw new UsageError(
      "Cannot use --probes none with a command: packets do not tell whose a handshake is",
    );
  }
}

/**
 * Reads the flags that say what of this host to trace and how: `interface` and {@link HOST_FLAGS}.
 *
 * @throws {UsageError} One line for the user.
 */
export function parseHost({ switches, values }: ParsedFlags): HostOptions {
  const one = <T>(flag: string, parse: (flag: string, text: string) => T): T | undefined =>
    values.get(flag)?.map((text) => parse(flag, text))[0];
  const probes = one("probes", (flag, text) => parseChoice(flag, text, PROBES)) ?? "auto";
  const byProcess = FILTERS_BY_PROCESS.find((flag) => values.has(flag));
  if (probes === "none" && byProcess !== undefined) {
    throw new UsageError(
      `Cannot use --${byProcess} with --probes none: packets do not tell processes`,
    );
  }
  const awaitsInterfaces = switches.has("interface-wait");
  if (awaitsInterfaces && !values.has("interface")) {
    throw new UsageError(
      "Cannot use --interface-wait without --interface: it waits for that one; give both",
    );
  }
  return {
    interfaces: values.get("interface") ?? [],
    awaitsInterfaces,
    namespaces: values.get("netns") ?? [],
    durationMs: one("duration", parseDuration) ?? Infinity,
    probes,
    packetFilter: one("packet-filter", (flag, text) => parseChoice(flag, text, PACKET_FILTERS)) ??
      "auto",
  };
}
