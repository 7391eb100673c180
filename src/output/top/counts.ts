import type { Handshake } from "../../match/handshake.ts";
import { networkRttNs } from "../../match/legs.ts";
import {
  type Grouping,
  type GroupingContext,
  GROUPINGS,
  namesOf,
} from "../statistics/groupings.ts";
import { TopTallies } from "../statistics/top_tallies.ts";
import { GroupTally } from "./group_tally.ts";
import { type KeptHandshake, Latest, Slowest } from "./kept_handshakes.ts";
import type { TopClock } from "./top_clock.ts";

/** How many of the latest failures are kept to be shown. */
export const FAILURES_MAX = 1_000;
/** Slowest handshakes that are kept. */
const SLOWEST_MAX = 100;

/** Everything that is counted of the handshakes taken, in bounded memory. */
export class Counts {
  /** All of them together. */
  readonly all: GroupTally;
  /** By the names of each grouping. */
  readonly groups: Readonly<Record<Grouping, TopTallies<GroupTally>>>;
  /** How often a name was counted in each grouping, also of those that made room for others. */
  readonly named: Record<Grouping, number>;
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
    this.named = Object.fromEntries(GROUPINGS.map((grouping) => [grouping, 0])) as Record<
      Grouping,
      number
    >;
  }

  /** Counts one, which the clock has placed; nothing of the object is kept. */
  record(handshake: Handshake, context: GroupingContext): void {
    this.all.record(handshake);
    for (let at = 0; at < GROUPINGS.length; at++) {
      const grouping = GROUPINGS[at];
      const tallies = this.groups[grouping];
      const names = namesOf(grouping, handshake, context);
      this.named[grouping] += names.length;
      tallies.record(names, handshake);
    }
  }

  /** Keeps one, if it failed or is slow. */
  keep(kept: KeptHandshake): void {
    const { handshake } = kept;
    if (handshake.outcome !== "established") this.failures.push(kept);
    const ns = networkRttNs(handshake);
    if (ns !== undefined) this.slowest.offer(kept, ns);
  }

  /** Whether one failed, or is slow enough. */
  wants(handshake: Handshake): boolean {
    if (handshake.outcome !== "established") return true;
    const ns = networkRttNs(handshake);
    return ns !== undefined && this.slowest.takes(ns);
  }
}
