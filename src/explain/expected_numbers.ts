import type { Handshake } from "../match/handshake.ts";
import { sequenceAdd, sequenceDistance } from "../wire/sequence.ts";
import { TcpFlag } from "../wire/tcp_flags.ts";
import type { SeenPacket } from "./seen_packet.ts";
import { senderOf } from "./sender.ts";
import type { End } from "./step.ts";

/** More than any server sends before the ACK, which the ACK then covers too. */
const EARLY_DATA_MAX = 1 << 20;

const { SYN, ACK, RST, FIN } = TcpFlag;

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
  /** Bytes of data in the SYN of the other end, which sends one in a simultaneous open. */
  readonly #serverSynData: number;
  readonly #third: SeenPacket | undefined;
  readonly #isInWindowTaken: boolean;

  /** Takes the numbers of a handshake and of its packets. */
  constructor(handshake: Handshake, packets: readonly SeenPacket[]) {
    const { client, server } = handshake;
    this.clientIsn = client.isn;
    this.#isInWindowTaken = handshake.outcome === "established" &&
      handshake.ackAcknowledgesSynAck === true;
    const syns = packets.filter(({ flags }) => (flags & (SYN | ACK)) === SYN);
    const dataOf = (end: End) =>
      syns.find((syn) => senderOf(handshake, syn) === end)?.payloadLength ?? 0;
    this.synData = dataOf("client");
    this.#serverSynData = dataOf("server");
    const isns = packets
      .filter((packet) =>
        (packet.flags & (SYN | ACK)) === (SYN | ACK) && senderOf(handshake, packet) === "server"
      )
      .filter(({ acknowledgment }) => this.followsSyn(acknowledgment))
      .map(({ sequence }) => sequence);
    this.#serverIsns = server.isn === undefined ? isns : [server.isn, ...isns];
    this.#third = thirdOf(handshake, packets, this);
  }

  /** Whether a packet is the one that completed the handshake. */
  isThird(packet: SeenPacket): boolean {
    return packet === this.#third;
  }

  /** Whether a number is the one after the SYN: its Seq + 1, plus data in it. */
  followsSyn(number: number): boolean {
    return this.clientIsn !== undefined && follows(this.clientIsn, number, this.synData);
  }

  /** Whether a number is one behind the SYN and the data in it. */
  isBeyondSyn(number: number): boolean {
    return !this.followsSyn(number) && this.clientIsn !== undefined &&
      follows(this.clientIsn, number, EARLY_DATA_MAX);
  }

  /**
   * Where a client's segment begins that stands for the third packet, which was not captured; undefined
   * where it does not.
   */
  standsForThird(packet: SeenPacket): "behind" | "before" | undefined {
    const { sequence } = packet;
    if (!this.#isInWindowTaken || this.followsSyn(sequence)) return undefined;
    if (this.isBeyondSyn(sequence)) return "behind";
    return this.isBeyondSyn(endOf(packet)) ? "before" : undefined;
  }

  /**
   * The initial sequence number of the SYN-ACK that the Ack of the packet follows which completed the
   * handshake; undefined where it follows none.
   */
  synAckBefore(number: number): number | undefined {
    return this.#serverIsns.find((isn) => isNextOf(isn, number)) ??
      this.#serverIsns.find((isn) => follows(isn, number, EARLY_DATA_MAX));
  }

  /** Whether a number is one of what the server sent in some packets, or the next. */
  isOfServer(number: number, packets: readonly SeenPacket[]): boolean {
    const sent = packets.filter(({ flags }) => (flags & RST) === 0);
    const isns = packets.filter(({ flags, acknowledgment }) =>
      (flags & (SYN | ACK | RST)) === (SYN | ACK) && this.followsSyn(acknowledgment)
    ).map(({ sequence }) => sequence);
    // Of more than two the first and the last are believed.
    const last = isns.findLast((isn) => isn !== isns[0]);
    return isns.filter((isn) => isn === isns[0] || isn === last).some((isn) => {
      // Another SYN-ACK, or one that answers another SYN, is no part of what was sent behind this one.
      const octets = sent.filter(({ flags, sequence }) => (flags & SYN) === 0 || sequence === isn)
        .map((packet) => sequenceDistance(isn, endOf(packet)))
        .filter((distance) => distance >= 1 && distance <= EARLY_DATA_MAX);
      return follows(isn, number, Math.max(1, ...octets) - 1);
    });
  }

  /** Whether a number is the one after the server's SYN, or SYN-ACK: its Seq + 1, plus data in a SYN. */
  followsServerSyn(number: number): boolean {
    return this.#serverIsns.some((isn) => follows(isn, number, this.#serverSynData));
  }

  /** Whether a number is the very next after a SYN-ACK. */
  isNextOfServer(number: number): boolean {
    return this.#serverIsns.some((isn) => isNextOf(isn, number));
  }
}

/**
 * The packet that completed a handshake: the one of that time whose Seq is the next of its sender, the
 * last such where several are; without times the first whose numbers fit to the byte.
 */
function thirdOf(
  handshake: Handshake,
  packets: readonly SeenPacket[],
  expected: ExpectedNumbers,
): SeenPacket | undefined {
  const { timeNs, ackNs, ackSequence, flags } = handshake;
  if (ackSequence !== true) return undefined;
  const acks = packets.filter((packet) => (packet.flags & (SYN | ACK | RST)) === ACK);
  // A server's ACK completes what the client alone had answered by then.
  const isSplit = flags.includes("simultaneous_open");
  const fitting = acks.filter((packet) =>
    senderOf(handshake, packet) === "client"
      ? expected.followsSyn(packet.sequence)
      : isSplit && expected.followsServerSyn(packet.sequence) &&
        expected.followsSyn(packet.acknowledgment)
  );
  if (ackNs !== undefined) {
    const atTime = fitting.filter((packet) => packet.timeNs - timeNs === ackNs);
    // Its copy at another place has another time.
    const candidates = atTime.length > 0 ? atTime : fitting;
    return candidates.find(({ acknowledgment }) => expected.isNextOfServer(acknowledgment)) ??
      candidates.at(atTime.length > 0 ? -1 : 0);
  }
  if (!flags.includes("clock_set")) return undefined;
  return fitting.find(({ acknowledgment }) => expected.isNextOfServer(acknowledgment)) ??
    fitting[0];
}

function isNextOf(isn: number, number: number): boolean {
  return sequenceAdd(isn, 1) === number;
}

/** The number behind a packet. */
function endOf({ sequence, payloadLength, flags }: SeenPacket): number {
  const control = (flags & (SYN | FIN)) !== 0 ? 1 : 0;
  return sequenceAdd(sequence, payloadLength + control);
}

function follows(isn: number, number: number, dataMax: number): boolean {
  const distance = sequenceDistance(isn, number);
  return distance >= 1 && distance <= 1 + dataMax;
}
