import { assert, assertEquals, assertGreaterOrEqual, assertMatch } from "@std/assert";
import fc from "fast-check";
import { drawHistogram } from "../../../../src/output/statistics/draw_histogram.ts";
import type { DurationBucket } from "../../../../src/output/statistics/duration_buckets.ts";

function buckets(...counts: number[]): DurationBucket[] {
  return counts.map((count, at) => ({ fromNs: 10 ** (at + 4), toNs: 10 ** (at + 5), count }));
}

function barsOf(text: string): string[] {
  return text.trimEnd().split("\n").slice(1).map((line) => /%\s*(\S*)$/.exec(line)![1]);
}

Deno.test("drawHistogram draws the longest bar whole and the others to an eighth of a character", () => {
  assertEquals(
    drawHistogram(buckets(80, 1, 0, 3), false),
    "   FROM    BELOW  HANDSHAKES   SHARE\n" +
      "10.0 µs   100 µs          80  95.2 %  ████████████████████████████████████████\n" +
      " 100 µs  1.00 ms           1   1.2 %  ▌\n" +
      "1.00 ms  10.0 ms           0   0.0 %\n" +
      "10.0 ms   100 ms           3   3.6 %  █▌\n",
  );
});

Deno.test("drawHistogram draws with # where there is only ASCII", () => {
  assertEquals(barsOf(drawHistogram(buckets(80, 1, 0, 3), true)), ["#".repeat(40), "#", "", "##"]);
});

Deno.test("drawHistogram draws something for a single one among millions", () => {
  assertEquals(barsOf(drawHistogram(buckets(5e6, 1), false))[1], "▏");
  assertEquals(barsOf(drawHistogram(buckets(5e6, 1), true))[1], "#");
});

/** Length of a bar in eighths of a character. */
function eighthsOf(bar: string): number {
  return [...bar].reduce((sum, character) => sum + 8 - (character.codePointAt(0)! - 0x2588), 0);
}

Deno.test("drawHistogram counts sum up, and its bars are as long as the counts", () => {
  const counts = fc.array(fc.nat({ max: 1e9 }), { minLength: 1, maxLength: 11 })
    .filter((counts) => counts.some((count) => count > 0));
  fc.assert(fc.property(counts, (counts) => {
    const text = drawHistogram(buckets(...counts), false);
    const lines = text.trimEnd().split("\n").slice(1);
    const written = lines.map((line) => Number(/(\d+) +[<>]?[\d.]+ %/.exec(line)![1]));
    assertEquals(written, counts);
    const longest = Math.max(...counts);
    for (const [at, bar] of barsOf(text).entries()) {
      assertMatch(bar, /^█*[▏▎▍▌▋▊▉]?$/);
      const exact = counts[at] / longest * 40 * 8;
      assert(Math.abs(eighthsOf(bar) - exact) <= (exact < 1 ? 1 : 0.5), `${bar} for ${exact}`);
      if (counts[at] > 0) assertGreaterOrEqual(eighthsOf(bar), 1);
    }
  }));
});
