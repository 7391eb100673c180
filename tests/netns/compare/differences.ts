/**
 * Where what another tool says differs from a record, and which two packets its number is the time
 * between: found by trying all of them.
 *
 * @module
 */
import type { HandshakeRecord } from "../../../src/record/record.ts";
import type { TracedConnection } from "./tcptrace.ts";
import { Completeness, type Conversation, type WirePacket } from "./wireshark.ts";

/** Two captures of one packet differ by less: each reads the clock for itself. */
const SAME_NS = 6_000;
/** tcptrace's numbers are rounded by half of a tenth of a microsecond, where time was slowed down. */
const ROUNDED_NS = 60;
const THREE = Completeness.SYN | Completeness.SYN_ACK | Completeness.ACK;

/** What the tools said of the packets of one case. */
export interface Sightings {
  /** Records that packets gave, in their order. */
  readonly records: readonly HandshakeRecord[];
  readonly conversations: readonly Conversation[];
  readonly connections: readonly TracedConnection[];
}

/** What differs from the records, a clause each; none where all agree. */
export function differences({ records, conversations, connections }: Sightings): string[] {
  const found = new Set<string>();
  if (conversations.length !== records.length) {
    found.add(`Wireshark has ${many(conversations.length, "conversation")}`);
  }
  if (connections.length !== records.length) {
    found.add(`tcptrace has ${many(connections.length, "connection")}`);
  }
  const seen = new Map<string, number>();
  for (const record of records) {
    const ours = conversations.filter(({ packets }) =>
      isOf(record, packets[0].source, packets[0].destination)
    );
    const conversation = ours.find(({ packets }) => packets.some((each) => began(record, each))) ??
      ours[0];
    if (conversation) compareConversation(record, conversation, found);
    // tcptrace tells no numbers: attempts between the same ends are taken in their order.
    const key = `${endpoint(record.client)} ${endpoint(record.server)}`;
    const nth = seen.get(key) ?? 0;
    seen.set(key, nth + 1);
    const connection = connections.filter(({ a, b }) => isOf(record, a, b))[nth];
    const packets = ours.flatMap(({ packets }) => packets);
    if (connection) compareConnection(record, connection, packets, found);
  }
  return [...found];
}

function compareConversation(
  record: HandshakeRecord,
  { initialRttNs, completeness, packets }: Conversation,
  found: Set<string>,
): void {
  const { total_ns: totalNs } = record.rtt;
  if (initialRttNs === undefined) {
    if (totalNs !== undefined) found.add("Wireshark has no initial RTT");
  } else if (totalNs === undefined || Math.abs(initialRttNs - totalNs) > SAME_NS) {
    found.add(`Wireshark's initial RTT: ${between(initialRttNs, 1, packets)}`);
  }
  const isWhole = (completeness & THREE) === THREE;
  if (isWhole && record.outcome !== "established") found.add("completeness has all three packets");
  if (!isWhole && record.outcome === "established") {
    const lacking = (["SYN", "SYN_ACK", "ACK"] as const)
      .filter((name) => (completeness & Completeness[name]) === 0)
      .map((name) => name.replace("_", "-"));
    found.add(`completeness lacks the ${lacking.join(" and the ")}`);
  }
}

function compareConnection(
  record: HandshakeRecord,
  { a, rttNs }: TracedConnection,
  packets: readonly WirePacket[],
  found: Set<string>,
): void {
  const [ofClient, ofServer] = a === endpoint(record.client) ? rttNs : [rttNs[1], rttNs[0]];
  for (
    const [name, theirs, ours] of [
      ["client", ofClient, record.rtt.client_ns],
      ["server", ofServer, record.rtt.server_ns],
    ] as const
  ) {
    if (theirs === 0) {
      if (ours !== undefined) found.add(`tcptrace has no ${name} RTT`);
    } else if (ours === undefined || Math.abs(theirs - ours) > SAME_NS) {
      found.add(`tcptrace's ${name} RTT: ${between(theirs, ROUNDED_NS, packets)}`);
    }
  }
}

/** The two packets that a time lies between, to so many nanoseconds. */
function between(ns: number, precisionNs: number, packets: readonly WirePacket[]): string {
  for (const [index, from] of packets.entries()) {
    for (const to of packets.slice(index + 1)) {
      if (Math.abs(to.timeNs - from.timeNs - ns) > precisionNs) continue;
      return `${nameOf(from, packets)} to ${nameOf(to, packets)}`;
    }
  }
  return "between no two packets";
}

const ORDINALS = ["first", "second", "third"];

function nameOf(packet: WirePacket, packets: readonly WirePacket[]): string {
  const alike = packets.filter(({ kind }) => kind === packet.kind);
  if (alike.length === 1) return packet.kind;
  const index = alike.indexOf(packet);
  return `${ORDINALS[index] ?? `${index + 1}th`} ${packet.kind}`;
}

/** Whether a packet between two ends is one of the handshake's. */
function isOf(record: HandshakeRecord, source: string, destination: string): boolean {
  const ends = [endpoint(record.client), endpoint(record.server)];
  return ends.includes(source) && ends.includes(destination);
}

/** Whether a packet is the client's of this attempt: its SYN, or the next by its number. */
function began({ client }: HandshakeRecord, { source, sequence }: WirePacket): boolean {
  return client.isn !== undefined && source === endpoint(client) &&
    (sequence === client.isn || sequence === (client.isn + 1) % 2 ** 32);
}

function endpoint({ address, port }: { address: string; port: number }): string {
  return `${address}:${port}`;
}

function many(count: number, what: string): string {
  return count === 0 ? `no ${what}` : count === 1 ? `one ${what}` : `${count} ${what}s`;
}
