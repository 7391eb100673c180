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
  readonly clientRtt: Histogram = new Histogram();
  /** The round trip through the network, whichever leg that is; see {@link networkRttNs}. */
  readonly networkRtt: Histogram = new Histogram();

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

  /** Counts all that another one has counted, too. */
  add(other: Tally): void {
    this.handshakes += other.handshakes;
    this.established += other.established;
    for (const [outcome, count] of other.failures) {
      this.failures.set(outcome, (this.failures.get(outcome) ?? 0) + count);
    }
    this.captured += other.captured;
    this.repeated += other.repeated;
    this.clientRtt.add(other.clientRtt);
    this.networkRtt.add(other.networkRtt);
  }
}
