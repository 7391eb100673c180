/**
 * What the records of both ends of a handshake say together: whether they can be of one, and where it
 * failed.
 *
 * @module
 */
import type { Outcome } from "./handshake.ts";

/** What became of a handshake, as both of its ends tell it. */
export const VERDICTS = {
  established: "both ends say so",
  syn_lost: "the server's host was watching and saw no SYN",
  answer_lost: "the server answered, and the client saw no answer",
  ack_lost: "the client says established, and the server saw no ACK",
  dropped_by_server: "the server's host dropped the SYN, or the ACK",
  refused_by_server: "the server's host sent the RST",
  refused_on_the_way: "the client got a RST that the server's host did not send",
  unreachable: "an ICMP error or a missing route answered the client",
  aborted: "one end gave up",
  server_end_not_seen:
    "the server's host is known, but whether it was watching is not, or what it told has other numbers",
  client_end_not_seen: "the client's host is known, and told nothing of it",
} as const;

/**
 * What an end alone says that is unfounded between hosts of which each told of handshakes with the other, and
 * no two fit: what is on the way may rewrite initial sequence numbers.
 */
export const FOUNDED_ON_NUMBERS: readonly Verdict[] = ["syn_lost", "refused_on_the_way"];

/** One of {@linkcode VERDICTS}. */
export type Verdict = keyof typeof VERDICTS;

/** How the server's end may have fared, by how the client's did, where both are of one handshake. */
export const POSSIBLE_ENDS: Readonly<Record<Outcome, readonly Outcome[]>> = {
  established: ["established", "half_open", "aborted", "dropped"],
  timeout: ["half_open", "dropped", "unanswered", "timeout"],
  unanswered: ["half_open", "dropped", "unanswered"],
  refused: ["refused", "half_open", "dropped"],
  aborted: ["established", "half_open", "aborted", "dropped", "refused"],
  unreachable: ["half_open", "dropped", "unanswered", "unreachable"],
  dropped: ["half_open", "dropped"],
  half_open: ["half_open", "established"],
};

/** A rule of what two ends say together: the first that fits counts; undefined: whatever that end says. */
export interface VerdictRule {
  client?: Outcome;
  server?: Outcome;
  verdict: Verdict;
}

/** The rules, in their order. */
export const VERDICT_RULES: readonly VerdictRule[] = [
  { client: "established", server: "established", verdict: "established" },
  { client: "established", server: "half_open", verdict: "ack_lost" },
  { client: "established", server: "dropped", verdict: "dropped_by_server" },
  { client: "half_open", server: "established", verdict: "established" },
  { client: "refused", server: "refused", verdict: "refused_by_server" },
  { client: "refused", verdict: "refused_on_the_way" },
  { client: "unreachable", verdict: "unreachable" },
  { client: "aborted", verdict: "aborted" },
  { server: "aborted", verdict: "aborted" },
  { server: "half_open", verdict: "answer_lost" },
  { verdict: "dropped_by_server" },
];

/** What two ends say together. */
export function verdictOf(client: Outcome, server: Outcome): Verdict {
  return VERDICT_RULES.find((rule) =>
    (rule.client ?? client) === client && (rule.server ?? server) === server
  )!.verdict;
}

/** What an end tells of which handshake it is of. */
export interface EndIdentity {
  outcome: Outcome;
  /** Address and port of either end, as a text. */
  client: string;
  server: string;
  clientIsn: number | undefined;
  serverIsn: number | undefined;
}

/**
 * By what the ends that two hosts told are of one handshake: (1) the same addresses, ports and initial
 * sequence number of the client; (2) both initial sequence numbers, where a NAT changed addresses; (3)
 * the client's number with the server's address and port, where one end saw no answer. What both say must
 * be possible in one handshake.
 *
 * @returns Undefined: they are not.
 */
export function tierOf(client: EndIdentity, server: EndIdentity): 1 | 2 | 3 | undefined {
  if (client.clientIsn === undefined || client.clientIsn !== server.clientIsn) return undefined;
  if (!POSSIBLE_ENDS[client.outcome].includes(server.outcome)) return undefined;
  const isKnown = client.serverIsn !== undefined && server.serverIsn !== undefined;
  if (isKnown && client.serverIsn !== server.serverIsn) return undefined;
  const isSameServer = client.server === server.server;
  if (isSameServer && client.client === server.client) return 1;
  if (isKnown) return 2;
  return isSameServer ? 3 : undefined;
}

/**
 * Whether an end that a host told is that of a router on the way, which saw its own address there, for
 * another host told the same: the client's own end waits longest for the SYN-ACK, the server's least.
 */
export function isOnTheWay(
  isClient: boolean,
  end: { clientRttNs: number | undefined; identity: EndIdentity },
  own: { clientRttNs: number | undefined; identity: EndIdentity },
): boolean {
  if (end.clientRttNs === undefined || own.clientRttNs === undefined) return false;
  if (end.identity.serverIsn !== own.identity.serverIsn) return false;
  return isClient ? end.clientRttNs < own.clientRttNs : end.clientRttNs > own.clientRttNs;
}

/**
 * How much longer a packet may be under way than another of its handshake, nanoseconds: half of the second
 * after which a SYN-ACK is sent again (RFC 6298 section 2.1).
 */
export const SLOWER_NS = 500e6;

/** What an end tells of how often packets were sent. */
export interface EndCounts {
  outcome: Outcome;
  synNs: number | undefined;
  ackNs: number | undefined;
  synAckCount: number;
}

/**
 * SYN-ACKs that the server sent and that were lost. Those that it sent again after the client had answered
 * were not: the ACK was lost, or came late. Then the server waited longer for it than the client did
 * until it sent it.
 *
 * @returns Undefined: it cannot be told.
 */
export function synAcksLost(client: EndCounts, server: EndCounts): number | undefined {
  if (client.outcome === "established") {
    if (server.outcome !== "established") return undefined;
    const [clientNs, serverNs] = [client, server].map(({ synNs, ackNs }) =>
      synNs === undefined || ackNs === undefined ? undefined : ackNs - synNs
    );
    if (clientNs !== undefined && serverNs !== undefined && serverNs > clientNs + SLOWER_NS) {
      return undefined;
    }
  }
  return Math.max(0, server.synAckCount - client.synAckCount);
}
