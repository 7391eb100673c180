/**
 * How a packet passed the place where it was captured.
 *
 * @module
 */

/** See {@linkcode Segment.passage}. */
export const Passage = {
  /** The capture does not tell, or the packet was overheard: it was neither sent to this host nor by it. */
  UNKNOWN: 0,
  /** It came in, to this host. */
  RECEIVED: 1,
  /** This host sent it, or sent it on. */
  SENT: 2,
} as const;

/** `sll_pkttype` of `struct sockaddr_ll` (linux/if_packet.h). */
export const PacketType = {
  /** To this host. */
  HOST: 0,
  BROADCAST: 1,
  MULTICAST: 2,
  /** To another host: an interface in promiscuous mode shows it. */
  OTHER_HOST: 3,
  /** Sent by this host. */
  OUTGOING: 4,
} as const;

/** What Linux says of a packet's passage. @param packetType See {@linkcode PacketType}. */
export function passageOf(packetType: number): number {
  if (packetType === PacketType.OUTGOING) return Passage.SENT;
  return packetType < PacketType.OTHER_HOST ? Passage.RECEIVED : Passage.UNKNOWN;
}
