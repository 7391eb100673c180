import type { Process } from "../kernel/kernel_record.ts";
import type { Handshake, Outcome, Role } from "../match/handshake.ts";
import { type Leg, legNs } from "../match/legs.ts";
import type { RecordContext } from "../record/record_context.ts";
import type { Moment } from "../text/time.ts";
import { isIpv4Mapped } from "../wire/address.ts";

/** A network: the addresses whose first bits are those of `words`. */
export interface Network {
  /** Four words, IPv4 as IPv4-mapped. */
  words: Uint32Array;
  /** Bits that count, of 128. */
  bits: number;
}

/** Ports from one to another, both included. */
export interface PortRange {
  /** The lowest. */
  first: number;
  /** The highest. */
  last: number;
}

/**
 * Which handshakes to report: all parts must fit. An absent part lets all pass; of several values of one
 * part, one must fit, and of a part that begins with `not`, none may. What is unknown fits no value.
 */
export interface HandshakeFilter {
  /** Either end's port. */
  ports?: readonly PortRange[];
  /** Neither end's port. */
  notPorts?: readonly PortRange[];
  /** The server's port. */
  serverPorts?: readonly PortRange[];
  /** Either end's address. */
  networks?: readonly Network[];
  /** Neither end's address. */
  notNetworks?: readonly Network[];
  /** Whether packets of it must have been seen: one that only the kernel saw then does not fit. */
  captured?: boolean;
  /** What this host is in it. */
  roles?: readonly Role[];
  /** How it ended. */
  outcomes?: readonly Outcome[];
  /** Why it ended so, was dropped or reset: symbols. */
  reasons?: readonly string[];
  /** A leg that took longer than so many nanoseconds. */
  slowerThan?: { leg: Leg; ns: number };
  /** Names of either end's process, or of its thread. */
  comms?: readonly string[];
  /** Names of neither end's process or thread. */
  notComms?: readonly string[];
  /** Either end's process. */
  pids?: readonly number[];
  /** The user of either end's process. */
  uids?: readonly number[];
  /** Paths of cgroups without a slash at their end: either end's process is in it or below it. */
  cgroups?: readonly string[];
  /** Containers of either end's process: whole names, or the first digits of ids. */
  containers?: readonly string[];
  /** Containers of neither end's process. */
  notContainers?: readonly string[];
  /** Either end's process, by what else is known of it. */
  isMeant?(process: Process, cgroupPath: string | undefined): boolean;
  /** Begun at this moment or later. */
  since?: Moment;
  /** Begun before this moment. */
  until?: Moment;
  /** Names of the hosts that traced it. */
  tracedOn?: readonly string[];
  /** One of so many: see {@link isSampled}. */
  sample?: number;
}

/** What of a record's context a filter asks for. */
export type FilterContext = Pick<RecordContext, "host" | "cgroupPath" | "container">;

/** Length of the prefix ::ffff:0:0/96 before an IPv4 address (RFC 4291 section 2.5.5.2). */
const IPV4_MAPPED_BITS = 96;

/**
 * Tells whether a handshake is to be reported.
 *
 * @param context What its record says beyond it.
 */
export function passes(
  filter: HandshakeFilter,
  handshake: Handshake,
  context: FilterContext,
): boolean {
  return fits(filter, handshake, context) && fitsEnds(filter, handshake) &&
    (!asksOfProcesses(filter) || fitsProcesses(filter, handshake, context));
}

