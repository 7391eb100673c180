// Tested with node:assert, so that the package does not vouch for itself.
import { match, ok, rejects, strictEqual, throws } from "node:assert";
import { AssertionError, assertRejects, assertThrows } from "@std/assert";

function failure(says: RegExp): (error: unknown) => true {
  return (error) => {
    ok(error instanceof AssertionError);
    match(error.message, says);
    return true;
  };
}

const raise = (value: unknown) => () => {
  throw value;
};

Deno.test("assertThrows returns what was thrown", () => {
  const error = new TypeError("Cannot read x: no such file");
  strictEqual(assertThrows(raise(error)), error);
  strictEqual(assertThrows(raise(error), TypeError, "no such"), error);
  strictEqual(assertThrows(raise(error), Error), error);
  strictEqual(assertThrows(raise("text")), "text");
  strictEqual(assertThrows(raise(undefined)), undefined);
});

Deno.test("assertThrows fails on what is not thrown or is another error", () => {
  throws(() => assertThrows(() => 1), failure(/^Expected function to throw\.$/));
  throws(() => assertThrows(() => 1, "why"), failure(/^Expected function to throw: why$/));
  throws(
    () => assertThrows(() => 1, Error, "x", "why"),
    failure(/^Expected function to throw: why$/),
  );
  throws(() => assertThrows(raise("x"), Error), failure(/^A non-Error object was thrown\.$/));
  throws(
    () => assertThrows(raise(new RangeError("x")), TypeError),
    failure(/instance of "TypeError", but was "RangeError"/),
  );
  throws(
    () => assertThrows(raise(new Error("x")), Error, "y"),
    failure(/include "y", but got "x"/),
  );
});

Deno.test("assertRejects resolves with what the promise was rejected with", async () => {
  const error = new TypeError("Cannot read x: no such file");
  strictEqual(await assertRejects(() => Promise.reject(error)), error);
  strictEqual(await assertRejects(() => Promise.reject(error), TypeError, "no such"), error);
  strictEqual(await assertRejects(() => Promise.reject(null)), null);
});

Deno.test("assertRejects fails on what resolves, throws at once or is another error", async () => {
  const cases: { run: () => Promise<unknown>; says: RegExp }[] = [
    { run: () => assertRejects(() => Promise.resolve(1)), says: /^Expected function to reject\.$/ },
    {
      run: () => assertRejects(() => Promise.resolve(1), "why"),
      says: /^Expected function to reject: why$/,
    },
    {
      run: () => assertRejects(raise(new Error("x")) as never),
      says: /^Function throws when expected to reject\.$/,
    },
    {
      run: () => assertRejects((() => 1) as never),
      says: /^Function throws when expected to reject\.$/,
    },
    {
      run: () => assertRejects(() => Promise.reject("x"), Error),
      says: /^A non-Error object was rejected\.$/,
    },
    {
      run: () => assertRejects(() => Promise.reject(new Error("x")), TypeError),
      says: /instance of "TypeError"/,
    },
    {
      run: () => assertRejects(() => Promise.reject(new Error("x")), Error, "y"),
      says: /include "y"/,
    },
  ];
  for (const { run, says } of cases) await rejects(run(), failure(says));
});
