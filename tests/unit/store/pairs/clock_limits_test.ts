// How far what clocks say can be wrong, in the numbers of the documents.
import { assert, assertEquals } from "@std/assert";
import { type ClockWindow, clockWindows, leastDelays } from "../../../../src/store/pairs/clocks.ts";

const BEGIN_NS = 1_700_000_040_000_000_000n;
const MINUTES = 4;

/** What is said of two clocks, and by how much it is wrong: the second is ahead by `aheadNs` of a second. */
function windowsOf(
  aheadNs: (seconds: number) => number,
  [thereNs, backNs]: readonly [number, number],
): (ClockWindow & { errorNs: number })[] {
  const delays = Array.from({ length: 600 * MINUTES }, (_, at) => at / 10).flatMap((seconds) => {
    const atNs = BEGIN_NS + BigInt(Math.round(seconds * 1e9));
    return [
      { atNs, isToOther: true, delayNs: thereNs + aheadNs(seconds) },
      { atNs, isToOther: false, delayNs: backNs - aheadNs(seconds) },
    ];
  });
  return clockWindows(leastDelays(delays)).slice(0, MINUTES).map((window) => ({
    ...window,
    errorNs: window.offsetNs - aheadNs(Number(window.atNs - BEGIN_NS) / 1e9),
  }));
}

/** A clock that runs faster by so much from some second on, for half a minute. */
function slewed(ppm: number, from: number): (seconds: number) => number {
  return (seconds) => ppm * 1e3 * Math.min(Math.max(seconds - from, 0), 30);
}

Deno.test("the middle is off by half of what the two ways differ by, and within the bounds", () => {
  for (const window of windowsOf(() => 0, [10e6, 2e6])) {
    assertEquals([window.offsetNs, window.uncertaintyNs, window.stepped], [4e6, 6e6, false]);
  }
});

Deno.test("a rate that changes within a minute moves a bound by at most 14 µs for each ppm", () => {
  let most = 0;
  for (const ppm of [1, 3, 5]) {
    for (let from = 58; from < 122; from += 2) {
      for (const { errorNs, uncertaintyNs } of windowsOf(slewed(ppm, from), [100e3, 100e3])) {
        most = Math.max(most, (Math.abs(errorNs) + Math.abs(uncertaintyNs - 100e3)) / ppm);
      }
    }
  }
  assert(most <= 14_500, String(most));
  // The document names no more than there is.
  assert(most >= 12_000, String(most));
});

Deno.test("a clock slewed by more than its ways allow is told as set, and right before and after", () => {
  const windows = windowsOf(slewed(500, 90), [100e3, 100e3]);
  assertEquals(windows.map(({ stepped }) => stepped), [false, true, false, false]);
  assertEquals(
    [windows[0], windows[2], windows[3]].map(({ errorNs }) => Math.round(errorNs / 1e3)),
    [
      ...[0, 0, 0],
    ],
  );
});
