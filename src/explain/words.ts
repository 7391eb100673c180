/**
 * What outcomes, reasons and flags mean, in words.
 *
 * @module
 */
import type { Handshake, HandshakeFlag, Outcome } from "../match/handshake.ts";
import { escapeText } from "../text/escape.ts";

const OUTCOMES: Readonly<Record<Outcome, string>> = {
  established:
    "Both sides know the other's initial sequence number and that the other knows theirs. From here " +
    "on every byte sent has a number, and data can flow both ways.",
  refused:
    "A RST with the right numbers answered the SYN. Usually the host is there but nobody listens on " +
    "that port; a firewall can answer so too. connect() fails at once with ECONNREFUSED.",
  timeout:
    "The client's kernel sent its SYN again and again, got no answer that counts, and gave up: " +
    "connect() failed with ETIMEDOUT. The host is not there, or something on the way drops the " +
    "packets without a word.",
  unreachable:
    "The network said that the server cannot be reached: a router answered with ICMP, or this host " +
    "has no way to it. The SYN got no answer from the server itself.",
  aborted:
    "The client gave up: it closed its socket before the handshake was complete, or answered the " +
    "SYN-ACK with a RST because it did not expect one.",
  half_open:
    "The server answered, and no ACK that fits came back. The SYN-ACK or the ACK got lost, or the " +
    "client never wanted a connection: a scan, or a flood from forged addresses.",
  dropped:
    "This host's kernel threw the SYN away, so nobody answered it. The client sees silence and sends " +
    "its SYN again.",
  unanswered:
    "Nothing came back that counts, as far as the packets tell. The server may not be there, " +
    "something on the way may drop packets, or the answer took a way that is not captured here.",
};

const NOT_TAKEN =
  "An ACK that fits came by, but this host's kernel, which is the server, did not take it: a firewall " +
  "threw it away, or the accept queue was full, or the program waits for data first.";
const REFUSED_BY_ICMP =
  "The server answered the SYN with an ICMP error instead of a RST: nobody may connect to that port. " +
  "connect() fails at once with ECONNREFUSED.";

/** Says what an outcome means. */
export function explainOutcome({ outcome, ...handshake }: Handshake): string {
  const { wire, kernel, ackAcknowledgesSynAck, ackSequence, flags, icmp } = handshake;
  const words = OUTCOMES[outcome];
  const isTaken = ackSequence === true && ackAcknowledgesSynAck === true;
  if (outcome === "half_open" && isTaken) return NOT_TAKEN;
  if (outcome === "refused" && icmp !== undefined && handshake.rstCount === 0) {
    return REFUSED_BY_ICMP;
  }
  if (outcome !== "established" || flags.includes("simultaneous_open")) return words;
  if (ackAcknowledgesSynAck === true) return `All three packets fit together. ${words}`;
  if (flags.includes("one_sided") && ackSequence === true) {
    return `The client's ACK answers a SYN-ACK that was not captured. ${words}`;
  }
  if (!kernel) return wire ? `The server acknowledges more than the SYN. ${words}` : words;
  return `${wire ? "Not every packet was seen, but the" : "The"} kernel says ESTABLISHED. ${words}`;
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "connection refused: a RST came"],
  ["ETIMEDOUT", "timed out: no answer to any SYN"],
  ["EHOSTUNREACH", "no route to host: the last router did not find it"],
  ["ENETUNREACH", "network unreachable: no route leads there"],
  ["ENETDOWN", "network down"],
  ["EHOSTDOWN", "host down"],
  ["ECONNRESET", "connection reset: a RST came after the SYN-ACK"],
  ["NETFILTER_DROP", "a firewall rule of this host dropped it"],
  ["NO_SOCKET", "nobody listens on that port"],
  [
    "ACCEPT_QUEUE_FULL",
    "connections wait for accept() and the backlog is full: the server accepts too slowly",
  ],
  [
    "SYN_QUEUE_FULL",
    "too many half-open handshakes wait and SYN cookies are off: a flood, or a short backlog",
  ],
  ["TCP_CSUM", "its checksum was wrong"],
  ["ICMP_NET_UNREACH", "no route leads to its network"],
  ["ICMP_HOST_UNREACH", "the last router did not find the host"],
  ["ICMP_PROT_UNREACH", "the host speaks no TCP"],
  ["ICMP_PORT_UNREACH", "the port takes no connections: nobody listens, or a firewall says so"],
  ["ICMP_NET_ANO", "a firewall lets nothing through to that network"],
  ["ICMP_HOST_ANO", "a firewall lets nothing through to that host"],
  ["ICMP_PKT_FILTERED", "a firewall does not let it through"],
  ["ICMP_EXC_TTL", "too many routers on the way: they send it in a circle, or its TTL was too low"],
  ["ICMPV6_NOROUTE", "no route leads there"],
  ["ICMPV6_ADM_PROHIBITED", "a firewall does not let it through"],
  ["ICMPV6_ADDR_UNREACH", "the last router did not find the host"],
  ["ICMPV6_PORT_UNREACH", "the port takes no connections: nobody listens, or a firewall says so"],
  ["ICMPV6_POLICY_FAIL", "its source address is not let through"],
  ["ICMPV6_REJECT_ROUTE", "the route there is set to refuse it"],
  [
    "ICMPV6_EXC_HOPLIMIT",
    "too many routers on the way: they send it in a circle, or its hop limit was too low",
  ],
]);

