import type { Handshake, Outcome, Role } from "../match/handshake.ts";
import { formatEndpoint } from "../wire/address.ts";
import type { EndIdentity } from "../match/both_ends.ts";
import type { Part } from "./step.ts";
import type { Story } from "./story.ts";

/** Two tracers of one host stamp a packet by one clock; a SYN is sent again after a second at the earliest. */
const TOLD_TWICE_NS = 100e6;

/** What one of two hosts tells of a handshake: a copy, which outlives the object. */
export class EndTold {
  /** Who tells it: safe to print. */
  readonly host: string;
  /** What that host is in it. */
  readonly role: Role;
  readonly identity: EndIdentity;
  /** When it begins, nanoseconds of Unix time by that host's clock. */
  readonly atNs: bigint;
  /** Whether its packets are at hand; else a record told of them. */
  readonly hasPackets: boolean;
  /** Whether that host saw packets of it at all. */
  readonly sawPackets: boolean;
  readonly reason: string | undefined;
  /** SYN to SYN-ACK, and the moments of its packets after `atNs`; undefined: not known. */
  readonly clientRttNs: number | undefined;
  readonly synNs: number | undefined;
  readonly synAckNs: number | undefined;
  readonly ackNs: number | undefined;
  readonly #counts: Readonly<Record<Part, number>>;
  readonly #tell: () => Story;
  #story: Story | undefined;
  /** Whether each packet of it came once, so that what both ends saw are the same ones. */
  readonly isPlain: boolean;

  /**
   * Copies what is needed.
   *
   * @param tell Tells its story, once somebody asks for it. @param isRecord Whether a record tells it.
   */
  constructor(handshake: Handshake, tell: () => Story, host: string, isRecord: boolean) {
    const { client, server, outcome, synCount, synAckCount, rstCount } = handshake;
    this.host = host;
    this.#tell = tell;
    this.role = handshake.role;
    this.identity = {
      outcome,
      client: formatEndpoint(client),
      server: formatEndpoint(server),
      clientIsn: client.isn,
      serverIsn: server.isn,
    };
    this.atNs = BigInt(handshake.epochSeconds) * 1_000_000_000n + BigInt(handshake.timeNs);
    this.hasPackets = !isRecord;
    this.sawPackets = handshake.wire;
    this.reason = handshake.reason ?? handshake.dropReason ?? handshake.resetReason;
    this.clientRttNs = handshake.clientRttNs;
    this.synNs = handshake.synNs;
    this.synAckNs = handshake.synAckNs;
    this.ackNs = handshake.ackNs;
    this.isPlain = synCount === 1 && synAckCount === 1;
    this.#counts = {
      "SYN": synCount,
      "SYN-ACK": synAckCount,
      "ACK": handshake.ackNs === undefined ? 0 : 1,
      "RST": rstCount,
    };
  }

  /** What that host tells. */
  get story(): Story {
    return this.#story ??= this.#tell();
  }

  /** How it ended there. */
  get outcome(): Outcome {
    return this.identity.outcome;
  }

  /** SYNs and SYN-ACKs that it saw. */
  get synCount(): number {
    return this.count("SYN");
  }

  /** See {@link synCount}. */
  get synAckCount(): number {
    return this.count("SYN-ACK");
  }

  /** Whether another tracer of the same host told the same. */
  isToldTwice(other: EndTold | undefined): boolean {
    if (other === undefined || this.host !== other.host || this.role !== other.role) return false;
    const apartNs = Number(this.atNs - other.atNs);
    const { client, server, clientIsn } = other.identity;
    return Math.abs(apartNs) < TOLD_TWICE_NS && this.identity.clientIsn === clientIsn &&
      this.identity.client === client && this.identity.server === server;
  }

  /** How many packets of a part it saw. */
  count(part: Part): number {
    return this.#counts[part];
  }

  /** Whether it was told before the last of a part had to come: then it counts them no more. */
  endedBefore(part: Part): boolean {
    const isOver = this.outcome === "refused" || this.outcome === "aborted";
    return isOver || this.outcome === "established" && part !== "SYN";
  }
}
