// The package is tested with node:assert, so that it does not vouch for itself.
import { deepStrictEqual, doesNotThrow, match, ok, strictEqual, throws } from "node:assert";
import {
  assert,
  assertEquals,
  assertExists,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertStrictEquals,
  assertStringIncludes,
  fail,
} from "@std/assert";

const shared = { a: 1 };

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
  assertExists: [() => assertExists(0), () => assertExists("")],
  assertGreater: [() => assertGreater(2, 1), () => assertGreater(2n, 1n)],
  assertGreaterOrEqual: [() => assertGreaterOrEqual(2, 2)],
  assertLess: [() => assertLess(1, 2)],
  assertLessOrEqual: [() => assertLessOrEqual("a", "a")],
  assertMatch: [() => assertMatch("abc", /b/)],
  assertStringIncludes: [() => assertStringIncludes("abc", "bc")],
  assertInstanceOf: [() => assertInstanceOf(new TypeError(), Error)],
};

const FAILS: Record<string, { check: () => void; says: RegExp }[]> = {
  assert: [{ check: () => assert(0, "why"), says: /^why$/ }],
  assertEquals: [
    {
      check: () => assertEquals({ a: 1 }, { a: 2 }, "why"),
      says: /^Values are not equal: why\n[^]*[-+] *a: 1[^]*[-+] *a: 2/,
    },
    { check: () => assertEquals<unknown>([1, "1"], [1, 1]), says: /^Values are not equal\.\n/ },
    { check: () => assertEquals<unknown>({ a: undefined }, {}), says: /a: undefined/ },
  ],
  assertNotEquals: [{
    check: () => assertNotEquals([1], [1]),
    says: /^Expected actual: \[\s*1,?\s*\] not to be: \[\s*1,?\s*\]\.$/,
  }],
  assertStrictEquals: [
    {
      check: () => assertStrictEquals({ a: 2 }, shared),
      says: /^Values are not strictly equal\.\n/,
    },
  ],
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
  fail: [
    { check: () => fail(), says: /^Failed assertion\.$/ },
    { check: () => fail("why"), says: /^Failed assertion: why$/ },
  ],
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

Deno.test("assertExists and assert narrow the type", () => {
  const value = ["x"].at(0);
  assertExists(value);
  const text: string = value;
  strictEqual(text, "x");
});

Deno.test("assertEquals shows the begin of what is too long for a diff, at once", () => {
  const record = (at: number) => ({ at, ends: [{ port: at }, { port: at + 1 }] });
  const many = Array.from({ length: 5_000 }, (_, at) => record(at));
  throws(() => assertEquals(many, [], "why"), (error) => {
    ok(error instanceof AssertionError);
    match(
      error.message,
      /^Values are not equal, and too long for a diff: why\nActual begins: \[\n/,
    );
    match(error.message, /\nExpected begins: \[\]$/);
    ok(error.message.split("\n").length < 100);
    return true;
  });
});
