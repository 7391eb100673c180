import type { Endpoint, Handshake } from "../match/handshake.ts";
import { formatAddress } from "../wire/address.ts";
import { escapeText } from "./escape.ts";
import { formatDuration, formatTime } from "./time.ts";

/** Columns of a line: heading and width in characters; a longer value pushes the rest right. */
const COLUMNS = [
  ["TIME (UTC)", 15],
  ["ROLE", 8],
  ["OUTCOME", 12],
  ["CLIENT", 21],
  ["SERVER", 21],
  ["CLIENT RTT", -10],
  ["SERVER RTT", -10],
  ["CLIENT ISN", 10],
  ["SERVER ISN", 10],
  ["CHECKS", 6],
  ["PROCESS", 0],
] as const;

/** The headings of the lines that {@link formatHandshake} writes, with a newline. */
export function formatHeading(): string {
  return joinColumns(COLUMNS.map(([heading]) => heading));
}

/**
 * Writes a handshake as one aligned line for a terminal, with a newline: `-` is unknown, the checks
 * are the three relations of the numbers in the order SYN-ACK's Ack, ACK's Seq, ACK's Ack.
 */
export function formatHandshake(handshake: Handshake): string {
  const { client, server } = handshake;
  const ambiguous = handshake.ambiguous ? "ambiguous" : "-";
  return joinColumns([
    formatTime(handshake.epochSeconds, handshake.timeNs).slice(11, 26),
    handshake.role,
    handshake.outcome,
    formatEndpoint(client),
    formatEndpoint(server),
    handshake.clientRttNs === undefined
      ? handshake.firstSynToSynAckNs === undefined ? "-" : ambiguous
      : formatDuration(handshake.clientRttNs),
    handshake.serverRttNs === undefined
      ? handshake.firstSynAckToAckNs === undefined ? "-" : ambiguous
      : formatDuration(handshake.serverRttNs),
    formatIsn(client.isn),
    formatIsn(server.isn),
    formatCheck(handshake.synAckAcknowledgesSyn) + formatCheck(handshake.ackSequence) +
    formatCheck(handshake.ackAcknowledgesSynAck),
    formatRemarks(handshake),
  ]);
}

function formatRemarks(handshake: Handshake): string {
  const { client, server, reason, synCount, synAckCount, flags } = handshake;
  const processes = client.process || server.process
    ? `${formatProcess(client)} -> ${formatProcess(server)}`
    : "";
  return [
    processes,
    escapeText(reason ?? ""),
    formatReset(handshake),
    formatDrops(handshake),
    synCount > 1 ? `${synCount} SYNs` : "",
    synAckCount > 1 ? `${synAckCount} SYN-ACKs` : "",
    ...flags,
    handshake.wire ? handshake.kernel ? "" : "wire only" : "kernel only",
  ].filter((part) => part !== "").join(", ");
}

function formatReset({ reason, resetReason }: Handshake): string {
  return resetReason === undefined || resetReason === reason
    ? ""
    : `reset: ${escapeText(resetReason)}`;
}

function formatDrops(handshake: Handshake): string {
  const { outcome, reason, resetReason, dropCount, dropReason, dropQueue } = handshake;
  if (dropCount === undefined || dropReason === undefined) return "";
  const isTold = dropReason === reason || dropReason === resetReason;
  // What is answered with a RST is dropped then: nothing new.
  if (isTold && outcome === "refused") return "";
  const queue = dropQueue ? ` (queue ${dropQueue.length}/${dropQueue.limit})` : "";
  return `${dropCount} dropped${isTold ? "" : `: ${escapeText(dropReason)}`}${queue}`;
}

function formatProcess({ process }: Endpoint): string {
  return process ? `${escapeText(process.comm)}/${process.pid}` : "?";
}

/** Writes address and port: `192.0.2.1:80`, `[2001:db8::1]:80`. */
export function formatEndpoint({ address, port }: Endpoint): string {
  const text = formatAddress(address);
  return text.includes(":") ? `[${text}]:${port}` : `${text}:${port}`;
}

function formatIsn(isn: number | undefined): string {
  return isn === undefined ? "-" : "0x" + isn.toString(16).padStart(8, "0");
}

function formatCheck(verdict: boolean | undefined): string {
  return verdict === undefined ? "-" : verdict ? "✓" : "✗";
}

function joinColumns(values: readonly string[]): string {
  let line = "";
  values.forEach((value, index) => {
    const width = COLUMNS[index][1];
    line += (index === 0 ? "" : " ") + (width < 0 ? value.padStart(-width) : value.padEnd(width));
  });
  return line.trimEnd() + "\n";
}
