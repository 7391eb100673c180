import { type Handshake, HANDSHAKE_FLAGS, type HandshakeFlag } from "../../match/handshake.ts";

/** Parts that the numbers from 0 to 2^32 - 1 are divided in. */
const PARTS = 16;
const PART_BITS = 28;
/** Below it nothing can be said of how they are spread. */
const SPREAD_LEAST = 320;
/** Chi-square of 15 degrees of freedom that even numbers exceed once in 10,000 times. */
const CHI_SQUARE_MAX = 44.3;

/** How often a relation of the numbers held. */
export interface CheckCounts {
  held: number;
  failed: number;
}

/** Initial sequence numbers of one side, counted. */
export interface IsnSpread {
  known: number;
  /** Whether they are spread evenly over all numbers; undefined: too few to tell. */
  isEven: boolean | undefined;
  /** The part with the most of them: its first number, and its share of all. */
  densest: { from: number; share: number };
}

/** Counts what the numbers of handshakes tell. */
export class NumberFacts {
  readonly #spread = { client: new Float64Array(PARTS), server: new Float64Array(PARTS) };
  readonly #flags = new Map<HandshakeFlag, number>();
  /** In the order SYN-ACK's Ack, ACK's Seq, ACK's Ack. */
  readonly checks: readonly [CheckCounts, CheckCounts, CheckCounts] = [
    { held: 0, failed: 0 },
    { held: 0, failed: 0 },
    { held: 0, failed: 0 },
  ];

  /** Takes a handshake. */
  take(handshake: Handshake): void {
    const { client, server, flags } = handshake;
    if (client.isn !== undefined) this.#spread.client[client.isn >>> PART_BITS]++;
    if (server.isn !== undefined) this.#spread.server[server.isn >>> PART_BITS]++;
    const { synAckAcknowledgesSyn, ackSequence, ackAcknowledgesSynAck } = handshake;
    count(this.checks[0], synAckAcknowledgesSyn);
    count(this.checks[1], ackSequence);
    count(this.checks[2], ackAcknowledgesSynAck);
    for (const flag of flags) this.#flags.set(flag, (this.#flags.get(flag) ?? 0) + 1);
  }

  /** Handshakes by flag, in the order of {@link HANDSHAKE_FLAGS}. */
  flags(): [flag: HandshakeFlag, handshakes: number][] {
    return HANDSHAKE_FLAGS.flatMap((flag) => {
      const handshakes = this.#flags.get(flag);
      return handshakes === undefined ? [] : [[flag, handshakes]];
    });
  }

  /** How the initial sequence numbers of a side are spread. */
  spread(side: "client" | "server"): IsnSpread {
    const parts = this.#spread[side];
    const known = parts.reduce((sum, part) => sum + part, 0);
    const expected = known / PARTS;
    const chiSquare = parts.reduce((sum, part) => sum + (part - expected) ** 2 / expected, 0);
    const at = parts.indexOf(Math.max(...parts));
    return {
      known,
      isEven: known < SPREAD_LEAST ? undefined : chiSquare <= CHI_SQUARE_MAX,
      densest: { from: at * 2 ** PART_BITS, share: known === 0 ? 0 : parts[at] / known },
    };
  }
}

function count(counts: CheckCounts, verdict: boolean | undefined): void {
  if (verdict === true) counts.held++;
  else if (verdict === false) counts.failed++;
}
