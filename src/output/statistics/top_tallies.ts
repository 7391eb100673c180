import type { Handshake } from "../../match/handshake.ts";
import { TALLIES_MAX } from "../limits.ts";
import { Tally } from "./tally.ts";

/** What was counted under one name. */
export interface NamedTally<T extends Tally = Tally> {
  name: string;
  tally: T;
  /** Handshakes of this name at most that came before it was counted; 0: all are counted. */
  missedMax: number;
}

interface Counted<T extends Tally> extends NamedTally<T> {
  /** What keeps the name here: its handshakes, less what was taken from all names for new ones. */
  weight: number;
}

/**
 * Counts handshakes by name, such as a server's address, in bounded memory: exactly for up to
 * {@link TALLIES_MAX} names. When there are more, half of them at least make room for new ones, those
 * that came least (Misra and Gries, "Finding repeated elements", 1982, in batches). A name of more
 * than one in {@link TALLIES_MAX} / 2 of all handshakes is never missing in the end.
 */
export class TopTallies<T extends Tally = Tally> {
  readonly #counted = new Map<string, Counted<T>>();
  readonly #make: () => T;
  /** Handshakes at most that a name can have lost with the tallies that made room. */
  #missedMax = 0;

  /**
   * @param namesMax Names counted at a time, 2 or more. @param make Makes what counts under one name.
   */
  constructor(readonly namesMax: number = TALLIES_MAX, make?: () => T) {
    this.#make = make ?? (() => new Tally() as T);
  }

  /** How many names there were; undefined where they were too many to tell. */
  get names(): number | undefined {
    return this.#missedMax === 0 ? this.#counted.size : undefined;
  }

  /** Takes a handshake of a name. */
  record(name: string, handshake: Handshake): void {
    let counted = this.#counted.get(name);
    if (counted === undefined) {
      if (this.#counted.size >= this.namesMax) this.#makeRoom();
      counted = { name, tally: this.#make(), missedMax: this.#missedMax, weight: 0 };
      this.#counted.set(name, counted);
    }
    counted.weight++;
    counted.tally.record(handshake);
  }

  /** What is counted under a name; undefined where there is none, or it made room. */
  get(name: string): T | undefined {
    return this.#counted.get(name)?.tally;
  }

  /** The names with the most handshakes counted, the first of equals first. */
  list(most: number): NamedTally<T>[] {
    return [...this.#counted.values()]
      .sort((one, other) => other.tally.handshakes - one.tally.handshakes)
      .slice(0, most);
  }

  #makeRoom(): void {
    const weights = Float64Array.from(this.#counted.values(), ({ weight }) => weight).sort();
    const median = weights[weights.length >>> 1];
    for (const counted of this.#counted.values()) {
      counted.weight -= median;
      if (counted.weight <= 0) this.#counted.delete(counted.name);
    }
    this.#missedMax += median;
  }
}
