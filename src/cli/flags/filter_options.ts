/**
 * The flags that say which handshakes to report: the same for every command that has them. What they
 * mean together stands in README.md beside this file, under "Filters".
 *
 * @module
 */
import { OUTCOMES, ROLES } from "../../match/handshake.ts";
import { LEGS } from "../../match/legs.ts";
import type { HandshakeFilter } from "../../pipeline/filter.ts";
import { outcomesLeft, refuseContradictions } from "./contradictions.ts";
import type { Flag, ParsedFlags } from "./flags.ts";
import { uidOf } from "../process/users.ts";
import { UsageError } from "../usage.ts";
import {
  parseCgroup,
  parseChoice,
  parseInteger,
  parseLatency,
  parseMoment,
  parseNetwork,
  parsePorts,
  parseSample,
  parseSymbol,
  parseUser,
} from "./values.ts";

/** Those that only make sense of files: what happens on this host happens now and here. */
export const FILTERS_OF_FILES: readonly string[] = ["since", "until", "traced-on"];

/** Those that need to know processes, which packets do not tell. */
export const FILTERS_BY_PROCESS: readonly string[] = [
  ...["comm", "not-comm", "pid", "user", "cgroup", "container", "not-container"],
];

/** Symbols that are met often; there are more, and each kernel has its own. */
const REASONS_OFTEN: readonly string[] = [
  ...["ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"],
  ...["ICMP_HOST_UNREACH", "ICMP_NET_UNREACH", "ICMP_PKT_FILTERED", "ICMP_PORT_UNREACH"],
  ...["ACCEPT_QUEUE_FULL", "NETFILTER_DROP", "NO_SOCKET"],
];

/** The flags that say which handshakes pass, of every command that tells some. */
export const FILTER_FLAGS: readonly Flag[] = [
  {
    name: "port",
    value: "PORT",
    many: true,
    meaning: "only handshakes with this port at either end, or one of a range: 8000-8999",
  },
  { name: "not-port", value: "PORT", many: true, meaning: "none with it at either end" },
  { name: "server-port", value: "PORT", many: true, meaning: "only with it at the server" },
  {
    name: "host",
    value: "ADDRESS[/BITS]",
    many: true,
    meaning: "only with this address or network at either end",
  },
  { name: "not-host", value: "ADDRESS[/BITS]", many: true, meaning: "none with it at either end" },
  {
    name: "role",
    value: "ROLE",
    many: true,
    completes: ROLES,
    meaning: `only with this host as ${ROLES.join(", ")}`,
  },
  { name: "failed", meaning: "only what did not become established" },
  {
    name: "outcome",
    value: "OUTCOME",
    many: true,
    completes: OUTCOMES,
    meaning: `only ${OUTCOMES.join(", ")}`,
  },
  {
    name: "not-outcome",
    value: "OUTCOME",
    many: true,
    completes: OUTCOMES,
    meaning: "none that ended so",
  },
  {
    name: "reason",
    value: "SYMBOL",
    many: true,
    completes: REASONS_OFTEN,
    meaning: "only what failed, was dropped or reset for this: ECONNREFUSED, ACCEPT_QUEUE_FULL",
  },
  {
    name: "slower-than",
    value: "TIME",
    meaning: "only with a longer round trip through the network: 10ms, 500us",
  },
  {
    name: "leg",
    value: "LEG",
    completes: LEGS,
    meaning: `what --slower-than is about: ${LEGS.join(", ")} (default network)`,
  },
  {
    name: "comm",
    value: "NAME",
    many: true,
    meaning: "only with this command name at either end",
  },
  { name: "not-comm", value: "NAME", many: true, meaning: "none with it at either end" },
  {
    name: "pid",
    value: "PID",
    many: true,
    meaning: "only with this process at either end",
  },
  {
    name: "user",
    value: "NAME|UID",
    many: true,
    completes: "user",
    meaning: "only with a process of this user at either end",
  },
  {
    name: "cgroup",
    value: "PATH",
    many: true,
    meaning: "only with a process at either end that is in this cgroup or below it",
  },
  {
    name: "container",
    value: "NAME|ID",
    many: true,
    meaning:
      "only with a process at either end in the container of this name, or whose id begins so " +
      "(4 digits or more)",
  },
  {
    name: "not-container",
    value: "NAME|ID",
    many: true,
    meaning: "none with a process in it at either end",
  },
  {
    name: "sample",
    value: "1/N",
    completes: ["1/10", "1/100", "1/1000"],
    meaning:
      "only one of N, chosen by the client's initial sequence number: both ends keep the same",
  },
  {
    name: "since",
    value: "TIME",
    meaning: "only what began then or later: 2026-11-23T01:02:03Z, or 1h for an hour ago",
  },
  {
    name: "until",
    value: "TIME",
    meaning: "only what began before then",
  },
  {
    name: "traced-on",
    value: "NAME",
    many: true,
    meaning: "only records that the host of this name traced",
  },
];

/** How the flags are read, for the help. */
export const FILTERS_HELP =
  "Of several values of one flag that filters, repeated or separated by commas, one must fit; of " +
  "several flags each must, and --not-... beats the others. What is unknown fits no value.";

