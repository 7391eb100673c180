import type { Handshake } from "./handshake.ts";

/** The durations of a handshake that one may ask for, see {@linkcode legNs}. */
export const LEGS = ["network", "client", "server", "total"] as const;

/** One of {@linkcode LEGS}. */
export type Leg = typeof LEGS[number];

/**
 * How long a leg took, nanoseconds; undefined where that is unknown or withheld by Karn's rule.
 *
 * @param leg `network` is {@linkcode networkRttNs}, `client` SYN to SYN-ACK, `server` SYN-ACK to ACK,
 *   `total` the first SYN to the ACK.
 */
export function legNs(handshake: Handshake, leg: Leg): number | undefined {
  switch (leg) {
    case "network":
      return networkRttNs(handshake);
    case "client":
      return handshake.clientRttNs;
    case "server":
      return handshake.serverRttNs;
    case "total":
      return handshake.totalNs;
  }
}

/**
 * The round trip through the network, and no time of this host: SYN to SYN-ACK for a client, SYN-ACK to
 * ACK for a server, both together where neither or both ends are here.
 */
export function networkRttNs(handshake: Handshake): number | undefined {
  const { role, clientRttNs, serverRttNs } = handshake;
  if (role === "client") return clientRttNs;
  if (role === "server") return serverRttNs;
  return clientRttNs === undefined || serverRttNs === undefined
    ? undefined
    : clientRttNs + serverRttNs;
}

/**
 * How long this host took for its part, and no time of the network: SYN-ACK to ACK for a client, SYN to
 * SYN-ACK for a server. Undefined where it is unknown, and where neither or both ends are here.
 */
export function hostTimeNs({ role, clientRttNs, serverRttNs }: Handshake): number | undefined {
  if (role === "client") return serverRttNs;
  return role === "server" ? clientRttNs : undefined;
}
