/**
 * Finds both ends of one handshake in what two hosts told, whatever of them are captures or records.
 *
 * @module
 */
import { isOnTheWay, tierOf } from "../match/both_ends.ts";
import type { Handshake } from "../match/handshake.ts";
import { type HandshakeFilter, passes } from "../pipeline/filter.ts";
import { NEAR_SECONDS } from "../pipeline/twice_seen.ts";
import { NO_ROW, type PacketKeeper, type Sink, type Source } from "../pipeline/sink.ts";
import { escapeText } from "../text/escape.ts";
import { EndTold } from "./end_told.ts";
import { delaysBetween, type Moments, momentsOf, type SeenDelay } from "./moments.ts";
import { StoryTeller } from "./teller.ts";

/** An address and a port. */
interface Endpoint {
  address: Uint32Array;
  port: number;
}

/** A handshake as one host, or one capture, tells it. */
export interface Teller {
  /** Which host, or which capture. */
  key: string;
  /** Its name: safe to print. */
  name: string;
}

/** What takes handshakes of one file, and may have one told. */
export type TakeEnd = (handshake: Handshake, teller: Teller, tell: () => EndTold) => void;

/** A sink that hands on who tells each handshake. */
export class EndsSink implements Sink {
  readonly label = "the ends";
  readonly #file: string;
  readonly #take: TakeEnd;
  readonly #teller = new StoryTeller();
  #source: Source | undefined;
  /** See {@link Sink.takeEvent}. */
  readonly takeEvent: Sink["takeEvent"];

  /** @param file The name of a capture stands for its host. @param onEvent Told of status lines. */
  constructor(file: string, take: TakeEnd, onEvent?: Sink["takeEvent"]) {
    this.#file = file;
    this.#take = take;
    this.takeEvent = onEvent;
  }

  /** See {@link Sink.begin}. */
  begin(source: Source): void {
    this.#source = source;
    this.#teller.begin(source);
  }

  /** See {@link Sink.keepPackets}. */
  keepPackets(rows: number): PacketKeeper {
    return this.#teller.keepPackets(rows);
  }

  /** See {@link Sink.take}. */
  take(handshake: Handshake, row: number): void {
    const isRecord = row === NO_ROW;
    const { host, hostId } = this.#source!.context;
    const teller = isRecord
      ? { key: hostId ?? host, name: escapeText(host) }
      : { key: `file ${this.#file}`, name: escapeText(this.#file) };
    this.#take(
      handshake,
      teller,
      () => {
        const story = this.#teller.tell(handshake, row);
        return new EndTold(handshake, () => story, teller.name, isRecord);
      },
    );
  }

  /** Nothing. */
  flush(): void {}

  /** Nothing. */
  end(): void {}
}

/** What was found of the other end. */
export interface OtherEnd {
  teller: Teller;
  end: EndTold;
  /** Whether it is the client's. */
  isClient: boolean;
  /** Whether only the order of the files says so. */
  isGuessed: boolean;
  tier: 1 | 2 | 3;
}

const MINUTE_NS = 60_000_000_000n;
/** Handshakes of a minute that clocks are bounded by, at most, and ends that may be the other one. */
const MOMENTS_MAX = 100_000;
const OTHERS_MAX = 100;

/**
 * The search, in three passes over all that was told: the handshake that is meant, by one host; what that
 * host had in the same minute; and what others tell of both.
 */
export class PairSearch {
  /** The end that was picked, and who told it. */
  picked:
    | { teller: Teller; end: EndTold; role: Handshake["role"]; client: Endpoint; server: Endpoint }
    | undefined;
  readonly #filter: HandshakeFilter;
  readonly #index: number;
  readonly #onPicked: () => void;
  #matched = 0;
  readonly #moments = new Map<string, Moments>();
  readonly #others: OtherEnd[] = [];
  readonly #delays = new Map<string, SeenDelay[]>();
  readonly #serverHosts = new Map<string, Teller>();
  #rewritten: Teller | undefined;

  /** @param index Which of those that match. @param onPicked Called when it came. */
  constructor(filter: HandshakeFilter, index: number, onPicked: () => void) {
    this.#filter = filter;
    this.#index = index;
    this.#onPicked = onPicked;
  }

