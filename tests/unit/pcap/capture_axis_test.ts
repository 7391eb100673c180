import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { CaptureAxis, TimeScale } from "../../../src/pcap/capture_axis.ts";

const EPOCH = 1_700_000_000;

function place(scale: TimeScale, ticks: bigint): number {
  return scale.place(Number(ticks >> 32n), Number(ticks & 0xffffffffn));
}

Deno.test("CaptureAxis begins at the first second it is asked for", () => {
  const axis = new CaptureAxis();
  assertEquals(axis.epochSeconds, NaN);
  assertEquals([axis.epochFor(5), axis.epochFor(9), axis.epochSeconds], [5, 5, 5]);
});

const CASES: { name: string; resolution: number; ticks: bigint; offset?: bigint; ns: number }[] = [
  { name: "seconds", resolution: 0, ticks: BigInt(EPOCH + 1), ns: 1e9 },
  { name: "milliseconds", resolution: 3, ticks: BigInt(EPOCH) * 1_000n + 5n, ns: 5e6 },
  { name: "microseconds", resolution: 6, ticks: BigInt(EPOCH) * 1_000_000n + 7n, ns: 7_000 },
  { name: "nanoseconds", resolution: 9, ticks: BigInt(EPOCH) * 1_000_000_000n + 7n, ns: 7 },
  { name: "picoseconds", resolution: 12, ticks: 7_999n, offset: BigInt(EPOCH), ns: 7 },
  { name: "10^-15 s", resolution: 15, ticks: 7_999_999n, offset: BigInt(EPOCH), ns: 7 },
  { name: "2^-10 s", resolution: 0x8a, ticks: BigInt(EPOCH) * 1_024n + 1n, ns: 976_562 },
  { name: "2^-32 s", resolution: 0xa0, ticks: (BigInt(EPOCH) << 32n) + 1n, ns: 0 },
  {
    name: "2^-32 s, half a second",
    resolution: 0xa0,
    ticks: (BigInt(EPOCH) << 32n) + (1n << 31n),
    ns: 5e8,
  },
  { name: "an offset", resolution: 6, ticks: 5n, offset: BigInt(EPOCH) + 2n, ns: 2e9 + 5_000 },
  {
    name: "an offset below zero",
    resolution: 6,
    ticks: BigInt(EPOCH + 10) * 1_000_000n,
    offset: -10n,
    ns: 0,
  },
];

for (const { name, resolution, ticks, offset, ns } of CASES) {
  Deno.test(`TimeScale places ${name}`, () => {
    const axis = new CaptureAxis();
    axis.epochFor(EPOCH);
    assertEquals(place(new TimeScale(axis, resolution, offset ?? 0n), ticks), ns);
  });
}

Deno.test("TimeScale gives no time before 1970 or after 9999", () => {
  const place64 = (resolution: number, offset: bigint, ticks: bigint) =>
    place(new TimeScale(new CaptureAxis(), resolution, offset), ticks);
  assertEquals(place64(6, -1n, 0n), NaN);
  assertEquals(place64(0, 0n, 253_402_300_799n), 0);
  assertEquals(place64(0, 0n, 253_402_300_800n), NaN);
  assertEquals(place64(0, 0n, 0xffff_ffff_ffff_ffffn), NaN);
  assertEquals(place64(0xff, 2n ** 63n - 1n, 5n), NaN);
  assertEquals(place64(0x7f, -(2n ** 63n), 5n), NaN);
});

Deno.test("TimeScale gives a time again after one that is none", () => {
  const axis = new CaptureAxis();
  const scale = new TimeScale(axis, 6, 0n);
  const first = BigInt(EPOCH) * 1_000_000n;
  assertEquals(place(scale, first), 0);
  assertEquals(place(scale, 0xffff_ffff_ffff_ffffn), NaN);
  assertEquals(place(scale, first + 3n), 3_000);
});

Deno.test("TimeScale is exact within 100 days, whatever came before", () => {
  const span = 100 * 86_400;
  fc.assert(fc.property(
    fc.constantFrom(0, 3, 6, 7, 9, 10, 12, 14, 0x80, 0x8a, 0xa0),
    fc.array(fc.record({ s: fc.integer({ min: -span, max: span }), part: fc.nat(2 ** 31 - 1) }), {
      maxLength: 6,
    }),
    (resolution, times) => {
      const axis = new CaptureAxis();
      axis.epochFor(EPOCH);
      const scale = new TimeScale(axis, resolution, BigInt(EPOCH - span));
      const perSecond = BigInt(resolution < 0x80 ? 10 : 2) ** BigInt(resolution & 0x7f);
      for (const { s, part } of times) {
        const fraction = BigInt(part) * perSecond >> 31n;
        const ticks = BigInt(s + span) * perSecond + fraction;
        const exact = BigInt(s) * 1_000_000_000n + fraction * 1_000_000_000n / perSecond;
        if (ticks < 2n ** 64n) assertEquals(BigInt(place(scale, ticks)), exact);
      }
    },
  ));
});