/** Paths of the fields of a record that each part of a filter reads, and of levels all of whose fields it does. */
const READ_BY_PART: Readonly<Record<keyof HandshakeFilter, readonly string[]>> = {
  ports: ["client.port", "server.port"],
  notPorts: ["client.port", "server.port"],
  serverPorts: ["server.port"],
  networks: ["client.address", "server.address"],
  notNetworks: ["client.address", "server.address"],
  captured: ["evidence"],
  roles: ["role"],
  outcomes: ["outcome"],
  reasons: ["reason", "drop.reason", "reset.reason"],
  slowerThan: ["role", "rtt.client_ns", "rtt.server_ns", "rtt.total_ns"],
  comms: ["client.process", "server.process"],
  notComms: ["client.process", "server.process"],
  pids: ["client.process", "server.process"],
  uids: ["client.process", "server.process"],
  cgroups: ["client.process", "server.process"],
  containers: ["client.process", "server.process"],
  notContainers: ["client.process", "server.process"],
  isMeant: ["client.process", "server.process"],
  since: ["time"],
  until: ["time"],
  tracedOn: ["host"],
  sample: ["client.isn"],
};

/** The same of a filter; undefined: it has no part. */
export function readByFilter(filter: HandshakeFilter): readonly string[] | undefined {
  const parts = (Object.keys(READ_BY_PART) as (keyof HandshakeFilter)[])
    .filter((part) => filter[part] !== undefined);
  return parts.length === 0 ? undefined : parts.flatMap((part) => READ_BY_PART[part]);
}

function fits(filter: HandshakeFilter, handshake: Handshake, { host }: FilterContext): boolean {
  const { captured, roles, outcomes, reasons, slowerThan, since, until, tracedOn, sample } = filter;
  if (sample && !isSampled(handshake.client.isn, sample)) return false;
  if (captured && !handshake.wire) return false;
  if (roles && !roles.includes(handshake.role)) return false;
  if (outcomes && !outcomes.includes(handshake.outcome)) return false;
  if (reasons && !hasReason(handshake, reasons)) return false;
  if (slowerThan && !((legNs(handshake, slowerThan.leg) ?? -1) > slowerThan.ns)) return false;
  if (since && isBefore(handshake, since)) return false;
  if (until && !isBefore(handshake, until)) return false;
  return !tracedOn || tracedOn.includes(host);
}

/**
 * Whether a handshake is one of those that a sample keeps: by the client's initial sequence number, so
 * that both ends keep the same ones. What failed before a SYN has none, and is kept.
 *
 * @param oneOf Of how many one is kept.
 */
export function isSampled(clientIsn: number | undefined, oneOf: number): boolean {
  if (clientIsn === undefined) return true;
  // Numbers of one client in a row differ little: mixed, every bit counts (the finalizer of MurmurHash3).
  let mixed = clientIsn;
  mixed = Math.imul(mixed ^ mixed >>> 16, 0x85ebca6b);
  mixed = Math.imul(mixed ^ mixed >>> 13, 0xc2b2ae35);
  return (mixed ^ mixed >>> 16) >>> 0 < 2 ** 32 / oneOf;
}

function fitsEnds(filter: HandshakeFilter, { client, server }: Handshake): boolean {
  const { ports, notPorts, serverPorts, networks, notNetworks } = filter;
  if (ports && !isWithin(client.port, ports) && !isWithin(server.port, ports)) return false;
  if (serverPorts && !isWithin(server.port, serverPorts)) return false;
  if (notPorts && (isWithin(client.port, notPorts) || isWithin(server.port, notPorts))) {
    return false;
  }
  if (networks && !isIn(client.address, networks) && !isIn(server.address, networks)) return false;
  return !notNetworks || !isIn(client.address, notNetworks) && !isIn(server.address, notNetworks);
}

/** Asked first, for to ask a process takes functions that are made for each handshake. */
function asksOfProcesses(filter: HandshakeFilter): boolean {
  const { isMeant, comms, notComms, pids, uids, cgroups, containers, notContainers } = filter;
  return (isMeant ?? comms ?? notComms ?? pids ?? uids ?? cgroups ?? containers ??
    notContainers) !== undefined;
}

