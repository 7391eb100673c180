import type { Handshake } from "../match/handshake.ts";
import { isCopy } from "../match/keep_packet.ts";
import type { SeenPacket } from "./seen_packet.ts";
import { senderOf } from "./sender.ts";

/** Each packet of a handshake once, whatever it was captured on. */
export interface OnePlace {
  /** The packets, in the order of their times. */
  packets: SeenPacket[];
  /** Copies left out, by the place where they were captured. */
  copies: ReadonlyMap<number, number>;
}

/**
 * Chooses, of packets that were captured at several places on their way, those of the place whose times
 * count for a handshake. One that was seen elsewhere alone is taken from there. At one place the same
 * packet twice is one that was sent twice, unless it is a copy that another tap made.
 */
export function choosePlace(handshake: Handshake, packets: readonly SeenPacket[]): OnePlace {
  const chosen = new Map<string, number>();
  for (const packet of packets) {
    const key = keyOf(handshake, packet);
    if (!chosen.has(key) || packet.place === handshake.place) {
      chosen.set(key, packet.place);
    }
  }
  const copies = new Map<number, number>();
  const kept: SeenPacket[] = [];
  const last = new Map<string, SeenPacket>();
  for (const packet of packets.toSorted((a, b) => a.timeNs - b.timeNs)) {
    const key = keyOf(handshake, packet);
    const before = last.get(key);
    const isOther = before === undefined ||
      !isCopy(before.mark, before.timeNs, packet.mark, packet.timeNs);
    if (chosen.get(key) === packet.place && isOther) {
      kept.push(packet);
      last.set(key, packet);
    } else copies.set(packet.place, (copies.get(packet.place) ?? 0) + 1);
  }
  return { packets: kept, copies };
}

/** What stays the same on the way: middleboxes change options, and address translation addresses. */
function keyOf(handshake: Handshake, packet: SeenPacket): string {
  const { flags, sequence, acknowledgment, payloadLength } = packet;
  return [senderOf(handshake, packet), flags, sequence, acknowledgment, payloadLength].join();
}
