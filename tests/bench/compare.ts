/**
 * Runs that are told apart though the machine's speed drifts: each traced one stands between two
 * untraced ones, and is compared with their mean.
 *
 * @module
 */
import type { Namespace } from "../netns/namespace.ts";
import type { Bench, Figure } from "./row.ts";
import { lostIn, type Outcome } from "./outcome.ts";
import type { Watcher } from "./watchers.ts";

/** What a watcher did to what was measured, one value a round. */
export interface Compared {
  watcher: Watcher;
  /** With it as a share of without. */
  ratios: number[];
  /** With it less without. */
  differences: number[];
  outcomes: Outcome[];
}

/** All runs of a comparison, of one quantity. */
export interface Comparison {
  untraced: number[];
  compared: Compared[];
}

/**
 * Measures with each watcher in turn, and without between them.
 *
 * @param rounds How often each is started.
 * @param measure One run. @returns One or more quantities, always in the same order.
 * @returns A comparison of each quantity.
 */
export async function compare<T extends readonly number[]>(
  bench: Pick<Bench, "say">,
  namespace: Namespace,
  watchers: readonly Watcher[],
  rounds: number,
  measure: () => Promise<T>,
): Promise<{ [Index in keyof T]: Comparison }> {
  const untraced: T[] = [];
  const runs = watchers.map((): { before: T; traced: T; after: T; outcome: Outcome }[] => []);
  for (let round = 0; round < rounds; round++) {
    bench.say(`round ${round + 1} of ${rounds}`);
    let before = await measure();
    untraced.push(before);
    for (const [index, watcher] of watchers.entries()) {
      if (watcher.missing !== undefined) continue;
      const watching = await watcher.start(namespace);
      if (watcher.warmsUp) await measure();
      const traced = await measure();
      const outcome = await watching.stop();
      const after = await measure();
      untraced.push(after);
      runs[index].push({ before, traced, after, outcome });
      before = after;
    }
  }
  return untraced[0].map((_, quantity): Comparison => ({
    untraced: untraced.map((run) => run[quantity]),
    compared: watchers.map((watcher, index) => {
      const untracedMean = runs[index].map(({ before, after }) =>
        (before[quantity] + after[quantity]) / 2
      );
      return {
        watcher,
        ratios: runs[index].map(({ traced }, round) => traced[quantity] / untracedMean[round]),
        differences: runs[index].map(({ traced }, round) => traced[quantity] - untracedMean[round]),
        outcomes: runs[index].map(({ outcome }) => outcome),
      };
    }),
  })) as { [Index in keyof T]: Comparison };
}

/** How the figures of a comparison are told. */
export interface Telling {
  /** What is measured, where a row tells of several quantities. */
  what?: string;
  unit: string;
  /** What the median is held against, by the watcher's name. */
  aims?: Readonly<Record<string, number>>;
}

/** The figures of something that tracing makes less: a rate, each as a share of the untraced one. */
export function shareFigures(comparison: Comparison, { what, unit, aims = {} }: Telling): Figure[] {
  const prefix = what === undefined ? "" : `${what}: `;
  return [
    { name: `${prefix}untraced`, unit, values: comparison.untraced },
    ...comparison.compared.map(({ watcher: { name, missing }, ratios }): Figure => ({
      name: `${prefix}${name} / untraced`,
      unit: "ratio",
      values: ratios,
      ...(name in aims && { aim: { atLeast: aims[name] } }),
      note: missing,
    })),
  ];
}

/** The figures of something that tracing makes more: a time, each as what it adds to the untraced. */
export function addedFigures(comparison: Comparison, { what, unit, aims = {} }: Telling): Figure[] {
  const prefix = what === undefined ? "" : `${what}: `;
  return [
    { name: `${prefix}untraced`, unit, values: comparison.untraced },
    ...comparison.compared.map(({ watcher: { name, missing }, differences }): Figure => ({
      name: `${prefix}added by ${name}`,
      unit,
      values: differences,
      ...(name in aims && { aim: { atMost: aims[name] } }),
      note: missing,
    })),
  ];
}

/**
 * The figure of what a trace did not report, or said was lost, in its first run and the second.
 *
 * @param reported How many of the connections made it told of. @param made How many there were in a run.
 */
export function missingFigure(
  { watcher, outcomes }: Compared,
  made: number,
  reported: (outcome: Outcome) => number | undefined,
): Figure {
  return {
    name: `${watcher.name}: not reported or lost`,
    unit: "",
    values: outcomes.map((outcome) => 2 * made - (reported(outcome) ?? 0) + lostIn(outcome)),
    aim: { atMost: 0 },
    note: watcher.missing,
  };
}
