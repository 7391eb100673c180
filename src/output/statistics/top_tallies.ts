import type { Handshake } from "../../match/handshake.ts";
import { TALLIES_MAX } from "../limits.ts";
import { FrequentNames, type Weighed } from "./frequent_names.ts";
import { Tally } from "./tally.ts";

/** What was counted under one name. */
export interface NamedTally<T extends Tally = Tally> {
  name: string;
  tally: T;
  /** Handshakes of this name at most that came before it was counted; 0: all are counted. */
  missedMax: number;
}

/**
 * Counts handshakes by name, such as a server's address, in bounded memory: exactly for up to
 * {@link TALLIES_MAX} names. A name of more than one in {@link TALLIES_MAX} / 2 of all handshakes is
 * never missing in the end, see {@link FrequentNames}.
 */
export class TopTallies<T extends Tally = Tally> {
  readonly #counted: FrequentNames<string, NamedTally<T> & Weighed>;
  readonly #make: () => T;

  /**
   * @param namesMax Names counted at a time, 2 or more. @param make Makes what counts under one name.
   */
  constructor(readonly namesMax: number = TALLIES_MAX, make?: () => T) {
    this.#counted = new FrequentNames(namesMax);
    this.#make = make ?? (() => new Tally() as T);
  }

  /** How many names there were; undefined where they were too many to tell. */
  get names(): number | undefined {
    return this.#counted.missedMax === 0 ? this.#counted.size : undefined;
  }

  /** Takes a handshake of a name. */
  record(name: string, handshake: Handshake): void {
    const { tally } = this.#counted.take(
      name,
      (missedMax) => ({ name, tally: this.#make(), missedMax, weight: 0 }),
    );
    tally.record(handshake);
  }

  /** The names with the most handshakes counted, the first of equals first. */
  list(most: number): NamedTally<T>[] {
    return [...this.#counted.values()]
      .sort((one, other) => other.tally.handshakes - one.tally.handshakes)
      .slice(0, most);
  }
}
