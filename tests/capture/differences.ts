/**
 * Where `read` and tshark say different things of one capture, and who is right.
 *
 * @module
 */
import type { HandshakeRecord } from "../../src/record/record.ts";
import { handshakeKey, type TsharkHandshake } from "./tshark.ts";

/** What `read` made of a capture. */
export interface ReadCapture {
  records: readonly HandshakeRecord[];
  losses: Readonly<Record<string, number | undefined>>;
  /** Packets that the receiving host throws away, by reason. */
  discarded: Readonly<Record<string, number>>;
}

/** Kinds of differences. */
export type DifferenceKind =
  | "only_tshark"
  | "only_read"
  | "server_isn"
  | "outcome"
  | "total_time";

/** One thing of which both say something else. */
export interface Difference {
  kind: DifferenceKind;
  /** See `handshakeKey`. */
  key: string;
  read: string;
  tshark: string;
  /** Why that is so, and who is right: undefined where no rule knows. */
  why: string | undefined;
}

/** Rules, each said once: who is right and why. */
export const WHY = {
  checksum:
    "read is right: a packet with a wrong checksum decides nothing, the host throws it away",
  copy: "read is right: it is the same SYN at another place or behind an address translation",
  simultaneous: "read is right: both ends sent a SYN, which is one handshake",
  untimed: "read is right: of a packet without a valid time no duration can be taken",
  clock: "read is right: the clock was set in between, so no duration can be taken",
  refused: "read is right: tshark takes a RST for the third packet, and no RST is a round trip",
  otherPacket: "read is right: tshark measures to another packet than the client's first that fits",
  between: "read is right: another packet came first that ends the handshake",
  ambiguous: "read is right: which of several packets was answered is not known",
  behindRst: "read is right: what follows a refusal is another connection's",
  oneSided: "read is right: the client acknowledges an answer that this place did not see",
} as const;

/** Compares what both say. @returns No more than one difference of a kind for each handshake. */
export function compare(
  read: ReadCapture,
  expected: readonly TsharkHandshake[],
): Difference[] {
  const differences: Difference[] = [];
  const records = new Map<string, HandshakeRecord>();
  for (const record of read.records) {
    if (record.packets.syn > 0) records.set(keyOf(record), record);
  }
  for (const handshake of expected) {
    const record = records.get(handshake.key);
    records.delete(handshake.key);
    if (record === undefined) {
      differences.push({
        kind: "only_tshark",
        key: handshake.key,
        read: "none",
        tshark: `SYN in frame ${handshake.syns[0].frame}`,
        why: whyMissing(handshake, read),
      });
      continue;
    }
    differences.push(...compareOne(record, handshake, read));
  }
  for (const [key, record] of records) {
    differences.push({
      kind: "only_read",
      key,
      read: record.outcome,
      tshark: "none",
      why: undefined,
    });
  }
  return differences;
}

function keyOf({ client, server }: HandshakeRecord): string {
  return handshakeKey(client, server);
}

function whyMissing(handshake: TsharkHandshake, read: ReadCapture): string | undefined {
  const { client, server, syns } = handshake;
  if (syns.every(({ hasWrongChecksum }) => hasWrongChecksum) && isDiscarding(read)) {
    return WHY.checksum;
  }
  const opposite = read.records.find((record) =>
    record.flags.includes("simultaneous_open") && record.client.port === server.port &&
    record.server.port === client.port && record.client.address === server.address
  );
  if (opposite !== undefined) return WHY.simultaneous;
  const copy = read.records.find((record) =>
    record.client.isn === client.isn && record.packets.syn > 0
  );
  return copy === undefined ? undefined : WHY.copy;
}

/** Whether some packet had a wrong checksum that counted. */
function isDiscarding({ discarded }: ReadCapture): boolean {
  return (discarded.bad_tcp_checksum ?? 0) + (discarded.bad_ip_checksum ?? 0) > 0;
}

function compareOne(
  record: HandshakeRecord,
  handshake: TsharkHandshake,
  read: ReadCapture,
): Difference[] {
  const { key, synAcks, third, initialRttNs } = handshake;
  const differences: Difference[] = [];
  const add = (kind: DifferenceKind, ours: unknown, theirs: unknown, why: string | undefined) =>
    differences.push({ kind, key, read: String(ours), tshark: String(theirs), why });
  const wrong = isDiscarding(read);
  const isns = new Set(synAcks.map(({ sequence }) => sequence));
  const isn = record.server.isn;
  if (isn === undefined ? isns.size > 0 : !isns.has(isn)) {
    const why = synAcks.every(({ hasWrongChecksum }) => hasWrongChecksum) && wrong
      ? WHY.checksum
      : record.outcome === "refused"
      ? WHY.behindRst
      : record.flags.includes("simultaneous_open")
      ? WHY.simultaneous
      : undefined;
    add("server_isn", isn ?? "none", [...isns].join(" or ") || "none", why);
  }
  const isEstablished = record.outcome === "established";
  if (isEstablished !== (third !== undefined)) {
    const why = third?.hasWrongChecksum && wrong
      ? WHY.checksum
      : isEstablished && record.flags.includes("one_sided")
      ? WHY.oneSided
      : record.flags.includes("simultaneous_open")
      ? WHY.simultaneous
      : record.outcome === "refused" || record.outcome === "aborted"
      ? WHY.between
      : undefined;
    add("outcome", record.outcome, third === undefined ? "no third packet" : "established", why);
  }
  const total = record.rtt.total_ns;
  if (
    initialRttNs !== undefined && total !== initialRttNs && (isEstablished || total !== undefined)
  ) {
    const why = total !== undefined
      ? third?.hasWrongChecksum && wrong
        ? WHY.checksum
        : total === handshake.thirdNs
        ? WHY.otherPacket
        : undefined
      : (read.losses.untimed_packets ?? 0) > 0
      ? WHY.untimed
      : record.flags.includes("clock_set")
      ? WHY.clock
      : record.rtt.ambiguous
      ? WHY.ambiguous
      : undefined;
    add("total_time", total ?? "none", initialRttNs, why);
  }
  return differences;
}