  /** The first pass. */
  pick(context: Source["context"]): TakeEnd {
    return (handshake, teller, tell) => {
      if (this.picked !== undefined || handshake.role === "local") return;
      if (handshake.client.isn === undefined) return;
      // A record of who saw a handshake on its way is of neither end.
      if (handshake.role === "observer" && !teller.key.startsWith("file ")) return;
      if (!passes(this.#filter, handshake, context) || ++this.#matched < this.#index) return;
      const [client, server] = [handshake.client, handshake.server].map(copyOf);
      this.picked = { teller, end: tell(), role: handshake.role, client, server };
      this.#onPicked();
    };
  }

  /** The second pass. */
  readonly gather: TakeEnd = (handshake, { key }) => {
    const { teller, end } = this.picked!;
    if (key !== teller.key || this.#moments.size >= MOMENTS_MAX) return;
    const moments = momentsOf(handshake);
    if (moments === undefined || moments.synNs / MINUTE_NS !== end.atNs / MINUTE_NS) return;
    this.#moments.set(numbersOf(handshake), moments);
  };

  /** The third pass. */
  readonly match: TakeEnd = (handshake, teller, tell) => {
    const { end, teller: { key }, client: ownClient, server } = this.picked!;
    if (teller.key === key || handshake.role === "local") return;
    this.#compare(handshake, teller);
    const { client, role } = handshake;
    if (role === "server" && !this.#serverHosts.has(teller.key)) {
      const isThere = handshake.server.address.every((word, at) => word === server.address[at]);
      if (isThere) this.#serverHosts.set(teller.key, teller);
    }
    if (client.isn !== end.identity.clientIsn) {
      const isBetweenThem = isSame(client, ownClient) && isSame(handshake.server, server);
      if (isBetweenThem) this.#rewritten ??= this.#isOfThen(handshake, end) ? teller : undefined;
      return;
    }
    const other = tell();
    const side = this.#sideOf(other, role);
    if (side === undefined || this.#others.length >= OTHERS_MAX) return;
    const [one, two] = side.isClient ? [other, end] : [end, other];
    const tier = tierOf(one.identity, two.identity);
    if (tier === undefined) return;
    const isKnown = this.#others.some(({ teller: { key }, end }) =>
      key === teller.key && end.isToldTwice(other)
    );
    if (!isKnown) this.#others.push({ teller, end: other, ...side, tier });
  };

  /** The other end; undefined: nobody told it, or it cannot be said which of several it is. */
  other(): OtherEnd | undefined {
    const ends = this.#others.filter((one) =>
      !this.#others.some((other) =>
        other.isClient === one.isClient && other.teller.key !== one.teller.key &&
        isOnTheWay(one.isClient, one.end, other.end)
      )
    );
    const best = Math.min(...ends.map(({ tier }) => tier));
    const found = ends.filter(({ tier }) => tier === best);
    return found.length === 1 ? found[0] : undefined;
  }

  /**
   * Who told a handshake between the same addresses and ports at that time, with another initial sequence
   * number of the client; undefined: nobody.
   */
  get rewritten(): Teller | undefined {
    return this.#rewritten;
  }

  /** How many may be the other end. */
  get candidates(): number {
    return this.#others.length;
  }

  /** Hosts that were servers at the address of the server. */
  get serverHosts(): Iterable<Teller> {
    return this.#serverHosts.values();
  }

  /** What another host's clock showed at packets that both had. */
  delaysOf({ key }: Teller): readonly SeenDelay[] {
    return this.#delays.get(key) ?? [];
  }

  /** Which side another end is of; undefined: of the same one, or of none. */
  #sideOf(
    other: EndTold,
    role: Handshake["role"],
  ): Pick<OtherEnd, "isClient" | "isGuessed"> | undefined {
    const { end, role: own } = this.picked!;
    if (own === "client" || own === "server") {
      if (role === own) return undefined;
      return { isClient: own === "server", isGuessed: false };
    }
    if (role === "client" || role === "server") {
      return { isClient: role === "client", isGuessed: false };
    }
    // The nearer a capture is to the client, the longer an answer takes, and the less was lost before it.
    const signs = [
      (other.clientRttNs ?? 0) - (end.clientRttNs ?? 0),
      other.synCount - end.synCount,
      end.synAckCount - other.synAckCount,
    ];
    const isKnown = other.clientRttNs !== undefined && end.clientRttNs !== undefined;
    const sign = (isKnown ? signs : signs.slice(1)).find((each) => each !== 0);
    return { isClient: (sign ?? -1) > 0, isGuessed: sign === undefined };
  }

  /** Whether a handshake is so near in time to an end that clocks alone may tell them apart. */
  #isOfThen({ epochSeconds, timeNs }: Handshake, { atNs }: EndTold): boolean {
    return Math.abs(epochSeconds + timeNs / 1e9 - Number(atNs) / 1e9) < NEAR_SECONDS;
  }

  /** Takes what both hosts had of any handshake of the minute. */
  #compare(handshake: Handshake, { key }: Teller): void {
    const one = this.#moments.get(numbersOf(handshake));
    const other = one && momentsOf(handshake);
    if (one === undefined || other === undefined) return;
    const delays = this.#delays.get(key) ?? [];
    this.#delays.set(key, delays);
    delays.push(...delaysBetween(one, other));
  }
}

function copyOf({ address, port }: Endpoint): Endpoint {
  return { address: address.slice(), port };
}

function isSame(one: Endpoint, other: Endpoint): boolean {
  return one.port === other.port &&
    one.address.every((word, index) => word === other.address[index]);
}

/** Both initial sequence numbers, which no other handshake has. */
function numbersOf({ client, server }: Handshake): string {
  return `${client.isn} ${server.isn}`;
}
