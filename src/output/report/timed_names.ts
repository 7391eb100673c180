import type { AllNames, Grouping } from "../statistics/groupings.ts";

/** By what handshakes are counted over time, beside how they ended. */
export const TIMED_GROUPINGS = [
  "server",
  "client",
  "process",
  "container",
  "cgroup",
] as const satisfies readonly Grouping[];

/** One of {@link TIMED_GROUPINGS}. */
export type TimedGrouping = typeof TIMED_GROUPINGS[number];

/** Names of each grouping that are counted over time: those that come first. */
const NAMES_MAX = 256;

/** Numbers of names at most: each is less than this. */
export const NAME_NUMBERS = TIMED_GROUPINGS.length * NAMES_MAX;

/**
 * Numbers names, the first that come of each grouping: those are counted from their first handshake on.
 */
export class TimedNames {
  readonly #numbers = new Map<TimedGrouping, Map<string, number>>(
    TIMED_GROUPINGS.map((grouping) => [grouping, new Map()]),
  );

  /** The numbers of a handshake's names, without those that came too late. */
  numbersOf(names: AllNames): number[] {
    const found: number[] = [];
    TIMED_GROUPINGS.forEach((grouping, at) => {
      const numbers = this.#numbers.get(grouping)!;
      for (const name of names[grouping]) {
        let number = numbers.get(name);
        if (number === undefined && numbers.size < NAMES_MAX) {
          number = at * NAMES_MAX + numbers.size;
          numbers.set(name, number);
        }
        if (number !== undefined) found.push(number);
      }
    });
    return found;
  }

  /** The number of a name; undefined where it came too late, or never. */
  numberOf(grouping: TimedGrouping, name: string): number | undefined {
    return this.#numbers.get(grouping)!.get(name);
  }
}
