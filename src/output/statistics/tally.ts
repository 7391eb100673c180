import type { Handshake } from "../../match/handshake.ts";
import { Histogram } from "../../pipeline/histogram.ts";

/** What is counted of some handshakes, such as those of one server. */
export class Tally {
  handshakes = 0;
  established = 0;
  /** Handshakes of which a SYN or a SYN-ACK was captured. */
  captured = 0;
  /** Handshakes of which a SYN or a SYN-ACK was captured again. */
  repeated = 0;
  /** SYN to SYN-ACK. */
  clientRtt: Histogram = new Histogram();

  /** Takes a handshake. */
  record({ outcome, synCount, synAckCount, clientRttNs }: Handshake): void {
    this.handshakes++;
    if (outcome === "established") this.established++;
    if (synCount + synAckCount > 0) this.captured++;
    if (synCount > 1 || synAckCount > 1) this.repeated++;
    if (clientRttNs !== undefined) this.clientRtt.record(clientRttNs);
  }

  /** Counts what is left without some parts, whose handshakes were all recorded here too. */
  without(parts: readonly Tally[]): Tally {
    const rest = new Tally();
    const minus = (count: (tally: Tally) => number) =>
      parts.reduce((left, part) => left - count(part), count(this));
    rest.handshakes = minus((tally) => tally.handshakes);
    rest.established = minus((tally) => tally.established);
    rest.captured = minus((tally) => tally.captured);
    rest.repeated = minus((tally) => tally.repeated);
    rest.clientRtt = this.clientRtt.without(parts.map((part) => part.clientRtt));
    return rest;
  }
}
