import {
  DROPPED_PACKETS,
  type Handshake,
  HANDSHAKE_FLAGS,
  OUTCOMES,
  ROLES,
} from "../match/handshake.ts";
import type { ByteText } from "./byte_text.ts";
import { endpointFields } from "./endpoint_fields.ts";
import { NETWORK_FIELDS } from "./network_fields.ts";
import { timeText } from "./time.ts";

/** Version of the record: fields may be added to it, none is ever changed. */
export const RECORD_VERSION = 1;

/** What a record tells beyond the handshake itself. */
export interface RecordContext {
  /** Name of the host that traced. */
  host: string;
  /** Name of an interface by its place number, undefined where it is gone or unknown. */
  interfaceName(place: number): string | undefined;
  /** Inode number of the network namespace of a place; absent where none is known, as in files. */
  netnsOf?(place: number): number | undefined;
  /** Path of a cgroup by its id, undefined where it is gone; untrusted text. */
  cgroupPath?(id: number): string | undefined;
}

/**
 * What a field can hold. Strings may be untrusted text and are escaped where they are written. A
 * `ByteText` does the same work faster for a text that is in every record and other in each: it needs no
 * escape, and is filled anew when the next field is asked for.
 */
export type FieldValue = string | ByteText | number | boolean | null | readonly string[];

/** One field of the record: encoder, JSON Schema and the README's table are made of these. */
export interface Field {
  /** Where it stands in the record, levels separated by dots. */
  path: string;
  /** What it holds; `strings` is an array of them. */
  type: "string" | "integer" | "boolean" | "strings";
  /** The only values, where there are few. */
  values?: readonly string[];
  /** Whether it can be null, which then means there is none; absent always means unknown. */
  nullable?: boolean;
  /** Whether every record has it. */
  always?: boolean;
  /** What a number counts or how a text is written, where that needs saying. */
  unit?: string;
  /** What it says, in words for the schema and the README. */
  meaning: string;
  /** Record version that brought it. */
  since: number;
  /** Its value, undefined where unknown: then the field is absent. */
  get(handshake: Handshake, context: RecordContext): FieldValue | undefined;
}

