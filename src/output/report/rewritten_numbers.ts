import { POSSIBLE_ENDS } from "../../match/both_ends.ts";
import type { Endpoint, Handshake, Outcome } from "../../match/handshake.ts";
import { NEAR_SECONDS } from "../../pipeline/twice_seen.ts";
import { escapeText } from "../../text/escape.ts";
import { formatEndpoint } from "../../wire/address.ts";
import { EvenSample, spread } from "./even_sample.ts";

/** Handshakes whose ends are remembered at most. */
const REMEMBERED_MAX = 1 << 12;
/** Pairs of hosts whose ends differ, and pairs whose ends fit: where there are more of these nothing is said. */
const APART_MAX = 64;
const JOINED_MAX = 1 << 12;

/** A host that tells handshakes: what tells it from every other, and its name, an untrusted text. */
export interface TellingHost {
  key: string;
  name: string;
}

/** What a host told as one end. */
interface ToldEnd {
  host: TellingHost;
  isn: number;
  seconds: number;
  outcome: Outcome;
}

/** The last that was told of some addresses and ports, and counts for itself. */
type Ends = Partial<Record<"client" | "server", ToldEnd>>;

/**
 * Finds hosts between which something rewrites initial sequence numbers: of the same addresses and ports at
 * the same time each tells one end, with another number of the client, and no two ends of them fit. Their
 * ends cannot be joined.
 */
export class RewrittenNumbers {
  readonly #ends = new EvenSample<Ends>(REMEMBERED_MAX);
  /** Hosts of ends that differ in the number, and of ends that fit; client's and server's. */
  readonly #apart = new Map<string, readonly [client: TellingHost, server: TellingHost]>();
  readonly #joined = new Set<string>();

  /** Takes a handshake that counts. */
  take(handshake: Handshake, host: TellingHost): void {
    const { role, client, server, outcome, epochSeconds, timeNs } = handshake;
    if (role !== "client" && role !== "server" || client.isn === undefined) return;
    const number = numberOf(client, server);
    if (this.#ends.leavesOut(number)) return;
    const name = nameOf(client, server);
    let ends = this.#ends.get(name);
    if (ends === undefined) this.#ends.set(name, number, ends = {});
    ends[role] = { host, isn: client.isn, seconds: epochSeconds + timeNs / 1e9, outcome };
    const { client: one, server: other } = ends;
    if (one === undefined || other === undefined || !areOfOne(one, other)) return;
    ends.client = ends.server = undefined;
    const pair = pairOf(one.host, other.host);
    if (this.#apart.size < APART_MAX) this.#apart.set(pair, [one.host, other.host]);
  }

  /** Takes what another host told of one that counts already. */
  takeAgain({ role, client, server }: Handshake, host: TellingHost): void {
    if (role !== "client" && role !== "server") return;
    if (this.#ends.leavesOut(numberOf(client, server))) return;
    const ends = this.#ends.get(nameOf(client, server));
    const other = role === "client" ? ends?.server : ends?.client;
    if (other === undefined || other.isn !== client.isn || this.#joined.size >= JOINED_MAX) return;
    this.#joined.add(role === "client" ? pairOf(host, other.host) : pairOf(other.host, host));
  }

  /** A sentence for each two hosts whose ends count apart. */
  describe(): string[] {
    if (this.#joined.size >= JOINED_MAX) return [];
    return [...this.#apart].filter(([pair]) => !this.#joined.has(pair))
      .map(([, [client, server]]) =>
        `${escapeText(client.name)} and ${
          escapeText(server.name)
        } tell different initial sequence ` +
        "numbers of the same handshakes: a firewall or proxy on the way rewrites them, so each end " +
        "counts as a handshake of its own."
      );
  }
}

/** Whether the two ends can be of one handshake whose numbers were rewritten. */
function areOfOne(client: ToldEnd, server: ToldEnd): boolean {
  return client.host.key !== server.host.key && client.isn !== server.isn &&
    Math.abs(client.seconds - server.seconds) <= NEAR_SECONDS &&
    POSSIBLE_ENDS[client.outcome].includes(server.outcome);
}

function numberOf(client: Endpoint, server: Endpoint): number {
  let number = spread(client.port << 16 | server.port);
  for (let word = 0; word < client.address.length; word++) {
    number = spread(number ^ spread(client.address[word] ^ number) ^ server.address[word]);
  }
  return number;
}

function nameOf(client: Endpoint, server: Endpoint): string {
  return `${formatEndpoint(client)} ${formatEndpoint(server)}`;
}

function pairOf(client: TellingHost, server: TellingHost): string {
  return `${client.key}\n${server.key}`;
}
