import type { Address, Handshake } from "../match/handshake.ts";
import { addressesEqual } from "../wire/address.ts";
import { TcpFlag } from "../wire/tcp_flags.ts";
import type { SeenPacket } from "./seen_packet.ts";
import type { End } from "./step.ts";

const SYN_ACK = TcpFlag.SYN | TcpFlag.ACK;

/**
 * Who sent a packet of a handshake, by either of its tuples where this host translates addresses. A
 * port connected to itself sends both ways: its SYN-ACK counts as the answer.
 */
export function senderOf(handshake: Handshake, packet: SeenPacket): End {
  const { client, translated, flags } = handshake;
  if (flags.includes("self_connect")) {
    return (packet.flags & SYN_ACK) === SYN_ACK ? "server" : "client";
  }
  const isClient = isFrom(packet, client) ||
    translated !== undefined && isFrom(packet, translated.client);
  return isClient ? "client" : "server";
}

function isFrom({ source, sourcePort }: SeenPacket, { address, port }: Address): boolean {
  return sourcePort === port && addressesEqual(source, 0, address, 0);
}