/** Every field of the record, in the order in which it is written. */
export const FIELDS: readonly Field[] = [
  {
    path: "v",
    type: "integer",
    always: true,
    meaning: "Version of the record",
    since: 1,
    get: () => RECORD_VERSION,
  },
  {
    path: "event",
    type: "string",
    values: ["handshake"],
    always: true,
    meaning: "Kind of the line",
    since: 1,
    get: () => "handshake",
  },
  {
    path: "time",
    type: "string",
    unit: "RFC 3339, UTC, nine digits",
    always: true,
    meaning: "The first SYN on the wire, or the first kernel time where no packet was seen",
    since: 1,
    get: (handshake) => timeText(handshake.epochSeconds, handshake.timeNs),
  },
  {
    path: "host",
    type: "string",
    always: true,
    meaning: "Name of the host that traced",
    since: 1,
    get: (_, context) => context.host,
  },
  {
    path: "role",
    type: "string",
    values: ROLES,
    always: true,
    meaning: "This host's part: one end, both ends (local) or neither (observer)",
    since: 1,
    get: (handshake) => handshake.role,
  },
  {
    path: "outcome",
    type: "string",
    values: OUTCOMES,
    always: true,
    meaning:
      "How it ended: refused by a RST; timeout, unreachable and aborted (the client gave up or could not begin) " +
      "by the client's kernel or RST; half_open: no ACK came; dropped: this host's kernel dropped " +
      "the SYN; unanswered: nothing came",
    since: 1,
    get: (handshake) => handshake.outcome,
  },
  {
    path: "reason",
    type: "string",
    nullable: true,
    always: true,
    meaning:
      "Symbol of the errno the client's socket got; without one, of the ICMP error that answered, " +
      "or the kernel's own reason to drop or refuse",
    since: 1,
    get: (handshake) => handshake.reason ?? null,
  },
  {
    path: "evidence",
    type: "strings",
    values: ["wire", "kernel"],
    always: true,
    meaning: "Which sources saw it",
    since: 1,
    get: (handshake) =>
      handshake.wire ? handshake.kernel ? WIRE_AND_KERNEL : WIRE_ONLY : KERNEL_ONLY,
  },
  ...NETWORK_FIELDS,
  ...endpointFields("client", "SYN"),
  ...endpointFields("server", "SYN-ACK"),
  {
    path: "rtt.client_ns",
    type: "integer",
    unit: "ns",
    meaning: "SYN to SYN-ACK; of the SYN that was answered, absent where that cannot be told",
    since: 1,
    get: (handshake) => handshake.clientRttNs,
  },
  {
    path: "rtt.server_ns",
    type: "integer",
    unit: "ns",
    meaning: "SYN-ACK to ACK; of the SYN-ACK that was answered, absent where that cannot be told",
    since: 1,
    get: (handshake) => handshake.serverRttNs,
  },
  {
    path: "rtt.total_ns",
    type: "integer",
    unit: "ns",
    meaning: "First SYN to ACK",
    since: 1,
    get: (handshake) => handshake.totalNs,
  },
  {
    path: "rtt.ambiguous",
    type: "boolean",
    always: true,
    meaning: "An RTT is absent because a repeated packet was answered and no timestamp tells which",
    since: 1,
    get: (handshake) => handshake.ambiguous,
  },
  {
    path: "rtt.first_syn_to_syn_ack_ns",
    type: "integer",
    unit: "ns",
    meaning: "With repeated SYNs: first SYN to SYN-ACK",
    since: 1,
    get: (handshake) => handshake.firstSynToSynAckNs,
  },
  {
    path: "rtt.last_syn_to_syn_ack_ns",
    type: "integer",
    unit: "ns",
    meaning: "With repeated SYNs: last SYN before the SYN-ACK to SYN-ACK",
    since: 1,
    get: (handshake) => handshake.lastSynToSynAckNs,
  },
  {
    path: "rtt.first_syn_ack_to_ack_ns",
    type: "integer",
    unit: "ns",
    meaning: "With repeated SYN-ACKs: first SYN-ACK to ACK",
    since: 1,
    get: (handshake) => handshake.firstSynAckToAckNs,
  },
  {
    path: "rtt.last_syn_ack_to_ack_ns",
    type: "integer",
    unit: "ns",
    meaning: "With repeated SYN-ACKs: last SYN-ACK before the ACK to ACK",
    since: 1,
    get: (handshake) => handshake.lastSynAckToAckNs,
  },
  {
    path: "rtt.kernel_client_ns",
    type: "integer",
    unit: "ns",
    meaning: "The client kernel's own sample of SYN to SYN-ACK, in whole microseconds",
    since: 1,
    get: (handshake) => handshake.kernelClientRttNs,
  },
  {
    path: "rtt.kernel_server_ns",
    type: "integer",
    unit: "ns",
    meaning: "The server kernel's own sample of SYN-ACK to ACK, in whole microseconds",
    since: 1,
    get: (handshake) => handshake.kernelServerRttNs,
  },
  {
    path: "packets.syn",
    type: "integer",
    always: true,
    meaning: "SYNs seen, repeated ones included",
    since: 1,
    get: (handshake) => handshake.synCount,
  },
  {
    path: "packets.syn_ack",
    type: "integer",
    always: true,
    meaning: "SYN-ACKs seen, repeated ones included",
    since: 1,
    get: (handshake) => handshake.synAckCount,
  },
  {
    path: "packets.rst",
    type: "integer",
    always: true,
    meaning: "RSTs that ended it",
    since: 1,
    get: (handshake) => handshake.rstCount,
  },
  {
    path: "times.connect_ns",
    type: "integer",
    unit: "ns after time",
    meaning: "connect() was called: before routing and port choice, so before the SYN",
    since: 1,
    get: (handshake) => handshake.connectNs,
  },
  {
    path: "times.syn_sent_ns",
    type: "integer",
    unit: "ns after time",
    meaning: "The client's kernel was about to send the first SYN; by function probes only",
    since: 1,
    get: (handshake) => handshake.synSentNs,
  },
  {
    path: "times.syn_ns",
    type: "integer",
    unit: "ns after time",
    meaning: "First SYN captured",
    since: 1,
    get: (handshake) => handshake.synNs,
  },
  {
    path: "times.syn_received_ns",
    type: "integer",
    unit: "ns after time",
    meaning: "The listener took the SYN that was answered; by function probes only",
    since: 1,
    get: (handshake) => handshake.synReceivedNs,
  },
  {
    path: "times.syn_ack_ns",
    type: "integer",
    unit: "ns after time",
    meaning: "First SYN-ACK captured",
    since: 1,
    get: (handshake) => handshake.synAckNs,
  },
  {
    path: "times.ack_ns",
    type: "integer",
    unit: "ns after time",
    meaning: "The ACK that completes it captured",
    since: 1,
    get: (handshake) => handshake.ackNs,
  },
  {
    path: "times.established_ns",
    type: "integer",
    unit: "ns after time",
    meaning: "This host's socket became ESTABLISHED; the client's where both ends are here",
    since: 1,
    get: (handshake) => handshake.establishedNs,
  },
  {
    path: "times.server_established_ns",
    type: "integer",
    unit: "ns after time",
    meaning: "The server's socket became ESTABLISHED, where both ends are here",
    since: 1,
    get: (handshake) => handshake.serverEstablishedNs,
  },
  {
    path: "times.accepted_ns",
    type: "integer",
    unit: "ns after time",
    meaning: "accept() returned the socket, where it did before the record was written",
    since: 1,
    get: (handshake) => handshake.acceptedNs,
  },
  {
    path: "times.dropped_ns",
    type: "integer",
    unit: "ns after time",
    meaning: "This host's kernel dropped a packet of it: the last that it did",
    since: 1,
    get: (handshake) => handshake.droppedNs,
  },
  {
    path: "times.reset_sent_ns",
    type: "integer",
    unit: "ns after time",
    meaning: "This host's kernel answered a packet of it with a RST",
    since: 1,
    get: (handshake) => handshake.resetSentNs,
  },
  {
    path: "drop.reason",
    type: "string",
    meaning: "Why this host's kernel dropped a packet of it: the kernel's symbol, of the last one",
    since: 1,
    get: (handshake) => handshake.dropReason,
  },
  {
    path: "drop.packet",
    type: "string",
    values: DROPPED_PACKETS,
    meaning: "Which packet was dropped last",
    since: 1,
    get: (handshake) => handshake.dropPacket,
  },
  {
    path: "drop.count",
    type: "integer",
    meaning: "Packets of it that this host's kernel dropped",
    since: 1,
    get: (handshake) => handshake.dropCount,
  },
  {
    path: "drop.queue_length",
    type: "integer",
    meaning: "Entries in the listener's queue that was full",
    since: 1,
    get: (handshake) => handshake.dropQueue?.length,
  },
  {
    path: "drop.queue_limit",
    type: "integer",
    meaning: "Entries that queue may have (the backlog)",
    since: 1,
    get: (handshake) => handshake.dropQueue?.limit,
  },
  {
    path: "reset.reason",
    type: "string",
    meaning: "Why this host's kernel answered a packet of it with a RST: the kernel's symbol",
    since: 1,
    get: (handshake) => handshake.resetReason,
  },
  {
    path: "checks.syn_ack_acknowledges_syn",
    type: "boolean",
    meaning: "SYN-ACK's Ack = SYN's Seq + 1 (plus data accepted from the SYN)",
    since: 1,
    get: (handshake) => handshake.synAckAcknowledgesSyn,
  },
  {
    path: "checks.ack_sequence",
    type: "boolean",
    meaning: "ACK's Seq = SYN's Seq + 1 (plus data sent in the SYN)",
    since: 1,
    get: (handshake) => handshake.ackSequence,
  },
  {
    path: "checks.ack_acknowledges_syn_ack",
    type: "boolean",
    meaning: "ACK's Ack = SYN-ACK's Seq + 1",
    since: 1,
    get: (handshake) => handshake.ackAcknowledgesSynAck,
  },
  {
    path: "flags",
    type: "strings",
    values: HANDSHAKE_FLAGS,
    always: true,
    meaning:
      "Facts that are no error; syn_cookie: the server answered with a SYN cookie; one_sided: " +
      "packets of one direction are missing; trace_ended: the trace ended before an answer could " +
      "come; clock_set: the clock was set meanwhile, or a packet of a file had no valid time, so " +
      "there are no durations",
    since: 1,
    get: (handshake) => handshake.flags,
  },
];

const WIRE_AND_KERNEL: readonly string[] = ["wire", "kernel"];
const WIRE_ONLY: readonly string[] = ["wire"];
const KERNEL_ONLY: readonly string[] = ["kernel"];
