/**
 * Filters that nothing can pass: what is refused is what contradicts itself, not what nothing matches
 * today.
 *
 * @module
 */
import { type Outcome, OUTCOMES } from "../../match/handshake.ts";
import {
  contains,
  type HandshakeFilter,
  type Network,
  type PortRange,
} from "../../pipeline/filter.ts";
import type { Moment } from "../../text/time.ts";
import type { ParsedFlags } from "./flags.ts";
import { UsageError } from "../usage.ts";
import { parseNetwork, PORT_MAX } from "./values.ts";

const EVERY_PORT: readonly PortRange[] = [{ first: 1, last: PORT_MAX }];
const EVERY_NETWORK = ["0.0.0.0/0", "::/0"];

/**
 * Refuses a filter that contradicts itself.
 *
 * @throws {UsageError} One line that names the flags.
 */
export function refuseContradictions(flags: ParsedFlags, filter: HandshakeFilter): void {
  const { ports, serverPorts, notPorts, networks, notNetworks, comms, notComms } = filter;
  const { containers, notContainers } = filter;
  const refuse = (isRefused: boolean | undefined, names: readonly string[], why: string) => {
    if (isRefused) throw new UsageError(`Cannot use ${quote(flags, names)}: ${why}`);
  };
  refuse(filter.outcomes?.length === 0, ["failed", "outcome", "not-outcome"], "no outcome is left");
  if (notPorts) {
    const none = "no port is left";
    refuse(areCovered(ports ?? EVERY_PORT, notPorts), ["port", "not-port"], none);
    refuse(serverPorts && areCovered(serverPorts, notPorts), ["server-port", "not-port"], none);
  }
  if (notNetworks) {
    const isLeft = (network: Network) =>
      !notNetworks.some((other) => other.bits <= network.bits && contains(other, network.words));
    const asked = networks ?? EVERY_NETWORK.map((text) => parseNetwork("host", text));
    const isNone = !asked.some(isLeft);
    refuse(isNone, ["host", "not-host"], "no address is left");
  }
  refuse(
    notComms && comms?.every((comm) => notComms.includes(comm)),
    ["comm", "not-comm"],
    "no name is left",
  );
  refuse(
    notContainers && containers?.every((container) => notContainers.includes(container)),
    ["container", "not-container"],
    "no container is left",
  );
  const { since, until } = filter;
  refuse(
    since && until && !isBefore(since, until),
    ["since", "until"],
    "nothing begins in between; the earlier one is --since",
  );
}

/** The outcomes that are left by all flags about them; undefined where there is none. */
export function outcomesLeft(
  failed: boolean,
  wanted: readonly Outcome[] | undefined,
  unwanted: readonly Outcome[] | undefined,
): Outcome[] | undefined {
  if (!failed && !wanted && !unwanted) return undefined;
  return OUTCOMES.filter((outcome) =>
    !(failed && outcome === "established") && (wanted?.includes(outcome) ?? true) &&
    !unwanted?.includes(outcome)
  );
}

/** Whether every port of some ranges is in others. */
function areCovered(ranges: readonly PortRange[], by: readonly PortRange[]): boolean {
  const inOrder = by.toSorted((one, other) => one.first - other.first);
  return ranges.every(({ first, last }) => {
    let next = first;
    for (const range of inOrder) if (range.first <= next) next = Math.max(next, range.last + 1);
    return next > last;
  });
}

/** The flags that were given, with their values: `--failed with --outcome "established"`. */
function quote({ switches, values }: ParsedFlags, names: readonly string[]): string {
  return names.filter((name) => switches.has(name) || values.has(name))
    .map((name) => values.has(name) ? `--${name} "${values.get(name)!.join(",")}"` : `--${name}`)
    .join(" with ");
}

function isBefore(one: Moment, other: Moment): boolean {
  return one.seconds < other.seconds || one.seconds === other.seconds && one.ns < other.ns;
}
