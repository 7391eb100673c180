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
  /** Of names that made room for others. */
  readonly #forgotten = new Tally();
  readonly #make: () => T;

  /**
   * @param namesMax Names counted at a time, 2 or more. @param make Makes what counts under one name.
   */
  constructor(readonly namesMax: number = TALLIES_MAX, make?: () => T) {
    this.#counted = new FrequentNames(namesMax, ({ tally }) => this.#forgotten.add(tally));
    this.#make = make ?? (() => new Tally() as T);
  }

  /** How many names there were; undefined where they were too many to tell. */
  get names(): number | undefined {
    return this.#counted.missedMax === 0 ? this.#counted.size : undefined;
  }

  /** Takes a handshake of some names. */
  record(names: readonly string[], handshake: Handshake): void {
    for (let at = 0; at < names.length; at++) {
      this.#counted.take(names[at], this.#begin).tally.record(handshake);
    }
  }

  readonly #begin = (name: string, missedMax: number) => ({
    name,
    tally: this.#make(),
    missedMax,
    weight: 0,
  });

  /** The names with the most handshakes counted, the first of equals first. */
  list(most: number): NamedTally<T>[] {
    return this.#ranked().slice(0, most);
  }

  /** All that is not counted in the {@link list} of so many. */
  others(most: number): Tally {
    const others = new Tally();
    others.add(this.#forgotten);
    for (const { tally } of this.#ranked().slice(most)) others.add(tally);
    return others;
  }

  #ranked(): NamedTally<T>[] {
    return [...this.#counted.values()]
      .sort((one, other) => other.tally.handshakes - one.tally.handshakes);
  }
}