function fitsProcesses(
  filter: HandshakeFilter,
  handshake: Handshake,
  context: FilterContext,
): boolean {
  const { comms, notComms, pids, uids, cgroups, containers, notContainers } = filter;
  if (filter.isMeant && !hasProcess(handshake, (it) => filter.isMeant!(it, pathOf(it, context)))) {
    return false;
  }
  if (comms && !hasProcess(handshake, (it) => isCalled(it, comms))) return false;
  if (notComms && hasProcess(handshake, (it) => isCalled(it, notComms))) return false;
  if (pids && !hasProcess(handshake, ({ pid }) => pids.includes(pid))) return false;
  if (uids && !hasProcess(handshake, ({ uid }) => uids.includes(uid))) return false;
  if (cgroups && !hasProcess(handshake, (it) => isBelow(pathOf(it, context), cgroups))) {
    return false;
  }
  const isIn = (wanted: readonly string[]) =>
    hasProcess(handshake, ({ cgroup }) => isContained(cgroup, wanted, context));
  return (!containers || isIn(containers)) && (!notContainers || !isIn(notContainers));
}

/** Whether a process at either end is such a one. */
function hasProcess(
  { client, server }: Handshake,
  isSuch: (process: Process) => boolean,
): boolean {
  return client.process !== undefined && isSuch(client.process) ||
    server.process !== undefined && isSuch(server.process);
}

/** By any of the symbols that a record has: of the handshake, of its reset and of its drop. */
function hasReason(
  { reason, resetReason, dropReason }: Handshake,
  wanted: readonly string[],
): boolean {
  return [reason, resetReason, dropReason].some((each) =>
    each !== undefined && wanted.includes(each)
  );
}

function isBefore({ epochSeconds, timeNs }: Handshake, { seconds, ns }: Moment): boolean {
  const wholeSeconds = epochSeconds + Math.floor(timeNs / 1e9);
  if (wholeSeconds !== seconds) return wholeSeconds < seconds;
  return timeNs - Math.floor(timeNs / 1e9) * 1e9 < ns;
}

/** A thread with a name of its own is found by it, and by that of its process. */
function isCalled({ comm, thread }: Process, comms: readonly string[]): boolean {
  return comms.includes(comm) || thread?.comm !== undefined && comms.includes(thread.comm);
}

/** Not by `some`, whose function would be made for each handshake. */
function isWithin(port: number, ranges: readonly PortRange[]): boolean {
  for (const { first, last } of ranges) if (first <= port && port <= last) return true;
  return false;
}

function pathOf({ cgroup }: Process, context: FilterContext): string | undefined {
  return cgroup === undefined ? undefined : context.cgroupPath?.(cgroup);
}

function isBelow(own: string | undefined, paths: readonly string[]): boolean {
  return own !== undefined && paths.some((path) => own === path || own.startsWith(`${path}/`));
}

/** The first digits of an id, as many as nobody gives a name by chance. */
export const CONTAINER_ID_PREFIX = /^[0-9a-f]{4,64}$/;

function isContained(
  cgroup: number | undefined,
  wanted: readonly string[],
  context: FilterContext,
): boolean {
  const container = cgroup === undefined ? undefined : context.container?.(cgroup);
  if (container === undefined) return false;
  const { id, name } = container;
  return wanted.some((each) =>
    each === name || CONTAINER_ID_PREFIX.test(each) && id?.startsWith(each)
  );
}

function isIn(address: Uint32Array, networks: readonly Network[]): boolean {
  return networks.some((network) => contains(network, address));
}

/** Tells whether a network has an address, four words. */
export function contains({ words, bits }: Network, address: Uint32Array): boolean {
  // Every IPv4 network has more: `::/0` means IPv6, not how an IPv4 address is written down here.
  if (bits < IPV4_MAPPED_BITS && isIpv4Mapped(address)) return false;
  for (let word = 0; word < 4; word++) {
    const bitsHere = Math.min(32, Math.max(0, bits - word * 32));
    if (bitsHere === 0) return true;
    if (((words[word] ^ address[word]) >>> (32 - bitsHere)) !== 0) return false;
  }
  return true;
}
