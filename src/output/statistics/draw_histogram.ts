import { type Column, formatColumns, formatShare } from "../columns.ts";
import type { DurationBucket } from "./duration_buckets.ts";
import { formatDuration } from "../../text/time.ts";

/** Characters of the longest bar. */
const BAR_WIDTH = 40;
/** U+258F to U+2588 of Unicode's Block Elements: one eighth of a character to eight. */
const EIGHTHS = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

const COLUMNS: readonly Column[] = [
  { heading: "FROM", align: "right" },
  { heading: "BELOW", align: "right" },
  { heading: "HANDSHAKES", align: "right" },
  { heading: "SHARE", align: "right" },
  { heading: "", align: "left" },
];

/**
 * Draws a histogram for a terminal: a line a bucket with its edges, its count, its share and a bar.
 *
 * @param buckets Side by side, at least one not empty. @param ascii Bars of `#` instead of blocks.
 */
export function drawHistogram(buckets: readonly DurationBucket[], ascii: boolean): string {
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  const longest = Math.max(...buckets.map(({ count }) => count));
  return formatColumns(
    COLUMNS,
    buckets.map(({ fromNs, toNs, count }) => [
      formatDuration(fromNs),
      formatDuration(toNs),
      String(count),
      formatShare(count, total),
      ascii ? asciiBar(count / longest) : blockBar(count / longest),
    ]),
  );
}

/** What is not empty has a bar, however short: a single outlier is seen. */
function asciiBar(share: number): string {
  return share === 0 ? "" : "#".repeat(Math.max(1, Math.round(share * BAR_WIDTH)));
}

function blockBar(share: number): string {
  if (share === 0) return "";
  const eighths = Math.max(1, Math.round(share * BAR_WIDTH * EIGHTHS.length));
  const rest = eighths % EIGHTHS.length;
  return "█".repeat(Math.floor(eighths / EIGHTHS.length)) + (rest === 0 ? "" : EIGHTHS[rest - 1]);
}
