// The package is tested with node:assert, so that it does not vouch for itself.
import { deepStrictEqual, doesNotThrow, match, ok, strictEqual, throws } from "node:assert";
import {
  assert,
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertIsError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertObjectMatch,
  assertStrictEquals,
  assertStringIncludes,
  fail,
  unreachable,
} from "@std/assert";

const shared = { a: 1 };
const loop: Record<string, unknown> = { foo: true };
loop.self = loop;

const HOLDS: Record<string, (() => void)[]> = {
  assert: [() => assert(1), () => assert("x"), () => assert({})],
  assertEquals: [
    () => assertEquals({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }),
    () => assertEquals(NaN, NaN),
    () => assertEquals(new Map([[1, new Set([2])]]), new Map([[1, new Set([2])]])),
    () => assertEquals(Uint8Array.of(1, 2), Uint8Array.of(1, 2)),
    () => assertEquals(10n, 10n),
  ],
  assertNotEquals: [
    () => assertNotEquals<unknown>(1, "1"),
    () => assertNotEquals<unknown>({ a: undefined }, {}),
    () => assertNotEquals<unknown>(Uint8Array.of(1), [1]),
  ],
  assertStrictEquals: [
    () => assertStrictEquals(shared, shared),
    () => assertStrictEquals(NaN, NaN),
  ],
  assertAlmostEquals: [
    () => assertAlmostEquals(0.1 + 0.2, 0.3),
    () => assertAlmostEquals(1, 1.4, 0.5),
    () => assertAlmostEquals(Infinity, Infinity),
  ],
  assertArrayIncludes: [
    () => assertArrayIncludes([1, 2, 3], [3, 1]),
    () => assertArrayIncludes([{ a: 1 }], [{ a: 1 }]),
    () => assertArrayIncludes(Uint8Array.of(1, 2), Uint8Array.of(2)),
  ],
  assertExists: [() => assertExists(0), () => assertExists("")],
  assertGreater: [() => assertGreater(2, 1), () => assertGreater(2n, 1n)],
  assertGreaterOrEqual: [() => assertGreaterOrEqual(2, 2)],
  assertLess: [() => assertLess(1, 2)],
  assertLessOrEqual: [() => assertLessOrEqual("a", "a")],
  assertMatch: [() => assertMatch("abc", /b/)],
  assertStringIncludes: [() => assertStringIncludes("abc", "bc")],
  assertInstanceOf: [() => assertInstanceOf(new TypeError(), Error)],
  assertIsError: [
    () => assertIsError(new TypeError("ab"), Error, "b"),
    () => assertIsError(new TypeError("ab"), undefined, /^ab$/),
  ],
  assertObjectMatch: [
    () => assertObjectMatch({ a: 1, b: { c: 2, d: 3 } }, { b: { c: 2 } }),
    () => assertObjectMatch({ a: [1, 2, 3] }, { a: [1, 2] }),
    () => assertObjectMatch({ a: [{ b: 1, c: 2 }] }, { a: [{ c: 2 }] }),
    () => assertObjectMatch({ e: new Error("x") }, { e: new Error("x") }),
    () => assertObjectMatch(loop, { foo: true, self: { self: { foo: true } } }),
    () => assertObjectMatch(loop, loop),
    () =>
      assertObjectMatch(
        new (class A {
          a = 1;
          b = 2;
        })(),
        { a: 1 },
      ),
  ],
};

