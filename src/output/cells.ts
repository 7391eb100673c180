/**
 * The parts of a handshake as text for people: lines and tables are made of them.
 *
 * @module
 */
import { formatHexadecimal } from "../text/hexadecimal.ts";
import type { Endpoint, Handshake } from "../match/handshake.ts";
import { toAscii } from "../text/ascii.ts";
import { clip, clipMiddle, widthOf } from "../text/width.ts";
import {
  containerOfEnd,
  hasOnlyId,
  netnsLabel,
  unitOfEnd,
  type WhereContext,
} from "./whereabouts.ts";
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

/** What is told of a process beside its name. */
export interface ProcessParts {
  /** Its number: always, or where no container is told. */
  pid: "always" | "on_host";
  /** Its cgroup, where no container is told. */
  cgroup: boolean;
}

const USUAL_PARTS: ProcessParts = { pid: "always", cgroup: false };

/** Writes who connected to whom: `curl/4711@web -> ?`; "" where neither is known. */
export function formatProcesses(
  { client, server }: Handshake,
  context: WhereContext,
  parts: ProcessParts = USUAL_PARTS,
): string {
  return client.process || server.process
    ? `${formatProcess(client, context, parts)} -> ${formatProcess(server, context, parts)}`
    : "";
}

/** Writes the network namespace, where that is not the tool's own nor a container's; else "". */
export function formatNetns(handshake: Handshake, context: WhereContext): string {
  const label = netnsLabel(handshake, context);
  return label === "" ? "" : `netns ${escapeText(label)}`;
}

/** Of a command's name so many characters are left at least, where a container's takes the rest. */
const COMM_LEAST = 6;
const ASCII = /^[\x20-\x7e]*$/;

/**
 * Writes the name of an end's process and its container: `curl@web`; "" where none is known. What is
 * longer is cut off: of an id the end, of a name the middle, for both its ends tell it from others.
 */
export function formatWho(
  end: Endpoint,
  context: WhereContext,
  { width, ascii }: { width: number; ascii: boolean },
): string {
  const safe = (text: string) => ascii ? toAscii(escapeText(text)) : escapeText(text);
  const comm = safe(end.process?.comm ?? "");
  const container = safe(containerOfEnd(end, context));
  if (container === "") return clip(comm, width, ascii);
  const room = width - 1 - Math.min(widthOf(comm), COMM_LEAST);
  const where = hasOnlyId(end, context)
    ? container.slice(0, room)
    : ASCII.test(container)
    ? clipMiddle(container, room, ascii)
    : clip(container, room, ascii);
  return `${clip(comm, width - 1 - widthOf(where), ascii)}@${where}`;
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

/** Writes the process at an end: `curl/4711@web`, `?` where it is not known. */
export function formatProcess(
  end: Endpoint,
  context: WhereContext,
  parts: ProcessParts = USUAL_PARTS,
): string {
  const { process } = end;
  if (process === undefined) return "?";
  const container = containerOfEnd(end, context);
  const pid = container === "" || parts.pid === "always" ? `/${process.pid}` : "";
  const where = container === "" && parts.cgroup ? unitOfEnd(end, context) : container;
  return escapeText(process.comm) + pid + (where === "" ? "" : `@${escapeText(where)}`);
}

/** Writes an initial sequence number: `0x4ce45750`, `-` where it is unknown. */
export function formatIsn(isn: number | undefined): string {
  return isn === undefined ? "-" : formatHexadecimal(isn);
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
