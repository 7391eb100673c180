/**
 * By what handshakes are counted together, and what each is called there.
 *
 * @module
 */
import type { Handshake } from "../../match/handshake.ts";
import type { RecordContext } from "../../record/record_context.ts";
import { shorten } from "../../text/shorten.ts";
import { formatAddress, formatEndpoint, isIpv4Mapped } from "../../wire/address.ts";
import { containerOfEnd } from "../whereabouts.ts";

/** By what handshakes can be counted together. */
export const GROUPINGS = ["server", "client", "process", "container", "cgroup", "reason"] as const;

/** One of {@link GROUPINGS}. */
export type Grouping = typeof GROUPINGS[number];

/** What knows containers and the paths of cgroups. */
export type GroupingContext = Pick<RecordContext, "cgroupPath" | "container">;

const NONE: readonly string[] = [];
/** As long as a path of the kernel; a record of others may have longer names, thousands are kept. */
const NAME_MAX = 4_096;

/** Texts of IPv4 addresses and of their ports, by both as one number. */
const addressTexts = new Map<number, string>();
const endpointTexts = new Map<number, string>();
/** Texts that are kept of each. */
const TEXTS_MAX = 4_096;

/** The server's address and port. */
export function serverName({ server }: Handshake): string {
  if (!isIpv4Mapped(server.address)) return formatEndpoint(server);
  const key = server.address[3] * 65_536 + server.port;
  return endpointTexts.get(key) ?? keep(endpointTexts, key, formatEndpoint(server));
}

/** The client's address. */
export function clientName({ client }: Handshake): string {
  if (!isIpv4Mapped(client.address)) return formatAddress(client.address);
  const key = client.address[3];
  return addressTexts.get(key) ?? keep(addressTexts, key, formatAddress(client.address));
}

/** Keeps a text: to make it, and to hash it where it is looked up, takes as long as to count a handshake. */
function keep(texts: Map<number, string>, key: number, text: string): string {
  if (texts.size >= TEXTS_MAX) texts.clear();
  texts.set(key, text);
  return text;
}

/**
 * The names under which a handshake counts, each once: none where that is not known of it, several
 * where it has a process at either end, or reasons for its end, a reset and a drop.
 *
 * @returns Untrusted text.
 */
export function namesOf(
  grouping: Grouping,
  handshake: Handshake,
  context: GroupingContext,
): readonly string[] {
  switch (grouping) {
    case "server":
      return [serverName(handshake)];
    case "client":
      return [clientName(handshake)];
    case "process":
      return different(handshake.client.process?.comm, handshake.server.process?.comm);
    case "container":
      return different(
        containerOfEnd(handshake.client, context) || undefined,
        containerOfEnd(handshake.server, context) || undefined,
      );
    case "cgroup":
      return different(
        cgroupOf(handshake.client.process?.cgroup, context),
        cgroupOf(handshake.server.process?.cgroup, context),
      );
    case "reason":
      return different(handshake.reason, handshake.resetReason, handshake.dropReason);
  }
}

/** The names of a handshake by every grouping; see {@link namesOf}. */
export type AllNames = Readonly<Record<Grouping, readonly string[]>>;

/** Finds all names of a handshake. */
export function allNamesOf(handshake: Handshake, context: GroupingContext): AllNames {
  return {
    server: namesOf("server", handshake, context),
    client: namesOf("client", handshake, context),
    process: namesOf("process", handshake, context),
    container: namesOf("container", handshake, context),
    cgroup: namesOf("cgroup", handshake, context),
    reason: namesOf("reason", handshake, context),
  };
}

function cgroupOf(id: number | undefined, context: GroupingContext): string | undefined {
  return id === undefined ? undefined : context.cgroupPath?.(id);
}

function different(one?: string, two?: string, three?: string): readonly string[] {
  if (one === undefined && two === undefined && three === undefined) return NONE;
  const names = one === undefined ? [] : [one];
  if (two !== undefined && two !== one) names.push(two);
  if (three !== undefined && three !== one && three !== two) names.push(three);
  for (let at = 0; at < names.length; at++) {
    if (names[at].length > NAME_MAX) names[at] = shorten(names[at], NAME_MAX);
  }
  return names;
}
