import type { Outcome } from "../../match/handshake.ts";
import type { Histogram } from "../../pipeline/histogram.ts";
import type { NamedTally } from "../statistics/top_tallies.ts";
import type { GroupTally } from "./group_tally.ts";
import type { Count } from "./second_counts.ts";

/** A round trip of which half, or 99 of a hundred, are no longer; undefined where none was measured. */
export interface Quantiles {
  p50: number | undefined;
  p99: number | undefined;
}

/** When a row is looked at: the second that is under way, and of how many before it rates are. */
export interface RowMoment {
  now: number;
  rateSeconds: number;
}

/** One row of the table: a group's numbers at a moment. What takes time is found when it is asked for. */
export class GroupRow {
  /** Untrusted text. */
  readonly name: string;
  /** See `NamedTally`. */
  readonly missedMax: number;
  readonly handshakes: number;
  readonly failed: number;
  readonly #tally: GroupTally;
  readonly #moment: RowMoment;
  #perSecond: Count | undefined;
  #network: Quantiles | undefined;
  #host: Quantiles & { as: "client" | "server" } | undefined;
  #history: Count[] | undefined;
  #failures: [Outcome, number][] | undefined;

  /** @param moment When. */
  constructor({ name, tally, missedMax }: NamedTally<GroupTally>, moment: RowMoment) {
    this.name = name;
    this.missedMax = missedMax;
    this.handshakes = tally.handshakes;
    this.failed = tally.handshakes - tally.established;
    this.#tally = tally;
    this.#moment = moment;
  }

  /** How many a second, of the last seconds. */
  get perSecond(): Count {
    return this.#perSecond ??= perSecond(this.#tally, this.#moment);
  }

  /** The round trip through the network. */
  get network(): Quantiles {
    return this.#network ??= quantilesOf(this.#tally.networkRtt);
  }

  /** This host's time, in the role of which there are more. */
  get host(): Quantiles & { as: "client" | "server" } {
    const { client, server } = this.#tally.hostTime;
    const as = (client?.count ?? 0) > (server?.count ?? 0) ? "client" : "server";
    return this.#host ??= { ...quantilesOf(this.#tally.hostTime[as]), as };
  }

  /** The last minute, second by second. */
  get history(): Count[] {
    return this.#history ??= this.#tally.seconds.history(this.#moment.now);
  }

  /** How many ended how, the most frequent first. */
  get failures(): [Outcome, number][] {
    return this.#failures ??= failuresOf(this.#tally);
  }

  /** Finds everything now, so that it stays as it is. */
  freeze(): this {
    void [this.perSecond, this.network, this.host, this.history, this.failures];
    return this;
  }
}

/** How many a second there were of late. */
export function perSecond({ seconds }: GroupTally, { now, rateSeconds }: RowMoment): Count {
  const { handshakes, failed } = seconds.sum(now - rateSeconds, now);
  return { handshakes: handshakes / rateSeconds, failed: failed / rateSeconds };
}

/** How many ended how, the most frequent first. */
export function failuresOf({ failures }: GroupTally): [Outcome, number][] {
  return [...failures].sort((one, two) => two[1] - one[1]);
}

/** Half of the durations are no longer than the one, 99 of a hundred no longer than the other. */
export function quantilesOf(histogram: Histogram | undefined): Quantiles {
  return { p50: histogram?.quantile(0.5), p99: histogram?.quantile(0.99) };
}
