import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { clockWindows, type LeastDelay, leastDelays } from "../../../../src/store/pairs/clocks.ts";

const BEGIN_NS = 1_795_395_720_000_000_000n;
const SECOND_NS = 1_000_000_000n;

function assertNear(actual: number, expected: number, by: number): void {
  assertLessOrEqual(Math.abs(actual - expected), by, `${actual} and ${expected}`);
}

interface Made {
  seconds: number;
  /** How far the second clock is ahead after so many seconds, nanoseconds. */
  aheadNs(seconds: number): number;
  /** What a packet takes in each direction, nanoseconds. */
  thereNs(seconds: number): number;
  backNs(seconds: number): number;
}

function delaysOf({ seconds, aheadNs, thereNs, backNs }: Made): LeastDelay[] {
  return Array.from({ length: seconds }, (_, at): LeastDelay[] => [
    {
      atNs: BEGIN_NS + BigInt(at) * SECOND_NS,
      isToOther: true,
      delayNs: aheadNs(at) + thereNs(at),
      packets: 2,
    },
    {
      atNs: BEGIN_NS + BigInt(at) * SECOND_NS + SECOND_NS / 2n,
      isToOther: false,
      delayNs: backNs(at + 0.5) - aheadNs(at + 0.5),
      packets: 1,
    },
  ]).flat();
}

function secondsOf(atNs: bigint): number {
  return Number(atNs - BEGIN_NS) / 1e9;
}

Deno.test("the bounds hold for any clocks that run evenly, and any network", () => {
  const made = fc.record({
    offset: fc.integer({ min: -1e12, max: 1e12 }),
    driftPpb: fc.integer({ min: -100_000, max: 100_000 }),
    least: fc.tuple(fc.nat(1e6), fc.nat(1e6)),
    waits: fc.array(fc.nat(1e7), { minLength: 300, maxLength: 300, size: "max" }),
  });
  fc.assert(
    fc.property(made, ({ offset, driftPpb, least: [there, back], waits }) => {
      const aheadNs = (seconds: number) => offset + driftPpb * seconds;
      const windows = clockWindows(delaysOf({
        seconds: 150,
        aheadNs,
        thereNs: (at) => there + waits[at],
        backNs: (at) => back + waits[150 + Math.floor(at)],
      }));
      assertEquals(windows.length, 3);
      for (const { atNs, offsetNs, uncertaintyNs, stepped } of windows) {
        assert(Math.abs(aheadNs(secondsOf(atNs)) - offsetNs) <= uncertaintyNs + 2);
        assertEquals(stepped, false);
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("the middle is off by half of what the ways differ, and the drift is found", () => {
  const windows = clockWindows(delaysOf({
    seconds: 300,
    aheadNs: (seconds) => 3_000_000 + 12_400 * seconds,
    thereNs: () => 500_000,
    backNs: () => 100_000,
  }));
  for (const { atNs, offsetNs, uncertaintyNs, driftPpb, packets } of windows) {
    assertNear(offsetNs, 3_000_000 + 12_400 * secondsOf(atNs) + 200_000, 2);
    assertNear(uncertaintyNs, 300_000, 2);
    assertNear(driftPpb!, 12_400, 1);
    assertEquals(packets, 180);
  }
});

for (const second of [120, 150]) {
  Deno.test(`a clock that is set 50 ms ahead after ${second} s is told in its minute`, () => {
    const windows = clockWindows(delaysOf({
      seconds: 240,
      aheadNs: (at) => at >= second ? 50_000_000 : 0,
      thereNs: () => 100_000,
      backNs: () => 100_000,
    }));
    assertEquals(windows.map(({ stepped }) => stepped), [false, false, true, false]);
    // Within a minute it leaves no bounds.
    assertEquals(windows[2].uncertaintyNs < 0, second === 150);
    assertEquals(windows[0].driftPpb, 0);
    assertNear(windows[3].offsetNs, 50_000_000, 2);
  });
}

Deno.test("there are no bounds without both directions, and wide ones where they are apart", () => {
  const delays = delaysOf({ seconds: 60, aheadNs: () => 0, thereNs: () => 1, backNs: () => 1 });
  assertEquals(clockWindows(delays.filter(({ isToOther }) => isToOther)), []);
  assertEquals(clockWindows([]), []);
  // There in the first half of the minute, back in the second: a clock may be slewed by 500 ppm between.
  const apart = delays.filter(({ isToOther }, at) => isToOther === at < 60);
  const [{ offsetNs, uncertaintyNs }] = clockWindows(apart);
  assertEquals(offsetNs, 0);
  assertNear(uncertaintyNs, 0.75e9 * 500e-6 + 1, 2);
});

Deno.test("leastDelays takes the least of each direction in four seconds, in the order of times", () => {
  const at = (seconds: number, isToOther: boolean, delayNs: number) => ({
    atNs: BigInt(seconds * 1e9),
    isToOther,
    delayNs,
  });
  const least = leastDelays([
    at(5, true, 70),
    at(1, true, 90),
    at(3, true, 80),
    at(2, false, 60),
    at(3, false, 65),
  ]);
  assertEquals(least.map(({ atNs, delayNs, packets }) => [Number(atNs) / 1e9, delayNs, packets]), [
    [2, 60, 2],
    [3, 80, 2],
    [5, 70, 1],
  ]);
});

Deno.test("no drift is told where a way changes and the two directions disagree on it", () => {
  const delays = Array.from({ length: 60 }, (_, at) => {
    const atNs = BigInt(at * 4e9);
    return [
      { atNs, isToOther: true, delayNs: 300_000 + (at >= 30 ? 5_000_000 : 0), packets: 1 },
      { atNs: atNs + 1n, isToOther: false, delayNs: 300_000, packets: 1 },
    ];
  }).flat();
  assertEquals(clockWindows(delays).map(({ driftPpb }) => driftPpb), [
    ...Array(4).fill(undefined),
  ]);
});
