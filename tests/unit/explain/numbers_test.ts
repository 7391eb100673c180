import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  chooseUnit,
  formatBoth,
  formatExact,
  formatFlagNames,
  formatSum,
} from "../../../src/explain/numbers.ts";

const u32 = fc.nat({ max: 0xffffffff });

const SUMS: { base: number; addends: number[]; expected: string }[] = [
  { base: 0x4ce45750, addends: [1, 0], expected: "0x4ce45750 + 1 = 0x4ce45751" },
  { base: 5, addends: [1, 500], expected: "0x00000005 + 1 + 500 = 0x000001fa" },
  {
    base: 0xffffffff,
    addends: [1],
    expected: "0xffffffff + 1 = 0x100000000, modulo 2^32: 0x00000000",
  },
];

for (const { base, addends, expected } of SUMS) {
  Deno.test(`formatSum writes ${expected}`, () => {
    assertEquals(formatSum(base, ...addends), expected);
  });
}

Deno.test("formatSum ends with the sum modulo 2^32 and shows it whole where it wraps", () => {
  fc.assert(fc.property(u32, fc.nat({ max: 70_000 }), (base, addend) => {
    const text = formatSum(base, 1, addend);
    const sum = BigInt(base) + 1n + BigInt(addend);
    assertEquals(Number(text.slice(-10)), Number(sum % 2n ** 32n));
    assertEquals(text.includes(`= 0x${sum.toString(16)}, modulo 2^32: `), sum >= 2n ** 32n);
  }));
});

const RELATIVE: { number: number; isn: number | undefined; expected: string }[] = [
  { number: 0x4ce45751, isn: 0x4ce45750, expected: "0x4ce45751 (1)" },
  { number: 0, isn: 0xffffffff, expected: "0x00000000 (1)" },
  { number: 4, isn: 6, expected: "0x00000004 (-2)" },
  { number: 0x80000000, isn: 1, expected: "0x80000000" },
  { number: 7, isn: undefined, expected: "0x00000007" },
];

for (const { number, isn, expected } of RELATIVE) {
  Deno.test(`formatBoth writes ${number} after ${isn} as ${expected}`, () => {
    assertEquals(formatBoth(number, isn), expected);
  });
}

const TIMES: { timesNs: number[]; expected: string }[] = [
  { timesNs: [], expected: "0 ns" },
  { timesNs: [999], expected: "999 ns" },
  { timesNs: [0, -1_000], expected: "-1.000 µs" },
  { timesNs: [10_231_000, 41_000], expected: "0.041000 ms" },
  { timesNs: [2e9, 1], expected: "0.000000001 s" },
];

for (const { timesNs, expected } of TIMES) {
  Deno.test(`chooseUnit and formatExact write the last of ${timesNs} ns as ${expected}`, () => {
    assertEquals(formatExact(timesNs.at(-1) ?? 0, chooseUnit(timesNs)), expected);
  });
}

Deno.test("formatExact loses no nanosecond in any unit", () => {
  fc.assert(fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), (ns, other) => {
    const [text] = formatExact(ns, chooseUnit([other])).split(" ");
    assertEquals(BigInt(text.replace(".", "")), BigInt(ns));
  }));
});

Deno.test("formatFlagNames names flags as people say them", () => {
  assertEquals(formatFlagNames(0x12), "SYN, ACK");
  assertEquals(formatFlagNames(0x1c2), "SYN, ECE, CWR, AE");
  assertEquals(formatFlagNames(0), "");
});
