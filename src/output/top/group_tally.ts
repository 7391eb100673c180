import type { Handshake } from "../../match/handshake.ts";
import { hostTimeNs } from "../../match/legs.ts";
import { Histogram } from "../../pipeline/histogram.ts";
import { Tally } from "../statistics/tally.ts";
import { SecondCounts } from "./second_counts.ts";
import type { TopClock } from "./top_clock.ts";

/** What is counted of a group, such as a server: what statistics tell, when, and this host's time by role. */
export class GroupTally extends Tally {
  /** This host's time as client, and as server, see {@link hostTimeNs}: never mixed. */
  readonly hostTime: Partial<Record<"client" | "server", Histogram>> = {};
  readonly seconds: SecondCounts = new SecondCounts();
  readonly #clock: TopClock;

  /** @param clock Tells in which second what is taken counts. */
  constructor(clock: TopClock) {
    super();
    this.#clock = clock;
  }

  /** Takes a handshake, which the clock has placed. */
  override record(handshake: Handshake): void {
    super.record(handshake);
    this.seconds.record(this.#clock.second, handshake.outcome !== "established");
    const host = hostTimeNs(handshake);
    if (host === undefined) return;
    const role = handshake.role as "client" | "server";
    (this.hostTime[role] ??= new Histogram()).record(host);
  }
}
