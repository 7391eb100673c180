/**
 * The flags that say which handshakes to report, for the commands that have them.
 *
 * @module
 */
import { OUTCOMES, ROLES } from "../match/handshake.ts";
import type { HandshakeFilter } from "../pipeline/filter.ts";
import type { Flag, ParsedFlags } from "./flags.ts";
import type { Moment } from "../text/time.ts";
import { UsageError } from "./usage.ts";
import { parseChoice, parseInteger, parseMoment, parseNetwork } from "./values.ts";

/** The flags, for a command to choose from. */
export const FILTER_FLAG = {
  port: {
    name: "port",
    value: "PORT",
    many: true,
    meaning: "only handshakes with this port at either end",
  },
  host: {
    name: "host",
    value: "ADDRESS[/BITS]",
    many: true,
    meaning: "only with this address or network at either end",
  },
  role: {
    name: "role",
    value: "ROLE",
    many: true,
    meaning: `only with this host as ${ROLES.join(", ")}`,
  },
  outcome: {
    name: "outcome",
    value: "OUTCOME",
    many: true,
    meaning: `only ${OUTCOMES.join(", ")}`,
  },
  comm: {
    name: "comm",
    value: "NAME",
    many: true,
    meaning: "only with this command name at either end",
  },
  pid: {
    name: "pid",
    value: "PID",
    many: true,
    meaning: "only with this process at either end",
  },
  since: {
    name: "since",
    value: "TIME",
    meaning: "only what began then or later: 2026-11-23T01:02:03Z, or 1h for an hour ago",
  },
  until: {
    name: "until",
    value: "TIME",
    meaning: "only what began before then",
  },
  tracedOn: {
    name: "traced-on",
    value: "NAME",
    many: true,
    meaning: "only records that the host of this name traced",
  },
} as const satisfies Record<string, Flag>;

/** The flags of a filter, and of `more`, as they were given: `--port 80,443`. */
export function formatFilter({ values }: ParsedFlags, more: readonly string[] = []): string[] {
  const names = [...Object.values(FILTER_FLAG).map(({ name }) => name), ...more];
  return names.filter((name) => values.has(name))
    .map((name) => `--${name} ${values.get(name)!.join(",")}`);
}

const PORT_MAX = 65_535;
/** PID_MAX_LIMIT of 64-bit kernels (linux/threads.h). */
const PID_MAX = 4_194_304;

/**
 * Reads the values of {@linkcode FILTER_FLAG}; a flag that a command does not have lets all pass.
 *
 * @param nowMs Now, milliseconds of Unix time.
 * @throws {UsageError} One line for the user.
 */
export function parseFilter({ values }: ParsedFlags, nowMs: number = Date.now()): HandshakeFilter {
  const all = <T>(flag: string, parse: (flag: string, text: string) => T): T[] | undefined =>
    values.get(flag)?.map((text) => parse(flag, text));
  const moment = (flag: string) => all(flag, (flag, text) => parseMoment(flag, text, nowMs))?.[0];
  const [since, until] = [moment("since"), moment("until")];
  if (since && until && !isBefore(since, until)) {
    throw new UsageError(
      `Cannot use --since "${values.get("since")}" with --until "${values.get("until")}": ` +
        "nothing begins in between; the earlier one is --since",
    );
  }
  return {
    ports: all("port", (flag, text) => parseInteger(flag, text, 1, PORT_MAX)),
    networks: all("host", parseNetwork),
    roles: all("role", (flag, text) => parseChoice(flag, text, ROLES)),
    outcomes: all("outcome", (flag, text) => parseChoice(flag, text, OUTCOMES)),
    comms: values.get("comm"),
    pids: all("pid", (flag, text) => parseInteger(flag, text, 1, PID_MAX)),
    since,
    until,
    tracedOn: values.get("traced-on"),
  };
}

function isBefore(one: Moment, other: Moment): boolean {
  return one.seconds < other.seconds || one.seconds === other.seconds && one.ns < other.ns;
}
