/**
 * The parts of a handshake as text for people: lines and tables are made of them.
 *
 * @module
 */
import type { Endpoint, Handshake } from "../match/handshake.ts";
import { networkRttNs } from "../match/legs.ts";
import { escapeText } from "../text/escape.ts";
import { formatDuration } from "../text/time.ts";

/** How a check is shown that held, and one that did not. */
const CHECKS = ["✓", "✗"];
const ASCII_CHECKS = ["y", "n"];

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

/** Writes {@link networkRttNs}: `-` is unknown, `ambiguous` withheld by Karn's rule. */
export function formatNetworkRtt(handshake: Handshake): string {
  const ns = networkRttNs(handshake);
  if (ns !== undefined) return formatDuration(ns);
  return formatRtts(handshake).includes("ambiguous") ? "ambiguous" : "-";
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

/** Writes what came again and the facts that are worth a word, each "" where there is none. */
export function formatFacts({ synCount, synAckCount, flags }: Handshake): string[] {
  return [
    synCount > 1 ? `${synCount} SYNs` : "",
    synAckCount > 1 ? `${synAckCount} SYN-ACKs` : "",
    ...flags,
  ];
}

/** Writes which source saw it where the other did not: `wire only`; else "". */
export function formatEvidence({ wire, kernel }: Handshake): string {
  return wire ? kernel ? "" : "wire only" : "kernel only";
}

function formatProcess({ process }: Endpoint): string {
  return process ? `${escapeText(process.comm)}/${process.pid}` : "?";
}

/** Writes an initial sequence number: `0x4ce45750`, `-` where it is unknown. */
export function formatIsn(isn: number | undefined): string {
  return isn === undefined ? "-" : "0x" + isn.toString(16).padStart(8, "0");
}

/**
 * Writes the three relations of the numbers in the order SYN-ACK's Ack, ACK's Seq, ACK's Ack: `✓` held,
 * `✗` did not, `-` that packet was not seen.
 *
 * @param ascii Whether to write `y` and `n` instead.
 */
export function formatChecks(handshake: Handshake, ascii: boolean): string {
  const { synAckAcknowledgesSyn, ackSequence, ackAcknowledgesSynAck } = handshake;
  const [held, failed] = ascii ? ASCII_CHECKS : CHECKS;
  return [synAckAcknowledgesSyn, ackSequence, ackAcknowledgesSynAck]
    .map((verdict) => verdict === undefined ? "-" : verdict ? held : failed).join("");
}

/** Joins what is not empty. */
export function joinParts(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(", ");
}
