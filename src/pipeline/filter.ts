import type { Process } from "../kernel/kernel_record.ts";
import type { Handshake, Outcome, Role } from "../match/handshake.ts";
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

/** Which handshakes to report. An absent part lets all pass; of several values one must fit. */
export interface HandshakeFilter {
  /** Either end's port. */
  ports?: readonly number[];
  /** Either end's address. */
  networks?: readonly Network[];
  /** Whether packets of it must have been seen: one that only the kernel saw then does not fit. */
  captured?: boolean;
  /** What this host is in it. */
  roles?: readonly Role[];
  /** How it ended. */
  outcomes?: readonly Outcome[];
  /** Names of either end's process, or of its thread. */
  comms?: readonly string[];
  /** Either end's process. */
  pids?: readonly number[];
  /** Begun at this moment or later. */
  since?: Moment;
  /** Begun before this moment. */
  until?: Moment;
  /** Names of the hosts that traced it. */
  tracedOn?: readonly string[];
}

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
  context: Pick<RecordContext, "host">,
): boolean {
  const { client, server } = handshake;
  const { ports, networks, captured, roles, outcomes, comms, pids, since, until, tracedOn } =
    filter;
  if (ports && !ports.includes(client.port) && !ports.includes(server.port)) return false;
  if (
    networks &&
    !networks.some((network) =>
      contains(network, client.address) || contains(network, server.address)
    )
  ) return false;
  if (captured && !handshake.wire) return false;
  if (roles && !roles.includes(handshake.role)) return false;
  if (outcomes && !outcomes.includes(handshake.outcome)) return false;
  if (since && isBefore(handshake, since)) return false;
  if (until && !isBefore(handshake, until)) return false;
  if (tracedOn && !tracedOn.includes(context.host)) return false;
  if (comms === undefined && pids === undefined) return true;
  const processes = [client.process, server.process];
  if (comms && !processes.some((process) => process && isCalled(process, comms))) return false;
  return !pids || processes.some((process) => process && pids.includes(process.pid));
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

function contains({ words, bits }: Network, address: Uint32Array): boolean {
  // Every IPv4 network has more: `::/0` means IPv6, not how an IPv4 address is written down here.
  if (bits < IPV4_MAPPED_BITS && isIpv4Mapped(address)) return false;
  for (let word = 0; word < 4; word++) {
    const bitsHere = Math.min(32, Math.max(0, bits - word * 32));
    if (bitsHere === 0) return true;
    if (((words[word] ^ address[word]) >>> (32 - bitsHere)) !== 0) return false;
  }
  return true;
}
