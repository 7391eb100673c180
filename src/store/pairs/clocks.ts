/**
 * How far the clocks of two hosts are apart, with bounds that hold whatever the network does.
 *
 * No packet is there before it was sent. So a delay from the first host to the second, taken from the
 * two clocks, is never less than the second clock is ahead at that time; one back is never less than it
 * is behind.
 *
 * @module
 */

/** The least delay of a direction that was seen in a few seconds; see `LEAST_SQL`. */
export interface LeastDelay {
  /** When, by the first host's clock, nanoseconds of Unix time. */
  atNs: bigint;
  /** Whether it was to the second host. */
  isToOther: boolean;
  /** By the clock of who received less that of who sent. */
  delayNs: number;
  /** Packets that it is the least of. */
  packets: number;
}

/** The clocks of two hosts in a minute. */
export interface ClockWindow {
  /** When it holds, by the first host's clock, nanoseconds of Unix time. */
  atNs: bigint;
  /** Packets that it was taken from. */
  packets: number;
  /** How far the second host's clock is ahead: the middle of the bounds. */
  offsetNs: number;
  /** Half of what lies between them; negative where a clock was set within this minute. */
  uncertaintyNs: number;
  /** Whether a clock was set since the minute before, or within this one. */
  stepped: boolean;
  /** How fast they part, parts per billion, over all minutes since a clock was set; absent: not known. */
  driftPpb?: number;
}

/** Of so many seconds the least delay of each direction counts: a clock does not drift far in them. */
export const SPAN_NS = 4e9;
const MINUTE_NS = 60_000_000_000n;
/** Clocks that are slewed change by less than this: 500 ppm (adjtimex(2), MAXFREQ of the kernel). */
const SLEW = 500e-6;

/** A drift is told where both directions agree on it so nearly: as a number, or as a share of it. */
const DRIFT_DOUBT = 1e-6;
const DRIFT_DOUBT_SHARE = 0.1;

/** A point of time and a delay, nanoseconds. */
type Point = readonly [at: number, delay: number];

/**
 * Makes the windows of two hosts, a minute each. Within a minute a clock is taken to run evenly.
 *
 * @param delays In the order of their times.
 */
export function clockWindows(delays: readonly LeastDelay[]): ClockWindow[] {
  const minutes = Map.groupBy(delays, ({ atNs }) => atNs / MINUTE_NS);
  const windows = [...minutes].map(([minute, some]) => windowOf(minute * MINUTE_NS, some))
    .filter((window) => window !== undefined);
  for (let at = 1; at < windows.length; at++) {
    const [before, now] = [windows[at - 1], windows[at]];
    const changeNs = Math.abs(now.offsetNs - before.offsetNs);
    const slewNs = Number(now.atNs - before.atNs) * SLEW;
    if (changeNs > Math.abs(before.uncertaintyNs) + Math.abs(now.uncertaintyNs) + slewNs) {
      now.stepped = true;
    }
  }
  addDrift(windows);
  return windows;
}

/**
 * Takes of each few seconds the least delay of each direction, as `LEAST_SQL` does of many records.
 *
 * @param delays In any order.
 */
export function leastDelays(
  delays: readonly Omit<LeastDelay, "packets">[],
): LeastDelay[] {
  const spans = Map.groupBy(
    delays,
    ({ atNs, isToOther }) => `${isToOther} ${atNs / BigInt(SPAN_NS)}`,
  );
  return [...spans.values()].map((some) => {
    const least = some.reduce((one, other) => other.delayNs < one.delayNs ? other : one);
    return { ...least, packets: some.length };
  }).sort((one, other) => Number(one.atNs - other.atNs));
}