/** A symbol of errno or of the kernel's reasons, and what it means where that is known here. */
export function explainReason(symbol: string): string {
  const words = REASONS.get(symbol);
  return words ? `${symbol} (${words})` : escapeText(symbol);
}

const FLAGS: Readonly<Record<HandshakeFlag, string>> = {
  tcp_fast_open:
    "TCP Fast Open: the client asks for a cookie, or shows one to send data in the SYN already. Such " +
    "data counts in the numbers.",
  mptcp: "Multipath TCP: the handshake also asks to spread the connection over several paths.",
  ecn: "ECN: both sides agreed that routers may mark packets instead of dropping them.",
  accecn: "AccECN: both sides agreed on ECN with exact feedback.",
  simultaneous_open:
    "Simultaneous open: both ends sent a SYN, each answers the other's with a SYN-ACK, and four " +
    "packets make one connection without a server. No separate ACK is needed.",
  self_connect:
    "Self-connect: the port connected to itself. The SYN answers itself, which TCP allows.",
  syn_cookie:
    "SYN cookie: the server's queue was full, so it keeps nothing and puts all it must know into its " +
    "initial sequence number, to find it again in the ACK.",
  one_sided:
    "One-sided: packets of one direction were not captured. They may take another way, or the " +
    "capture began late.",
  trace_ended: "The capture ended before an answer could come, so the outcome is not final.",
  clock_set:
    "The clock was set meanwhile, or times of the file are not valid or contradict what answers " +
    "what: two times cannot be subtracted, so none are given.",
};

/** Says what a flag of the record means. */
export function explainFlag(flag: HandshakeFlag): string {
  return FLAGS[flag];
}

/** Heading of the relations. */
export const NUMBERS_HEADING = "Do the numbers fit? (sums are modulo 2^32)";

/** Heading of the durations. */
export const ROUND_TRIPS_HEADING = "Round trips";

/** How to read the ladder. */
export const LEGEND =
  "Seq and Ack are the packet's numbers in hexadecimal, in parentheses counted from the initial " +
  "sequence number of the side whose bytes they count. A packet's time is that of its capture.";

/** How to read one of both ends. */
export const LEGEND_OF_BOTH_ENDS =
  "Times on the left are by the clock of the client's host, those on " +
  "the right by that of the server's host, each counted from the first that it had: what stands on " +
  "one side can be subtracted, what stands on two cannot. An arrow that ends before it came was " +
  "lost on the way. Seq and Ack are counted from the initial sequence number of the side whose bytes " +
  "they count, in parentheses.";

/** How to read the ladder of a story. */
export function legendOf({ isOfBothEnds }: { isOfBothEnds?: boolean }): string {
  return isOfBothEnds ? LEGEND_OF_BOTH_ENDS : LEGEND;
}

/** Why the numbers must be so. */
export const NUMBERING =
  "Every byte that a side sends has a number, and its SYN takes one as well: after it comes Seq + 1. " +
  "Ack, the acknowledgment number, is the number that its sender waits for next; ACK, the flag, " +
  "says that the packet carries one.";
