import type { Handshake } from "../../match/handshake.ts";
import { sequenceAdd, sequenceDistance } from "../../wire/sequence.ts";
import { TcpFlag } from "../../wire/tcp_flags.ts";
import type { SeenPacket } from "./seen_packet.ts";
import { senderOf } from "./sender.ts";

/** Data that a server may send before the ACK with TCP Fast Open, which the ACK then covers too. */
const EARLY_DATA_MAX = 1 << 20;

const { SYN, ACK } = TcpFlag;

/**
 * Which numbers fit a handshake: what follows its SYN, and what follows its SYN-ACK. Says which of the
 * packets are the good ones and which only came by; the verdicts themselves are the handshake's.
 */
export class ExpectedNumbers {
  /** Initial sequence number of the client, undefined unknown. */
  readonly clientIsn: number | undefined;
  /** Bytes of data in the SYN. */
  readonly synData: number;
  readonly #serverIsns: readonly number[];
  readonly #serverDataMax: number;

  /** Takes the numbers of a handshake and of its packets. */
  constructor(handshake: Handshake, packets: readonly SeenPacket[]) {
    const { client, server, flags, ackAcknowledgesSynAck } = handshake;
    this.clientIsn = client.isn;
    const syn = packets.find((packet) =>
      (packet.flags & (SYN | ACK)) === SYN && senderOf(handshake, packet) === "client"
    );
    this.synData = syn?.payloadLength ?? 0;
    const isns = packets
      .filter((packet) =>
        (packet.flags & (SYN | ACK)) === (SYN | ACK) && senderOf(handshake, packet) === "server"
      )
      .filter(({ acknowledgment }) => this.followsSyn(acknowledgment))
      .map(({ sequence }) => sequence);
    this.#serverIsns = server.isn === undefined ? isns : [server.isn, ...isns];
    // Where only the kernel knew of TCP Fast Open, the packets were judged without it.
    const isAllowed = flags.includes("tcp_fast_open") && ackAcknowledgesSynAck !== false;
    this.#serverDataMax = isAllowed ? EARLY_DATA_MAX : 0;
  }

  /** Whether a number is the one after the SYN: its Seq + 1, plus data in it. */
  followsSyn(number: number): boolean {
    return this.clientIsn !== undefined && follows(this.clientIsn, number, this.synData);
  }

  /**
   * The initial sequence number of the SYN-ACK that a number follows; undefined where it follows none.
   */
  synAckBefore(number: number): number | undefined {
    return this.#serverIsns.find((isn) => follows(isn, number, this.#serverDataMax));
  }

  /** Whether a number is the very next after a SYN-ACK. */
  isNextOfServer(number: number): boolean {
    return this.#serverIsns.some((isn) => sequenceAdd(isn, 1) === number);
  }
}

function follows(isn: number, number: number, dataMax: number): boolean {
  const distance = sequenceDistance(isn, number);
  return distance >= 1 && distance <= 1 + dataMax;
}