/** @returns Undefined where nothing is known of a direction. */
function windowOf(beginNs: bigint, delays: readonly LeastDelay[]): ClockWindow | undefined {
  const pointsOf = (isToOther: boolean): Point[] =>
    delays.filter((delay) => delay.isToOther === isToOther)
      .map(({ atNs, delayNs }) => [Number(atNs - beginNs), delayNs]);
  const [there, back] = [pointsOf(true), pointsOf(false)];
  if (there.length === 0 || back.length === 0) return undefined;
  const from = Math.max(there[0][0], back[0][0]);
  const to = Math.min(there[there.length - 1][0], back[back.length - 1][0]);
  const at = (from + to) / 2;
  // Between two moments an even clock lies between what it was at each: so a line between two bounds is one.
  const [upper, lower] = [there, back].map((points) => boundAt(lowerHull(points), at));
  return {
    atNs: beginNs + BigInt(Math.round(at)),
    packets: delays.reduce((sum, { packets }) => sum + packets, 0),
    offsetNs: Math.round((upper - lower) / 2),
    uncertaintyNs: Math.round((upper + lower) / 2),
    stepped: upper + lower < 0,
  };
}

/** Gives each run of minutes in which no clock was set how fast the clocks part. */
function addDrift(windows: readonly ClockWindow[]): void {
  for (let from = 0; from < windows.length;) {
    let to = from + 1;
    while (to < windows.length && !windows[to].stepped) to++;
    const run = windows.slice(from, to).filter(({ uncertaintyNs }) => uncertaintyNs >= 0);
    if (run.length > 1) {
      const since = run[0].atNs;
      const slope = (delay: (window: ClockWindow) => number) =>
        middleSlope(run.map((window) => [Number(window.atNs - since), delay(window)]));
      const there = slope(({ offsetNs, uncertaintyNs }) => uncertaintyNs + offsetNs);
      const back = slope(({ offsetNs, uncertaintyNs }) => uncertaintyNs - offsetNs);
      // Where a way changes, one direction has a slope that is not the clocks'.
      const doubt = Math.abs(there + back) / 2;
      const drift = (there - back) / 2;
      if (doubt <= Math.max(DRIFT_DOUBT, Math.abs(drift) * DRIFT_DOUBT_SHARE)) {
        for (const window of run) window.driftPpb = Math.round(drift * 1e9);
      }
    }
    from = to;
  }
}

/** The slope of the line below all points that is nearest to their middle. */
function middleSlope(points: readonly Point[]): number {
  const middle = (points[0][0] + points[points.length - 1][0]) / 2;
  const [[x0, y0], [x1, y1]] = edgeAt(lowerHull(points), middle);
  return (y1 - y0) / (x1 - x0);
}

/** What the hull is at a time; beyond its ends as much more as a clock may be slewed by. */
function boundAt(hull: readonly Point[], at: number): number {
  const [[first, atFirst], [last, atLast]] = [hull[0], hull[hull.length - 1]];
  if (at <= first) return atFirst + (first - at) * SLEW;
  if (at >= last) return atLast + (at - last) * SLEW;
  const [[x0, y0], [x1, y1]] = edgeAt(hull, at);
  return y0 + (y1 - y0) * (at - x0) / (x1 - x0);
}

function edgeAt(hull: readonly Point[], at: number): [Point, Point] {
  const right = Math.max(1, hull.findIndex(([x]) => x >= at));
  return [hull[right - 1], hull[right]];
}

/** The lower convex hull of points in the order of their times (Andrew's monotone chain). */
function lowerHull(points: readonly Point[]): Point[] {
  const hull: Point[] = [];
  for (const point of points) {
    // Of two at one time the lower one bounds.
    if (hull.length > 0 && hull[hull.length - 1][0] === point[0]) {
      if (hull[hull.length - 1][1] <= point[1]) continue;
      hull.pop();
    }
    while (hull.length > 1 && !isBelow(hull[hull.length - 2], hull[hull.length - 1], point)) {
      hull.pop();
    }
    hull.push(point);
  }
  return hull;
}

/** Whether the second of three points lies below the line from the first to the third. */
function isBelow([x0, y0]: Point, [x1, y1]: Point, [x2, y2]: Point): boolean {
  return (y1 - y0) * (x2 - x0) < (y2 - y0) * (x1 - x0);
}
