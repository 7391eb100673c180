import type { Handshake, Outcome } from "../../match/handshake.ts";
import { networkRttNs } from "../../match/legs.ts";
import { Histogram } from "../../pipeline/histogram.ts";

/** What is counted of some handshakes, such as those of one server. */
export class Tally {
  handshakes = 0;
  established = 0;
  /** The others, by how they ended. */
  readonly failures: Map<Outcome, number> = new Map();
  /** Handshakes of which a SYN or a SYN-ACK was captured. */
  captured = 0;
  /** Handshakes of which a SYN or a SYN-ACK was captured again. */
  repeated = 0;
  /** SYN to SYN-ACK. */
  clientRtt: Histogram = new Histogram();
  /** The round trip through the network, whichever leg that is; see {@link networkRttNs}. */
  networkRtt: Histogram = new Histogram();

  /** Takes a handshake. */
  record(handshake: Handshake): void {
    const { outcome, synCount, synAckCount, clientRttNs } = handshake;
    const networkNs = networkRttNs(handshake);
    this.handshakes++;
    if (outcome === "established") this.established++;
    else this.failures.set(outcome, (this.failures.get(outcome) ?? 0) + 1);
    if (synCount + synAckCount > 0) this.captured++;
    if (synCount > 1 || synAckCount > 1) this.repeated++;
    if (clientRttNs !== undefined) this.clientRtt.record(clientRttNs);
    if (networkNs !== undefined) this.networkRtt.record(networkNs);
  }

  /** Counts what is left without some parts, whose handshakes were all recorded here too. */
  without(parts: readonly Tally[]): Tally {
    const rest = new Tally();
    const minus = (count: (tally: Tally) => number) =>
      parts.reduce((left, part) => left - count(part), count(this));
    rest.handshakes = minus((tally) => tally.handshakes);
    rest.established = minus((tally) => tally.established);
    for (const outcome of this.failures.keys()) {
      const count = minus((tally) => tally.failures.get(outcome) ?? 0);
      if (count > 0) rest.failures.set(outcome, count);
    }
    rest.captured = minus((tally) => tally.captured);
    rest.repeated = minus((tally) => tally.repeated);
    rest.clientRtt = this.clientRtt.without(parts.map((part) => part.clientRtt));
    rest.networkRtt = this.networkRtt.without(parts.map((part) => part.networkRtt));
    return rest;
  }
}
