import {
  DROPPED_PACKETS,
  HANDSHAKE_FLAGS,
  type HandshakeFlag,
  OUTCOMES,
  ROLES,
} from "../match/handshake.ts";
import { endpointFields } from "./endpoint_fields.ts";
import { boolean, type Field, integer, isComputed, LastingTexts, text, texts } from "./field.ts";
import { NETWORK_FIELDS } from "./network_fields.ts";
import { parseTime, timeText } from "../text/time.ts";
import { readNanoseconds, readSeconds } from "../text/time_bytes.ts";

/** Version of the record: fields may be added to it, none is ever changed. */
export const RECORD_VERSION = 1;

/** Every field of the record, in the order in which it is written. */
export const FIELDS: readonly Field[] = [
  integer("v", "Version of the record", () => RECORD_VERSION, {
    always: true,
    set: isComputed,
  }),
  text("event", "Kind of the line", () => "handshake", {
    values: ["handshake"],
    always: true,
    set: isComputed,
  }),
  text(
    "time",
    "The first SYN on the wire, or the first kernel time where no packet was seen",
    (it) => timeText(it.epochSeconds, it.timeNs),
    {
      always: true,
      varies: true,
      unit: "RFC 3339, UTC, nine digits",
      judges: true,
      read: (it, bytes, begin, end) => {
        const seconds = readSeconds(bytes, begin, end);
        if (seconds === undefined) return false;
        it.epochSeconds = seconds;
        it.timeNs = readNanoseconds(bytes, end);
        return true;
      },
      set: (it, text: string) => {
        const moment = parseTime(text);
        if (moment === undefined) return false;
        it.epochSeconds = moment.seconds;
        it.timeNs = moment.ns;
      },
    },
  ),
  text("host", "Name of the host that traced", (_, context) => context.host, { always: true }),
  text(
    "host_id",
    "Which host traced, whatever its name: made of its machine-id (machine-id(5)), which stays secret",
    (_, context) => context.hostId,
    { unit: "32 hexadecimal digits" },
  ),
  text(
    "tracer",
    "Which run of the tool on that host: its process id and when it began (ms of Unix time)",
    (_, context) => context.tracer,
    { unit: "PID-START" },
  ),
  text(
    "role",
    "This host's part: one end, both ends (local) or neither (observer)",
    (it) => it.role,
    { values: ROLES, always: true },
  ),
  text(
    "outcome",
    "How it ended: refused by a RST; timeout, unreachable and aborted (the client gave up or could not begin) " +
      "by the client's kernel or RST; half_open: no ACK came; dropped: this host's kernel dropped " +
      "the SYN; unanswered: nothing came",
    (it) => it.outcome,
    { values: OUTCOMES, always: true },
  ),
  text(
    "reason",
    "Symbol of the errno the client's socket got; without one, of the ICMP error that answered, " +
      "or the kernel's own reason to drop or refuse",
    (it) => it.reason ?? null,
    { nullable: true, always: true },
  ),
  texts(
    "evidence",
    "Which sources saw it",
    (it) => it.wire ? it.kernel ? WIRE_AND_KERNEL : WIRE_ONLY : KERNEL_ONLY,
    {
      values: ["wire", "kernel"],
      always: true,
      set: (it, sources: readonly string[]) => {
        it.wire = sources.includes("wire");
        it.kernel = sources.includes("kernel");
      },
    },
  ),
  ...NETWORK_FIELDS,
  ...endpointFields("client", "SYN"),
  ...endpointFields("server", "SYN-ACK"),
  integer(
    "rtt.client_ns",
    "SYN to SYN-ACK; of the SYN that was answered, absent where that cannot be told",
    (it) => it.clientRttNs,
  ),
  integer(
    "rtt.server_ns",
    "SYN-ACK to ACK; of the SYN-ACK that was answered, absent where that cannot be told",
    (it) => it.serverRttNs,
  ),
  integer("rtt.total_ns", "First SYN to ACK", (it) => it.totalNs),
  boolean(
    "rtt.ambiguous",
    "An RTT is absent because a repeated packet was answered and no timestamp tells which",
    (it) => it.ambiguous,
    { always: true },
  ),
  integer(
    "rtt.first_syn_to_syn_ack_ns",
    "With repeated SYNs: first SYN to SYN-ACK",
    (it) => it.firstSynToSynAckNs,
  ),
  integer(
    "rtt.last_syn_to_syn_ack_ns",
    "With repeated SYNs: last SYN before the SYN-ACK to SYN-ACK",
    (it) => it.lastSynToSynAckNs,
  ),
  integer(
    "rtt.first_syn_ack_to_ack_ns",
    "With repeated SYN-ACKs: first SYN-ACK to ACK",
    (it) => it.firstSynAckToAckNs,
  ),
  integer(
    "rtt.last_syn_ack_to_ack_ns",
    "With repeated SYN-ACKs: last SYN-ACK before the ACK to ACK",
    (it) => it.lastSynAckToAckNs,
  ),
  integer(
    "rtt.kernel_client_ns",
    "The client kernel's own sample of SYN to SYN-ACK, in whole microseconds",
    (it) => it.kernelClientRttNs,
  ),
  integer(
    "rtt.kernel_server_ns",
    "The server kernel's own sample of SYN-ACK to ACK, in whole microseconds",
    (it) => it.kernelServerRttNs,
  ),
  integer("packets.syn", "SYNs seen, repeated ones included", (it) => it.synCount, {
    always: true,
  }),
  integer("packets.syn_ack", "SYN-ACKs seen, repeated ones included", (it) => it.synAckCount, {
    always: true,
  }),
  integer("packets.rst", "RSTs that ended it", (it) => it.rstCount, { always: true }),
  integer(
    "times.connect_ns",
    "connect() was called: before routing and port choice; by the tracepoint only",
    (it) => it.connectNs,
  ),
  integer(
    "times.syn_sent_ns",
    "The client's kernel was about to send the first SYN; by function probes only",
    (it) => it.synSentNs,
  ),
  integer("times.syn_ns", "First SYN captured", (it) => it.synNs),
  integer(
    "times.syn_received_ns",
    "The listener took the SYN and is about to answer it; by function probes only",
    (it) => it.synReceivedNs,
  ),
  integer("times.syn_ack_ns", "First SYN-ACK captured", (it) => it.synAckNs),
  integer("times.ack_ns", "The ACK that completes it captured", (it) => it.ackNs),
  integer(
    "times.established_ns",
    "This host's socket became ESTABLISHED; the client's where both ends are here",
    (it) => it.establishedNs,
  ),
  integer(
    "times.server_established_ns",
    "The server's socket became ESTABLISHED, where both ends are here",
    (it) => it.serverEstablishedNs,
  ),
  integer(
    "times.accepted_ns",
    "accept() returned the socket, where it did before the record was written",
    (it) => it.acceptedNs,
  ),
  integer(
    "times.dropped_ns",
    "This host's kernel dropped a packet of it: the last that it did",
    (it) => it.droppedNs,
  ),
  integer(
    "times.reset_sent_ns",
    "This host's kernel answered a packet of it with a RST",
    (it) => it.resetSentNs,
  ),
  text(
    "drop.reason",
    "Why this host's kernel dropped a packet of it: the kernel's symbol, of the last one",
    (it) => it.dropReason,
    { always: "drop" },
  ),
  text("drop.packet", "Which packet was dropped last", (it) => it.dropPacket, {
    values: DROPPED_PACKETS,
    always: "drop",
  }),
  integer("drop.count", "Packets of it that this host's kernel dropped", (it) => it.dropCount, {
    always: "drop",
  }),
  integer(
    "drop.queue_length",
    "Entries in the listener's queue that was full",
    (it) => it.dropQueue?.length,
    { needs: ["drop.queue_limit"] },
  ),
  integer(
    "drop.queue_limit",
    "Entries that queue may have (the backlog)",
    (it) => it.dropQueue?.limit,
    { needs: ["drop.queue_length"] },
  ),
  text(
    "reset.reason",
    "Why this host's kernel answered a packet of it with a RST: the kernel's symbol",
    (it) => it.resetReason,
    { always: "reset" },
  ),
  boolean(
    "checks.syn_ack_acknowledges_syn",
    "SYN-ACK's Ack = SYN's Seq + 1 (plus data accepted from the SYN)",
    (it) => it.synAckAcknowledgesSyn,
  ),
  boolean(
    "checks.ack_sequence",
    "ACK's Seq = SYN's Seq + 1 (plus data sent in the SYN)",
    (it) => it.ackSequence,
  ),
  boolean(
    "checks.ack_acknowledges_syn_ack",
    "ACK's Ack = SYN-ACK's Seq + 1",
    (it) => it.ackAcknowledgesSynAck,
  ),
  texts(
    "flags",
    "Facts that are no error; syn_cookie: the server answered with a SYN cookie; one_sided: " +
      "packets of one direction are missing; trace_ended: the trace ended before an answer could " +
      "come; clock_set: the clock was set meanwhile, or times of a file are not valid or " +
      "contradict what answers what, so there are no durations",
    ({ flags }) => lastingFlags.of(flags),
    {
      values: HANDSHAKE_FLAGS,
      always: true,
      set: (it, flags: readonly HandshakeFlag[]) => {
        for (const flag of flags) it.flags.push(flag);
      },
    },
  ),
];

/** What the levels of the record hold, by their paths. */
export const LEVELS: Readonly<Record<string, string>> = {
  network: "What lies below TCP",
  "network.translated": "The other tuple, where this host translates addresses (NAT)",
  "network.translated.client": "The end that sent the SYN",
  "network.translated.server": "The end that the SYN went to",
  client: "The end that sent the SYN",
  "client.process": "Its process",
  "client.process.container": "The container that it is in",
  "client.process.thread": "The thread of it that acted",
  server: "The end that the SYN went to",
  "server.process": "Its process",
  "server.process.container": "The container that it is in",
  "server.process.thread": "The thread of it that acted",
  rtt: "Durations between packets",
  packets: "Packets counted",
  times: "Moments after `time`",
  drop: "Packets of it that this host's kernel dropped; absent where none is known",
  reset: "The RST that this host's kernel sent; absent where none is known",
  checks: "Verdicts on the numbers; absent where the packets are missing",
};

const WIRE_AND_KERNEL: readonly string[] = Object.freeze(["wire", "kernel"]);
const WIRE_ONLY: readonly string[] = Object.freeze(["wire"]);
const KERNEL_ONLY: readonly string[] = Object.freeze(["kernel"]);
const lastingFlags = new LastingTexts();
