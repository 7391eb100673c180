/**
 * How much a report holds. The help tells it, and loads nothing else for that.
 *
 * @module
 */

/** Rows of a table that wait for the widths of those behind them. */
export const TABLE_ROWS_HELD = 10_000;
/** Names that statistics count at a time. */
export const TALLIES_MAX = 4_096;