/** The flag that tells by the exit status that nothing matched. */
export const EXIT_STATUS_FLAG: Flag = {
  name: "exit-status",
  meaning: "exit with 4 where nothing matched",
};

/** The flags of a filter, and of `more`, as they were given: `--port 80,443`, `--failed`. */
export function formatFilter(
  { switches, values }: ParsedFlags,
  more: readonly string[] = [],
): string[] {
  return [...FILTER_FLAGS.map(({ name }) => name), ...more].flatMap((name) => {
    if (switches.has(name)) return [`--${name}`];
    return values.has(name) ? [`--${name} ${values.get(name)!.join(",")}`] : [];
  });
}

/** What may be typed for everything that is not established. */
const FAILURE_WORDS: readonly string[] = ["fail", "failed", "failure", "error", "errors"];
/** What may be typed for established. */
const SUCCESS_WORDS: readonly string[] = ["success", "succeeded", "ok", "connected", "complete"];

/** PID_MAX_LIMIT of 64-bit kernels (linux/threads.h). */
const PID_MAX = 4_194_304;

/** Reads a process id. */
function parsePid(flag: string, text: string): number {
  if (/^[a-z]/i.test(text)) {
    throw new UsageError(
      `Cannot use --${flag} "${text}": give a process id; by name it is --comm ${text}`,
    );
  }
  return parseInteger(flag, text, 1, PID_MAX);
}

/** TASK_COMM_LEN without the byte that ends it (linux/sched.h). */
const COMM_MAX = 15;

/** Reads a command name: of a longer one the kernel keeps only the start. */
function parseComm(flag: string, text: string): string {
  if (text.length <= COMM_MAX) return text;
  throw new UsageError(
    `Cannot use --${flag} "${text}": the kernel keeps ${COMM_MAX} bytes of a name; give ` +
      `--${flag} ${text.slice(0, COMM_MAX)}`,
  );
}

/** What the values of some flags are read by. */
export interface FilterGround {
  /** Now, milliseconds of Unix time. */
  nowMs: number;
  /** Finds the id of a user; undefined where nobody has the name. */
  uidOf(name: string): number | undefined;
}

/**
 * Reads the values of {@linkcode FILTER_FLAGS}; a flag that a command does not have lets all pass.
 *
 * @throws {UsageError} One line for the user, also for a filter that contradicts itself.
 */
export function parseFilter(
  parsed: ParsedFlags,
  ground: FilterGround = { nowMs: Date.now(), uidOf },
): HandshakeFilter {
  const { switches, values } = parsed;
  const all = <T>(flag: string, parse: (flag: string, text: string) => T): T[] | undefined =>
    values.get(flag)?.map((text) => parse(flag, text));
  const one = <T>(flag: string, parse: (flag: string, text: string) => T): T | undefined =>
    all(flag, parse)?.[0];
  const moment = (flag: string, text: string) => parseMoment(flag, text, ground.nowMs);
  const outcome = (flag: string, text: string) => {
    if (SUCCESS_WORDS.includes(text)) {
      throw new UsageError(`Cannot use --${flag} "${text}": did you mean established?`);
    }
    if (!FAILURE_WORDS.includes(text)) return parseChoice(flag, text, OUTCOMES);
    throw new UsageError(
      `Cannot use --${flag} "${text}": give --failed, or one of ${OUTCOMES.slice(1).join(", ")}`,
    );
  };
  const leg = one("leg", (flag, text) => parseChoice(flag, text, LEGS));
  const slowerThanNs = one("slower-than", parseLatency);
  if (leg !== undefined && slowerThanNs === undefined) {
    throw new UsageError(
      "Cannot use --leg without --slower-than: it says which duration that is about; give both",
    );
  }
  const filter: HandshakeFilter = {
    ports: all("port", parsePorts),
    notPorts: all("not-port", parsePorts),
    serverPorts: all("server-port", parsePorts),
    networks: all("host", parseNetwork),
    notNetworks: all("not-host", parseNetwork),
    roles: all("role", (flag, text) => parseChoice(flag, text, ROLES)),
    outcomes: outcomesLeft(
      switches.has("failed"),
      all("outcome", outcome),
      all("not-outcome", outcome),
    ),
    reasons: all("reason", parseSymbol),
    slowerThan: slowerThanNs === undefined
      ? undefined
      : { leg: leg ?? "network", ns: slowerThanNs },
    comms: all("comm", parseComm),
    notComms: all("not-comm", parseComm),
    pids: all("pid", parsePid),
    // Of a name that nobody has, there is no id: where all are such, nothing passes.
    uids: all("user", (flag, text) => parseUser(flag, text, ground.uidOf))
      ?.filter((uid) => uid !== undefined),
    cgroups: all("cgroup", parseCgroup),
    containers: values.get("container"),
    notContainers: values.get("not-container"),
    since: one("since", moment),
    until: one("until", moment),
    tracedOn: values.get("traced-on"),
    sample: one("sample", parseSample),
  };
  refuseContradictions(parsed, filter);
  return filter;
}
