import type { Endpoint, Handshake } from "../match/handshake.ts";
import { formatAddress } from "../wire/address.ts";
import { toAscii } from "../text/ascii.ts";
import { escapeText } from "../text/escape.ts";
import { formatDuration, formatTime } from "../text/time.ts";

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

/** How a check is shown that held, and one that did not. */
const CHECKS = ["✓", "✗"];
const ASCII_CHECKS = ["y", "n"];

/** The headings of the lines that {@link formatHandshake} writes, with a newline. */
export function formatHeading(): string {
  return joinColumns(COLUMNS.map(([heading]) => heading));
}

/**
 * Writes a handshake as one aligned line for a terminal, with a newline: `-` is unknown, the checks
 * are the three relations of the numbers in the order SYN-ACK's Ack, ACK's Seq, ACK's Ack.
 *
 * @param ascii Whether to write ASCII alone: a check that held as `y`, one that did not as `n`.
 */
export function formatHandshake(handshake: Handshake, ascii = false): string {
  const { client, server } = handshake;
  const checks = [
    handshake.synAckAcknowledgesSyn,
    handshake.ackSequence,
    handshake.ackAcknowledgesSynAck,
  ];
  const line = joinColumns([
    formatTime(handshake.epochSeconds, handshake.timeNs).slice(11, 26),
    handshake.role,
    handshake.outcome,
    formatEndpoint(client),
    formatEndpoint(server),
    ...formatRtts(handshake),
    formatIsn(client.isn),
    formatIsn(server.isn),
    checks.map((verdict) => formatCheck(verdict, ascii ? ASCII_CHECKS : CHECKS)).join(""),
    formatRemarks(handshake),
  ]);
  return ascii ? toAscii(line) : line;
}

/** Writes client RTT and server RTT: `-` is unknown, `ambiguous` withheld by Karn's rule. */
export function formatRtts(handshake: Handshake): [client: string, server: string] {
  const ambiguous = handshake.ambiguous ? "ambiguous" : "-";
  const { clientRttNs, serverRttNs, firstSynToSynAckNs, firstSynAckToAckNs } = handshake;
  return [
    clientRttNs === undefined
      ? firstSynToSynAckNs === undefined ? "-" : ambiguous
      : formatDuration(clientRttNs),
    serverRttNs === undefined
      ? firstSynAckToAckNs === undefined ? "-" : ambiguous
      : formatDuration(serverRttNs),
  ];
}

function formatRemarks(handshake: Handshake): string {
  const { synCount, synAckCount, flags } = handshake;
  return [
    formatProcesses(handshake),
    ...formatReasons(handshake),
    synCount > 1 ? `${synCount} SYNs` : "",
    synAckCount > 1 ? `${synAckCount} SYN-ACKs` : "",
    ...flags,
    handshake.wire ? handshake.kernel ? "" : "wire only" : "kernel only",
  ].filter((part) => part !== "").join(", ");
}

/** Writes who connected to whom: `curl/4711 -> ?`; "" where neither is known. */
export function formatProcesses({ client, server }: Handshake): string {
  return client.process || server.process
    ? `${formatProcess(client)} -> ${formatProcess(server)}`
    : "";
}

/** Writes why it ended as it did: errno, RST, drops, each "" where there is none. */
export function formatReasons(handshake: Handshake): string[] {
  return [escapeText(handshake.reason ?? ""), formatReset(handshake), formatDrops(handshake)];
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

function formatCheck(verdict: boolean | undefined, [held, failed]: readonly string[]): string {
  return verdict === undefined ? "-" : verdict ? held : failed;
}

function joinColumns(values: readonly string[]): string {
  let line = "";
  values.forEach((value, index) => {
    const width = COLUMNS[index][1];
    line += (index === 0 ? "" : " ") + (width < 0 ? value.padStart(-width) : value.padEnd(width));
  });
  return line.trimEnd() + "\n";
}
