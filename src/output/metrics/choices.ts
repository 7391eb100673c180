/**
 * What may be chosen of metrics, and what holds without. The command line reads it, and loads nothing else
 * for that.
 *
 * @module
 */

/** What a server's labels may name beside its address and port. */
export const EXTRA_LABELS = ["process", "cgroup"] as const;

/** One of {@link EXTRA_LABELS}. */
export type ExtraLabel = typeof EXTRA_LABELS[number];

/** Whether each push tells everything since the start, or what came since the last one. */
export const TEMPORALITIES = ["cumulative", "delta"] as const;

/** One of {@link TEMPORALITIES}. */
export type Temporality = typeof TEMPORALITIES[number];

/** Servers with labels of their own. */
export const SERVERS_USUAL = 200;
/** With more the text would take too long to make each second. */
export const SERVERS_MAX = 2_000;

/** The bounds where no others are asked for, nanoseconds: 10 µs to 10 s. */
export const USUAL_BOUNDS: readonly number[] = [
  ...[1e4, 2.5e4, 5e4, 1e5, 2.5e5, 5e5],
  ...[1e6, 2.5e6, 5e6, 1e7, 2.5e7, 5e7, 1e8, 2.5e8, 5e8],
  ...[1e9, 2.5e9, 5e9, 1e10],
];
/** Bounds of a histogram at most: each is a series of every server. */
export const BOUNDS_MAX = 50;
