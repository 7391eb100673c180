/**
 * Since when a way between two hosts takes longer, or less long: by the least delays of a few seconds
 * each, which what waits in queues now and then does not change.
 *
 * @module
 */
import type { LeastDelay } from "./clocks.ts";

/** That the least delay of one direction changed. */
export interface DelayChange {
  /** From when on, by the first host's clock, nanoseconds of Unix time. */
  atNs: bigint;
  /** Whether of the way to the second host. */
  isToOther: boolean;
  /** By how much it takes longer; negative: less long. */
  byNs: number;
}

/** Spans before and after that are held against each other, at most and at least. */
const SPANS_MAX = 5;
const SPANS_MIN = 3;
/** A change is larger than this, and than so many times what the delays of either side differ by. */
const LEAST_NS = 100_000;
const SPREADS = 3;
/** Two changes at one time that are each other's opposite, so nearly, are a clock that was set. */
const OPPOSITE_SHARE = 0.3;

interface Shift {
  at: number;
  byNs: number;
}

/** Slopes are taken over so many spans: over fewer, noise is more than drift. */
const SLOPE_SPANS_MIN = 3;
const SLOPE_SPANS_MAX = 6;

/**
 * How fast two clocks part, parts per billion, by delays of both directions: the middle of many slopes,
 * which a way that changes at once does not move. 0: too few are there.
 *
 * @param delays In the order of their times.
 */
export function steadyDriftPpb(delays: readonly LeastDelay[]): number {
  const [there, back] = [true, false].map((isToOther) => {
    const own = delays.filter((delay) => delay.isToOther === isToOther);
    const slopes = own.flatMap((from, at) =>
      own.slice(at + SLOPE_SPANS_MIN, at + SLOPE_SPANS_MAX + 1)
        .map((to) => (to.delayNs - from.delayNs) / Number(to.atNs - from.atNs))
    );
    return slopes.length === 0 ? 0 : middle(slopes);
  });
  return Math.round((there - back) / 2 * 1e9);
}

/**
 * Finds changes.
 *
 * @param delays In the order of their times. @param driftPpb How fast the clocks part.
 */
export function delayChanges(
  delays: readonly LeastDelay[],
  driftPpb: number,
): DelayChange[] {
  if (delays.length === 0) return [];
  const beginNs = delays[0].atNs;
  const [there, back] = [true, false].map((isToOther) => {
    const own = delays.filter((delay) => delay.isToOther === isToOther);
    const drift = (isToOther ? -1 : 1) * driftPpb / 1e9;
    const levels = own.map(({ atNs, delayNs }) => delayNs + drift * Number(atNs - beginNs));
    return shiftsIn(levels).map(({ at, byNs }) => ({ atNs: own[at].atNs, isToOther, byNs }));
  });
  const isClock = (one: DelayChange, others: readonly DelayChange[]) =>
    others.some((other) =>
      Math.abs(Number(one.atNs - other.atNs)) < CLOCK_SET_NS &&
      Math.abs(one.byNs + other.byNs) < OPPOSITE_SHARE * Math.abs(one.byNs)
    );
  return [
    ...there.filter((change) => !isClock(change, back)),
    ...back.filter((change) => !isClock(change, there)),
  ].sort((one, other) => Number(one.atNs - other.atNs));
}

/** How near in time the two directions tell of one clock that was set. */
const CLOCK_SET_NS = 15e9;

/** Where the level of numbers shifts, and by how much. */
function shiftsIn(levels: readonly number[]): Shift[] {
  const candidates: (Shift & { rest: number })[] = [];
  for (let at = SPANS_MIN; at + SPANS_MIN <= levels.length; at++) {
    const [before, after] = [
      levels.slice(Math.max(0, at - SPANS_MAX), at),
      levels.slice(at, at + SPANS_MAX),
    ];
    const [one, other] = [middle(before), middle(after)];
    const spread = Math.max(deviation(before, one), deviation(after, other));
    if (Math.abs(other - one) <= LEAST_NS + SPREADS * spread) continue;
    const rest = distance(before, one) + distance(after, other);
    candidates.push({ at, byNs: Math.round(other - one), rest });
  }
  // Of those near each other, which see the same shift, the one that explains the most.
  return candidates.filter(({ at, rest }) =>
    candidates.every((other) =>
      other.at === at || Math.abs(other.at - at) > SPANS_MAX || other.rest > rest ||
      other.rest === rest && other.at > at
    )
  );
}

/** How far values are from their level, on average. */
function distance(values: readonly number[], level: number): number {
  return values.reduce((sum, value) => sum + Math.abs(value - level), 0) / values.length;
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const half = sorted.length / 2;
  return (sorted[Math.floor(half)] + sorted[Math.ceil(half) - 1]) / 2;
}

/** How far values are from their middle, in the middle. */
function deviation(values: readonly number[], from: number): number {
  return middle(values.map((value) => Math.abs(value - from)));
}
