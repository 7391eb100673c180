import type { Count } from "./second_counts.ts";
import type { ScreenSpan, ScreenStyle } from "./screen_line.ts";

/** From the lowest to the highest. */
const BLOCKS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII_BLOCKS = [".", ":", "-", "=", "+", "*", "#", "@"];

/**
 * Draws counts side by side, the highest as high as a line: nothing is blank, and one is seen beside
 * millions.
 */
export function drawSparkline(values: readonly number[], ascii: boolean): string {
  const blocks = ascii ? ASCII_BLOCKS : BLOCKS;
  const highest = Math.max(...values);
  return values.map((value) =>
    value === 0 ? " " : blocks[Math.max(0, Math.ceil(value / highest * blocks.length) - 1)]
  ).join("");
}

/** Joins counts to so many: of sixty seconds, to twenty of three seconds each. */
export function joinCounts(counts: readonly Count[], into: number): Count[] {
  return Array.from({ length: into }, (_, at) => {
    const from = Math.floor(at * counts.length / into);
    const to = Math.floor((at + 1) * counts.length / into);
    const sum = { handshakes: 0, failed: 0 };
    for (const { handshakes, failed } of counts.slice(from, to)) {
      sum.handshakes += handshakes;
      sum.failed += failed;
    }
    return sum;
  });
}

/** Draws all handshakes, in the colour of failures where some failed. @param width Characters. */
export function drawHistory(counts: readonly Count[], width: number, ascii: boolean): ScreenSpan[] {
  const joined = joinCounts(counts, Math.min(width, counts.length));
  const text = drawSparkline(joined.map(({ handshakes }) => handshakes), ascii);
  const spans: { text: string; style?: ScreenStyle }[] = [];
  [...text].forEach((block, at) => {
    const style = joined[at].failed > 0 ? "bad" : undefined;
    const last = spans[spans.length - 1];
    if (last && last.style === style) last.text += block;
    else spans.push({ text: block, style });
  });
  const blanks = width - joined.length;
  return blanks > 0 ? [...spans, { text: " ".repeat(blanks) }] : spans;
}
