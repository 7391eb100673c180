import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { formatDuration, formatSpan, formatTime, parseTime } from "../../../src/text/time.ts";

Deno.test("formatTime writes RFC 3339 with nine digits", () => {
  const cases: { epochSeconds: number; timeNs: number; expected: string }[] = [
    { epochSeconds: 0, timeNs: 0, expected: "1970-01-01T00:00:00.000000000Z" },
    { epochSeconds: 0, timeNs: 1, expected: "1970-01-01T00:00:00.000000001Z" },
    { epochSeconds: 0, timeNs: -1, expected: "1969-12-31T23:59:59.999999999Z" },
    { epochSeconds: 0, timeNs: -1e9, expected: "1969-12-31T23:59:59.000000000Z" },
    { epochSeconds: 0, timeNs: -1_000_000_001, expected: "1969-12-31T23:59:58.999999999Z" },
    { epochSeconds: 0, timeNs: 999_999_999, expected: "1970-01-01T00:00:00.999999999Z" },
    { epochSeconds: 0, timeNs: 1e9, expected: "1970-01-01T00:00:01.000000000Z" },
    { epochSeconds: 59, timeNs: 1e9, expected: "1970-01-01T00:01:00.000000000Z" },
    {
      epochSeconds: 1_795_395_723,
      timeNs: 123_456_789,
      expected: "2026-11-23T01:02:03.123456789Z",
    },
    // The last nanosecond of a year, and 29 February.
    {
      epochSeconds: 1_798_761_599,
      timeNs: 999_999_999,
      expected: "2026-12-31T23:59:59.999999999Z",
    },
    { epochSeconds: 1_798_761_599, timeNs: 1e9, expected: "2027-01-01T00:00:00.000000000Z" },
    { epochSeconds: 1_709_164_800, timeNs: 0, expected: "2024-02-29T00:00:00.000000000Z" },
    // A pcap file's last second, an axis of 104 days, the last year with four digits.
    { epochSeconds: 2 ** 32 - 1, timeNs: 7, expected: "2106-02-07T06:28:15.000000007Z" },
    { epochSeconds: 0, timeNs: 2 ** 53 - 1, expected: "1970-04-15T05:59:59.254740991Z" },
    { epochSeconds: 253_402_300_799, timeNs: 5, expected: "9999-12-31T23:59:59.000000005Z" },
  ];
  for (const { epochSeconds, timeNs, expected } of cases) {
    assertEquals(formatTime(epochSeconds, timeNs), expected);
  }
});

Deno.test("formatTime gives back every nanosecond, whatever second came before", () => {
  const timeNs = fc.integer({ min: -(2 ** 52), max: 2 ** 52 });
  fc.assert(fc.property(fc.nat({ max: 2 ** 32 - 1 }), timeNs, (epochSeconds, timeNs) => {
    const text = formatTime(epochSeconds, timeNs);
    assertMatch(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    const seconds = BigInt(Date.parse(text.slice(0, 19) + "Z")) / 1000n;
    assertEquals(
      seconds * 1_000_000_000n + BigInt(text.slice(20, 29)),
      BigInt(epochSeconds) * 1_000_000_000n + BigInt(timeNs),
    );
  }));
});

Deno.test("formatDuration writes three digits that count and the unit", () => {
  const cases: { input: number; expected: string }[] = [
    { input: 0, expected: "0 ns" },
    { input: 1, expected: "1 ns" },
    { input: 999, expected: "999 ns" },
    { input: 1_000, expected: "1.00 µs" },
    { input: 9_994, expected: "9.99 µs" },
    { input: 9_995, expected: "10.0 µs" },
    { input: 41_000, expected: "41.0 µs" },
    { input: 99_949, expected: "99.9 µs" },
    { input: 99_950, expected: "100 µs" },
    { input: 999_499, expected: "999 µs" },
    { input: 999_500, expected: "1.00 ms" },
    { input: 1_000_000, expected: "1.00 ms" },
    { input: 10_231_000, expected: "10.2 ms" },
    { input: 999_499_999, expected: "999 ms" },
    { input: 999_500_000, expected: "1.00 s" },
    { input: 3_100_000_000, expected: "3.10 s" },
    { input: 127_000_000_000, expected: "127 s" },
    { input: 9_999_000_000_000, expected: "9999 s" },
  ];
  for (const { input, expected } of cases) assertEquals(formatDuration(input), expected);
});

Deno.test("formatDuration is within half of its last digit and never shrinks", () => {
  const unitNs = new Map([["ns", 1], ["µs", 1e3], ["ms", 1e6], ["s", 1e9]]);
  const valueOf = (text: string) => {
    const [number, unit] = text.split(" ");
    return Number(number) * unitNs.get(unit)!;
  };
  fc.assert(
    fc.property(fc.nat({ max: 900_000_000_000 }), fc.nat({ max: 30 }), (longest, halvings) => {
      const ns = Math.floor(longest / 2 ** halvings);
      const text = formatDuration(ns);
      assertMatch(text, /^(?:\d{1,3}|\d\d\.\d|\d\.\d\d) (?:ns|µs|ms|s)$/);
      assertEquals(Math.abs(valueOf(text) - ns) <= ns * 0.005 + 1e-6, true, `${ns}: ${text}`);
      assertEquals(valueOf(formatDuration(ns + 1)) >= valueOf(text), true, `${ns}: ${text}`);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("parseTime reads what formatTime writes, to the nanosecond", () => {
  const seconds = fc.integer({ min: -62_000_000_000, max: 300_000_000_000 });
  fc.assert(fc.property(seconds, fc.nat({ max: 999_999_999 }), (seconds, ns) => {
    assertEquals(parseTime(formatTime(seconds, ns)), { seconds, ns });
  }));
});

Deno.test("parseTime reads nothing else", () => {
  const texts = [
    "",
    "now",
    "2026-11-23",
    "2026-11-23T01:02:03Z",
    "2026-11-23T01:02:03.123Z",
    "2026-11-23T01:02:03.1234567890Z",
    "2026-11-23T01:02:03.123456789",
    "2026-11-23T01:02:03.123456789+01:00",
    "2026-13-23T01:02:03.123456789Z",
    "2026-11-23T25:02:03.123456789Z",
    "2026-11-23T01:02:03.123456789Z\n",
    " 2026-11-23T01:02:03.123456789Z",
  ];
  for (const text of texts) assertEquals(parseTime(text), undefined, text);
});

Deno.test("formatSpan writes the two largest units of what is long", () => {
  const spans = [1_500_000, 119e9, 3_279e9, 6_540e9, 86_400e9, 270_000e9];
  assertEquals(spans.map(formatSpan), [
    ...["1.50 ms", "119 s", "54 min 39 s", "1 h 49 min", "1 day", "3 days 3 h"],
  ]);
});
