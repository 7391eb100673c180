/**
 * Parts of expected records that many scenarios share.
 *
 * @module
 */
import { anything, between, type ExpectedRecord, present } from "./scenario.ts";

/** All three relations between the numbers hold. */
export const ALL_HOLD = {
  syn_ack_acknowledges_syn: true,
  ack_sequence: true,
  ack_acknowledges_syn_ack: true,
} as const;

/** Three packets, nothing special about them. */
export const ESTABLISHED = {
  outcome: "established",
  reason: null,
  packets: { syn: 1, syn_ack: 1, rst: 0 },
  client: { isn: present },
  server: { isn: present },
  rtt: {
    client_ns: present,
    server_ns: present,
    total_ns: present,
    ambiguous: false,
    first_syn_to_syn_ack_ns: undefined,
    first_syn_ack_to_ack_ns: undefined,
  },
  checks: ALL_HOLD,
  flags: [],
} as const satisfies ExpectedRecord;

/** Seen by packets and by the kernels of both ends, which are both on this machine. */
export const BOTH_ENDS = { role: "local", evidence: ["wire", "kernel"] } as const;

/** Seen by packets and by the client's kernel; the server is elsewhere. */
export const AT_CLIENT = { role: "client", evidence: ["wire", "kernel"] } as const;

/** Seen by packets and by the server's kernel; the client is elsewhere. */
export const AT_SERVER = { role: "server", evidence: ["wire", "kernel"] } as const;

/** Seen by packets in the middle, where no process is known: the namespace is that of the capture. */
export const IN_THE_MIDDLE = {
  role: "observer",
  evidence: ["wire"],
  network: { netns: present },
  client: { process: undefined },
  server: { process: undefined },
  rtt: { kernel_client_ns: undefined, kernel_server_ns: undefined },
  times: { connect_ns: undefined, established_ns: undefined },
} as const satisfies ExpectedRecord;

/**
 * Both ends made by hand. A kernel may tell that it threw away what came for the ghost beside it, for
 * nobody has that address.
 */
export const BETWEEN_GHOSTS = { ...IN_THE_MIDDLE, evidence: anything } as const;

/** No SYN-ACK, so no RTT. */
export const NO_ANSWER = {
  server: { isn: undefined },
  rtt: { client_ns: undefined, server_ns: undefined, total_ns: undefined, ambiguous: false },
  checks: undefined,
} as const satisfies ExpectedRecord;

/** The first retransmission timeout of SYN and SYN-ACK (RFC 6298 section 2), with some delay. */
export const ONE_SECOND = between(0.95e9, 1.9e9);
/** That and the second one, which is twice as long. */
export const THREE_SECONDS = between(2.95e9, 3.9e9);
/** A round trip in the lab, which takes microseconds; far from a retransmission timeout. */
export const QUICK = between(0, 0.5e9);

/** Puts expected parts together; a later one wins, member by member. */
export function all(...parts: readonly ExpectedRecord[]): ExpectedRecord {
  return parts.reduce((whole, part) => merge(whole, part) as ExpectedRecord, {});
}

function merge(left: unknown, right: unknown): unknown {
  if (!isPlain(left) || !isPlain(right)) return right;
  const merged: Record<string, unknown> = { ...left };
  for (const [key, value] of Object.entries(right)) {
    merged[key] = key in merged ? merge(merged[key], value) : value;
  }
  return merged;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
}
