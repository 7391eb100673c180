import type { Endpoint, Handshake } from "../match/handshake.ts";
import { escapeText } from "../text/escape.ts";
import { formatEndpoint } from "../wire/address.ts";
import { formatDuration } from "../text/time.ts";

/**
 * Says in one line of printable text which handshake this is, whose, and how it ended, for the comment
 * at its packets: `established 192.0.2.1:40000 → 192.0.2.2:80, client curl (4711), client RTT 10.2 ms`.
 *
 * `read` takes the words at its end for flags: behind the name of a process always comes its number.
 */
export function describeHandshake(handshake: Handshake): string {
  const { client, server, outcome, reason, vlan, clientRttNs, serverRttNs, flags } = handshake;
  return [
    `${outcome} ${formatEndpoint(client)} → ${formatEndpoint(server)}`,
    vlan === undefined ? "" : `VLAN ${vlan}`,
    reason === undefined ? "" : escapeText(reason),
    describeProcess("client", client),
    describeProcess("server", server),
    clientRttNs === undefined ? "" : `client RTT ${formatDuration(clientRttNs)}`,
    serverRttNs === undefined ? "" : `server RTT ${formatDuration(serverRttNs)}`,
    ...flags,
  ].filter((part) => part !== "").join(", ");
}

function describeProcess(side: string, { process }: Endpoint): string {
  return process ? `${side} ${escapeText(process.comm)} (${process.pid})` : "";
}
