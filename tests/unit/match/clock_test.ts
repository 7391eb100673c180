import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ClockAxis, STEP_NS } from "../../../src/match/clock.ts";

const EPOCH_SECONDS = 1_795_395_783;
const EPOCH_NS = BigInt(EPOCH_SECONDS) * 1_000_000_000n;
const YEAR_NS = 31_557_600_000_000_000n;

/** Places a boot time given as one number. */
function place(axis: ClockAxis, boottimeNs: bigint): number {
  return axis.fromBoottime(Number(boottimeNs >> 32n), Number(boottimeNs & 0xffffffffn));
}

Deno.test("ClockAxis.fromRealtime counts from the epoch, exact to the nanosecond", () => {
  const axis = new ClockAxis(EPOCH_SECONDS);
  const cases = [
    { seconds: EPOCH_SECONDS, nanoseconds: 0, expected: 0 },
    { seconds: EPOCH_SECONDS, nanoseconds: 999_999_999, expected: 999_999_999 },
    { seconds: EPOCH_SECONDS - 1, nanoseconds: 999_999_999, expected: -1 },
    { seconds: EPOCH_SECONDS + 104 * 86400, nanoseconds: 1, expected: 8_985_600_000_000_001 },
  ];
  for (const { seconds, nanoseconds, expected } of cases) {
    assertEquals(axis.fromRealtime(seconds, nanoseconds), expected);
  }
});

Deno.test("ClockAxis.fromBoottime is exact to the nanosecond after years of uptime", () => {
  fc.assert(fc.property(
    fc.bigInt({ min: 0n, max: 100n * YEAR_NS }),
    fc.bigInt({ min: 0n, max: 8_985_600_000_000_000n }),
    fc.bigInt({ min: -86_400_000_000_000n, max: 8_985_600_000_000_000n }),
    (uptimeNs, runningNs, laterNs) => {
      fc.pre(uptimeNs + laterNs >= 0n && runningNs + laterNs <= 9_007_199_254_740_991n);
      const axis = new ClockAxis(EPOCH_SECONDS);
      axis.sample(EPOCH_NS + runningNs, uptimeNs);
      assertEquals(place(axis, uptimeNs + laterNs), Number(runningNs + laterNs));
    },
  ));
});

Deno.test("ClockAxis.fromBoottime is exact where the low half of the boot time wraps", () => {
  const axis = new ClockAxis(EPOCH_SECONDS);
  const boottimeNs = 5n * YEAR_NS >> 32n << 32n;
  axis.sample(EPOCH_NS + 1000n, boottimeNs);
  for (const later of [-2n, -1n, 0n, 1n]) {
    assertEquals(place(axis, boottimeNs + later), 1000 + Number(later));
  }
});

Deno.test("ClockAxis.sample follows a drift without calling it a step", () => {
  const axis = new ClockAxis(EPOCH_SECONDS);
  // 500 ppm, the most that adjtimex(2) slews, at one sample a second.
  let realtimeNs = EPOCH_NS;
  let boottimeNs = YEAR_NS;
  for (let second = 0; second < 1000; second++) {
    axis.sample(realtimeNs, boottimeNs);
    realtimeNs += 1_000_500_000n;
    boottimeNs += 1_000_000_000n;
  }
  assertEquals([axis.steps, axis.steppedNs], [0, 0]);
  axis.sample(realtimeNs, boottimeNs);
  assertEquals(place(axis, boottimeNs), Number(realtimeNs - EPOCH_NS));
});

Deno.test("ClockAxis.sample counts what is more than a step, with its sign, and follows it", () => {
  const cases = [
    { jumpNs: STEP_NS, steps: 0 },
    { jumpNs: -STEP_NS, steps: 0 },
    { jumpNs: STEP_NS + 1, steps: 1 },
    { jumpNs: -STEP_NS - 1, steps: 1 },
    { jumpNs: -3_600_000_000_000, steps: 1 },
  ];
  for (const { jumpNs, steps } of cases) {
    const axis = new ClockAxis(EPOCH_SECONDS);
    axis.sample(EPOCH_NS + 5_000_000_000n, YEAR_NS);
    assertEquals(axis.steps, 0, "the first sample has nothing to differ from");
    axis.sample(EPOCH_NS + 6_000_000_000n + BigInt(jumpNs), YEAR_NS + 1_000_000_000n);
    assertEquals(axis.steps, steps, `${jumpNs}`);
    assertEquals(axis.steppedNs, steps === 0 ? 0 : jumpNs);
    assertEquals(place(axis, YEAR_NS + 1_000_000_000n), 6_000_000_000 + jumpNs);
  }
});

Deno.test("ClockAxis.sample sums steps of both signs", () => {
  const axis = new ClockAxis(EPOCH_SECONDS);
  axis.sample(EPOCH_NS, 0n);
  axis.sample(EPOCH_NS + 5_000_000n, 0n);
  axis.sample(EPOCH_NS + 2_000_000n, 0n);
  assertEquals([axis.steps, axis.steppedNs], [2, 2_000_000]);
});