const FAILS: Record<string, { check: () => void; says: RegExp }[]> = {
  assert: [{ check: () => assert(0, "why"), says: /^why$/ }],
  assertEquals: [
    {
      check: () => assertEquals({ a: 1 }, { a: 2 }, "why"),
      says: /^Values are not equal: why\n[^]*\+ *a: 1[^]*- *a: 2/,
    },
    { check: () => assertEquals<unknown>([1, "1"], [1, 1]), says: /^Values are not equal\.\n/ },
    { check: () => assertEquals<unknown>({ a: undefined }, {}), says: /a: undefined/ },
  ],
  assertNotEquals: [{ check: () => assertNotEquals([1], [1]), says: /^Values are equal\.\n/ }],
  assertStrictEquals: [
    {
      check: () => assertStrictEquals({ ...shared }, shared),
      says: /^Values are not strictly equal\.\n/,
    },
  ],
  assertAlmostEquals: [
    { check: () => assertAlmostEquals(1, 2), says: /"1" to be close to "2"/ },
    { check: () => assertAlmostEquals(NaN, 2, 1e9), says: /"NaN"/ },
    { check: () => assertAlmostEquals(1, 1.4, 0.3, "why"), says: /: why$/ },
  ],
  assertArrayIncludes: [{
    check: () => assertArrayIncludes([1, 2], [2, 3]),
    says: /missing: \[ 3 \]/,
  }],
  assertExists: [
    { check: () => assertExists(null), says: /"null" to not be null or undefined/ },
    { check: () => assertExists(undefined), says: /"undefined"/ },
  ],
  assertGreater: [{ check: () => assertGreater(1, 1), says: /1 > 1/ }],
  assertGreaterOrEqual: [{ check: () => assertGreaterOrEqual(0, 1), says: /0 >= 1/ }],
  assertLess: [{ check: () => assertLess(1, 1), says: /1 < 1/ }],
  assertLessOrEqual: [{ check: () => assertLessOrEqual(NaN, 1), says: /NaN <= 1/ }],
  assertMatch: [{ check: () => assertMatch("abc", /x/), says: /"abc" to match: "\/x\/"/ }],
  assertStringIncludes: [{
    check: () => assertStringIncludes("abc", "x"),
    says: /"abc" to contain: "x"/,
  }],
  assertInstanceOf: [
    { check: () => assertInstanceOf(new Date(), Error), says: /"Error" but was "Date"/ },
    { check: () => assertInstanceOf(null, Error), says: /but was "null"/ },
  ],
  assertIsError: [
    { check: () => assertIsError("x"), says: /to be an Error object but was "'x'"/ },
    { check: () => assertIsError(new Error("x"), TypeError), says: /"TypeError", but was "Error"/ },
    { check: () => assertIsError(new Error("x"), Error, "y"), says: /to include 'y', but got 'x'/ },
    { check: () => assertIsError(new Error("x"), Error, /y/), says: /to match \/y\/, but got 'x'/ },
  ],
  assertObjectMatch: [
    { check: () => assertObjectMatch({ a: 1 }, { a: 1, b: 2 }), says: /b: 2/ },
    { check: () => assertObjectMatch({ a: [1] }, { a: [1, 2] }), says: /not equal/ },
    { check: () => assertObjectMatch({ a: null }, { a: { b: 1 } }), says: /null/ },
    { check: () => assertObjectMatch({ a: { 0: 1 } }, { a: [1] }), says: /not equal/ },
    {
      check: () => assertObjectMatch(loop, { self: { self: { foo: false } } }),
      says: /foo: false/,
    },
  ],
  fail: [
    { check: () => fail(), says: /^Failed assertion\.$/ },
    { check: () => fail("why"), says: /^Failed assertion: why$/ },
  ],
  unreachable: [{ check: () => unreachable("why"), says: /^Unreachable: why$/ }],
};

for (const [name, checks] of Object.entries(HOLDS)) {
  Deno.test(`${name} passes what holds`, () => {
    for (const check of checks) doesNotThrow(check);
  });
}

for (const [name, checks] of Object.entries(FAILS)) {
  Deno.test(`${name} throws an AssertionError for what does not hold`, () => {
    for (const { check, says } of checks) {
      throws(check, (error) => {
        ok(error instanceof AssertionError);
        match(error.message, says);
        return true;
      });
    }
  });
}

Deno.test("AssertionError has its name and cause", () => {
  const cause = new Error("inner");
  const error = new AssertionError("outer", { cause });
  deepStrictEqual([error.name, error.message, error.cause], ["AssertionError", "outer", cause]);
});

Deno.test("assertObjectMatch refuses what is no object", () => {
  throws(() => assertObjectMatch(null as unknown as object, {}), TypeError);
});

Deno.test("assertExists and assert narrow the type", () => {
  const value = ["x"].at(0);
  assertExists(value);
  const text: string = value;
  strictEqual(text, "x");
});
