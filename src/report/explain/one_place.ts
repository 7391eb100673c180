import type { SeenPacket } from "./seen_packet.ts";

/** Each packet of a handshake once, whatever it was captured on. */
export interface OnePlace {
  /** The packets, in the order of their times. */
  packets: SeenPacket[];
  /** Copies left out, by the place where they were captured. */
  copies: ReadonlyMap<number, number>;
}

/**
 * Chooses, of packets that were captured at several places on their way, those of the place whose times
 * count. One that was seen elsewhere alone is taken from there. At one place the same packet twice is
 * one that was sent twice.
 *
 * @param place The place that counts, 0: any.
 */
export function choosePlace(packets: readonly SeenPacket[], place: number): OnePlace {
  const chosen = new Map<string, number>();
  for (const packet of packets) {
    const key = keyOf(packet);
    if (!chosen.has(key) || packet.place === place) chosen.set(key, packet.place);
  }
  const copies = new Map<number, number>();
  const kept: SeenPacket[] = [];
  for (const packet of packets) {
    if (chosen.get(keyOf(packet)) === packet.place) kept.push(packet);
    else copies.set(packet.place, (copies.get(packet.place) ?? 0) + 1);
  }
  return { packets: kept.sort((a, b) => a.timeNs - b.timeNs), copies };
}

/** What stays the same on the way: middleboxes change options. */
function keyOf(packet: SeenPacket): string {
  const { source, sourcePort, flags, sequence, acknowledgment, payloadLength } = packet;
  return [...source, sourcePort, flags, sequence, acknowledgment, payloadLength].join();
}
