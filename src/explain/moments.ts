/**
 * What the clocks of two hosts showed at the packets of one handshake.
 *
 * @module
 */
import type { Handshake } from "../match/handshake.ts";

/** Two clocks at one packet of a handshake that both hosts had; see `LeastDelay` of `store/pairs`. */
export interface SeenDelay {
  /** By the clock of the first host, nanoseconds of Unix time. */
  atNs: bigint;
  isToOther: boolean;
  delayNs: number;
}

/** The moments of a handshake by the clock of one host, nanoseconds of Unix time. */
export interface Moments {
  /** Whether that host is the client; undefined: it is neither end, or that is not known. */
  isClient: boolean | undefined;
  clientRttNs: number;
  synNs: bigint;
  synAckNs: bigint;
  ackNs: bigint;
}

/** The moments of one that was established with each packet once; undefined: of another. */
export function momentsOf(handshake: Handshake): Moments | undefined {
  const { outcome, synCount, synAckCount, synNs, synAckNs, ackNs, clientRttNs, role } = handshake;
  if (outcome !== "established" || synCount !== 1 || synAckCount !== 1) return undefined;
  if (synNs === undefined || synAckNs === undefined || ackNs === undefined) return undefined;
  const beginNs = BigInt(handshake.epochSeconds) * 1_000_000_000n + BigInt(handshake.timeNs);
  return {
    isClient: role === "client" ? true : role === "server" ? false : undefined,
    clientRttNs: clientRttNs ?? synAckNs - synNs,
    synNs: beginNs + BigInt(synNs),
    synAckNs: beginNs + BigInt(synAckNs),
    ackNs: beginNs + BigInt(ackNs),
  };
}

/** How long each packet of a handshake was under way, by the clocks of both hosts. */
export function delaysBetween(one: Moments, other: Moments): SeenDelay[] {
  const isFromOne = one.isClient ??
    (other.isClient !== undefined ? !other.isClient : one.clientRttNs >= other.clientRttNs);
  return [
    delayOf(isFromOne, one.synNs, other.synNs),
    delayOf(!isFromOne, one.synAckNs, other.synAckNs),
    delayOf(isFromOne, one.ackNs, other.ackNs),
  ];
}

function delayOf(isToOther: boolean, oneNs: bigint, otherNs: bigint): SeenDelay {
  return {
    atNs: oneNs,
    isToOther,
    delayNs: Number(isToOther ? otherNs - oneNs : oneNs - otherNs),
  };
}
