/**
 * This version beside another: the two run in turn, first the one and then the other, so that a machine
 * whose speed drifts, or that has other work, still gives a ratio.
 *
 * @module
 */
import type { Bench, Figure } from "./row.ts";
import { HERE } from "./task_command.ts";

/** Less than this is a loss that no new truth excuses. */
const RATIO_MIN = 0.97;

/** What is compared. */
export interface Quantity {
  name: string;
  unit: string;
  /** Whether more of it is better, as of a rate; else less is, as of a time. */
  isRate?: boolean;
  /** Whether it may be worse, where another quantity tells what that is for. */
  hasNoAim?: boolean;
}

/**
 * Measures two versions in pairs of runs, one of which before the others that counts for nothing: in it
 * the runtime compiles.
 *
 * @param root Folder of the other version. @param pairs How many.
 * @param measure One run of the version in a folder. @returns A number of each quantity.
 * @returns Of each quantity how many times as good this version is as the other, and both in numbers.
 */
export async function compareInPairs<T extends readonly Quantity[]>(
  bench: Pick<Bench, "say">,
  root: string,
  pairs: number,
  quantities: T,
  measure: (root: string) => Promise<{ [Index in keyof T]: number }>,
): Promise<Figure[]> {
  const here: (readonly number[])[] = [];
  const other: (readonly number[])[] = [];
  for (let pair = -1; pair < pairs; pair++) {
    bench.say(pair < 0 ? "a pair to begin with" : `pair ${pair + 1} of ${pairs}`);
    const order = pair % 2 === 0 ? [HERE, root] : [root, HERE];
    for (const version of order) {
      const measured = await measure(version);
      if (pair >= 0) (version === HERE ? here : other).push(measured);
    }
  }
  return quantities.flatMap(({ name, unit, isRate, hasNoAim }, at): Figure[] => {
    const [ours, theirs] = [here, other].map((runs) => runs.map((run) => run[at]));
    return [
      {
        name: `${name}: ${isRate ? "this version / the other" : "the other / this version"}`,
        unit: "ratio",
        values: ours.map((our, pair) => isRate ? our / theirs[pair] : theirs[pair] / our),
        ...hasNoAim ? {} : { aim: { atLeast: RATIO_MIN } },
      },
      { name: `${name}, this version`, unit, values: ours },
      { name: `${name}, the other`, unit, values: theirs },
    ];
  });
}
