import type { Handshake } from "../match/handshake.ts";
import { formatAddress } from "../wire/address.ts";
import { escapeText } from "../text/escape.ts";
import type { End, KernelStep } from "./step.ts";
import { explainReason } from "./words.ts";

/** When sockets got further, by the kernel, in the order in which it happens. */
export function kernelSteps(handshake: Handshake): KernelStep[] {
  const known: [timeNs: number | undefined, at: End, text: string][] = [
    [handshake.connectNs, "client", "connect() is called"],
    [handshake.synSentNs, "client", "the kernel hands the SYN down"],
    [handshake.synReceivedNs, "server", "the listener takes the SYN"],
    [handshake.establishedNs, establishedEnd(handshake), "the socket is ESTABLISHED"],
    [handshake.serverEstablishedNs, "server", "the socket is ESTABLISHED"],
    [handshake.acceptedNs, "server", "accept() returns the socket"],
  ];
  return known.flatMap(([timeNs, at, text]): KernelStep[] =>
    timeNs === undefined ? [] : [{ kind: "kernel", timeNs, at, tone: "usual", text }]
  );
}

/** Whose the first of the two times is: the client's where both ends are here and it got that far. */
function establishedEnd(handshake: Handshake): End {
  const { role, serverEstablishedNs, connectNs, synSentNs, client } = handshake;
  if (role !== "local") return role === "server" ? "server" : "client";
  const clientIsKnown = (serverEstablishedNs ?? connectNs ?? synSentNs ?? client.process?.pid) !==
    undefined;
  return clientIsKnown ? "client" : "server";
}

/** That this host's kernel dropped packets, at the time of the last. Undefined where it dropped none. */
export function dropStep(handshake: Handshake): KernelStep | undefined {
  const { droppedNs, dropCount, dropReason, dropPacket, dropQueue, role } = handshake;
  if (dropCount === undefined || dropReason === undefined) return undefined;
  const name = dropPacket === "syn_ack" ? "SYN-ACK" : "SYN";
  const what = dropCount === 1 ? `a ${name}` : `${dropCount} packets, the last a ${name}`;
  const queue = dropQueue ? ` (queue ${dropQueue.length} of ${dropQueue.limit})` : "";
  return {
    kind: "kernel",
    timeNs: droppedNs,
    at: dropQueue ? "server" : role === "server" || role === "client" ? role : undefined,
    tone: "bad",
    text: `this host's kernel drops ${what}: ${escapeText(dropReason)}${queue}`,
  };
}

/** That somebody answered the SYN with an ICMP error. Undefined where nobody did. */
export function icmpStep({ icmp, icmpNs, server }: Handshake): KernelStep | undefined {
  if (icmp === undefined) return undefined;
  const isServer = icmp.reporter.every((word, index) => word === server.address[index]);
  return {
    kind: "kernel",
    timeNs: icmpNs,
    at: isServer ? "server" : undefined,
    tone: "bad",
    text: `${formatAddress(icmp.reporter)} answers the SYN: ${explainReason(icmp.symbol)}`,
  };
}

/** That this host's kernel answered with a RST, and why. Undefined where it did not. */
export function resetStep({ resetReason, resetSentNs, role }: Handshake): KernelStep | undefined {
  if (resetReason === undefined) return undefined;
  return {
    kind: "kernel",
    timeNs: resetSentNs,
    at: role === "server" || role === "client" ? role : undefined,
    tone: "bad",
    text: `this host's kernel sends the RST: ${explainReason(resetReason)}`,
  };
}
