import { networkRttNs } from "../../match/legs.ts";
import { type Grouping, GROUPINGS, namesOf } from "../statistics/groupings.ts";
import { TopTallies } from "../statistics/top_tallies.ts";
import { GroupTally } from "./group_tally.ts";
import { type KeptHandshake, Latest, Slowest } from "./kept_handshakes.ts";
import type { TopClock } from "./top_clock.ts";

/** Failures that are kept. */
export const FAILURES_MAX = 1_000;
/** Slowest handshakes that are kept. */
const SLOWEST_MAX = 100;

/** Everything that is counted of the handshakes taken, in bounded memory. */
export class Counts {
  /** All of them together. */
  readonly all: GroupTally;
  /** By the names of each grouping. */
  readonly groups: Readonly<Record<Grouping, TopTallies<GroupTally>>>;
  readonly failures: Latest<KeptHandshake> = new Latest(FAILURES_MAX);
  /** By the round trip through the network. */
  readonly slowest: Slowest<KeptHandshake> = new Slowest(SLOWEST_MAX);

  /** @param namesMax Names of each grouping counted at a time, see {@link TopTallies}. */
  constructor(clock: TopClock, namesMax?: number) {
    this.all = new GroupTally(clock);
    const tallies = () => new TopTallies(namesMax, () => new GroupTally(clock));
    this.groups = Object.fromEntries(
      GROUPINGS.map((grouping) => [grouping, tallies()]),
    ) as Record<Grouping, TopTallies<GroupTally>>;
  }

  /** Takes one, which the clock has placed. */
  record(kept: KeptHandshake): void {
    const { handshake, context } = kept;
    this.all.record(handshake);
    for (let at = 0; at < GROUPINGS.length; at++) {
      const grouping = GROUPINGS[at];
      const tallies = this.groups[grouping];
      for (const name of namesOf(grouping, handshake, context)) tallies.record(name, handshake);
    }
    if (handshake.outcome !== "established") this.failures.push(kept);
    const ns = networkRttNs(handshake);
    if (ns !== undefined) this.slowest.offer(kept, ns);
  }
}
