import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { sequenceAdd, sequenceDistance, sequenceInWindow } from "../../../src/wire/sequence.ts";

const CIRCLE = 2n ** 32n;
const sequence = fc.oneof(
  fc.nat({ max: 0xffffffff }),
  fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff),
);

Deno.test("sequenceAdd wraps at 2^32", () => {
  const cases: { input: [number, number]; expected: number }[] = [
    { input: [0x4ce45750, 1], expected: 0x4ce45751 },
    { input: [0xffffffff, 1], expected: 0 },
    { input: [0, -1], expected: 0xffffffff },
    { input: [0xfffffff0, 0x20], expected: 0x10 },
  ];
  for (const { input, expected } of cases) assertEquals(sequenceAdd(...input), expected);
});

Deno.test("sequenceAdd agrees with BigInt arithmetic", () => {
  fc.assert(fc.property(sequence, fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), (a, n) => {
    assertEquals(sequenceAdd(a, n), Number(BigInt.asUintN(32, BigInt(a) + BigInt(n))));
  }));
});

Deno.test("sequenceDistance agrees with BigInt arithmetic and inverts sequenceAdd", () => {
  fc.assert(fc.property(sequence, sequence, (from, to) => {
    const distance = sequenceDistance(from, to);
    assertEquals(distance, Number(BigInt.asIntN(32, BigInt(to) - BigInt(from))));
    assertEquals(sequenceAdd(from, distance), to);
  }));
});

Deno.test("sequenceDistance tells before from after across the wrap", () => {
  const cases: { input: [number, number]; expected: number }[] = [
    { input: [5, 5], expected: 0 },
    { input: [0xffffffff, 0], expected: 1 },
    { input: [0, 0xffffffff], expected: -1 },
    { input: [0, 0x7fffffff], expected: 0x7fffffff },
    { input: [0, 0x80000000], expected: -0x80000000 },
    { input: [0x80000000, 0], expected: -0x80000000 },
  ];
  for (const { input, expected } of cases) assertEquals(sequenceDistance(...input), expected);
});

Deno.test("sequenceInWindow takes the first number and not the one behind the last", () => {
  const cases: { input: [number, number, number]; expected: boolean }[] = [
    { input: [10, 10, 1], expected: true },
    { input: [11, 10, 1], expected: false },
    { input: [9, 10, 1], expected: false },
    { input: [10, 10, 0], expected: false },
    { input: [0, 0xffffffff, 2], expected: true },
    { input: [1, 0xffffffff, 2], expected: false },
    { input: [9, 10, 2 ** 32], expected: true },
  ];
  for (const { input, expected } of cases) assertEquals(sequenceInWindow(...input), expected);
});

Deno.test("sequenceInWindow agrees with BigInt arithmetic", () => {
  fc.assert(
    fc.property(
      sequence,
      sequence,
      fc.integer({ min: 0, max: 2 ** 32 }),
      (value, start, length) => {
        const offset = ((BigInt(value) - BigInt(start)) % CIRCLE + CIRCLE) % CIRCLE;
        assertEquals(sequenceInWindow(value, start, length), offset < BigInt(length));
      },
    ),
  );
});
