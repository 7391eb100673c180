import { deepStrictEqual } from "node:assert";
import { isDeepStrictEqual } from "node:util";
import { AssertionError } from "./assertion_error.ts";
import { show, withMessage } from "./_message.ts";
import { viaNode } from "./_node.ts";

/**
 * Asserts that two values are equal, deeply: same structure, same types, `NaN` equals `NaN`.
 *
 * @param actual The value to test.
 * @param expected What it should be.
 * @param msg What to say when they differ.
 * @throws {AssertionError} When they differ, with a diff.
 */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  viaNode("Values are not equal", msg, () => deepStrictEqual(actual, expected));
}

/**
 * Asserts that two values are not equal, deeply.
 *
 * @param actual The value to test.
 * @param expected What it should not be.
 * @param msg What to say when they are equal.
 * @throws {AssertionError} When they are equal.
 */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!isDeepStrictEqual(actual, expected)) return;
  throw new AssertionError(
    withMessage(`Expected actual: ${show(actual)} not to be: ${show(expected)}`, msg),
  );
}
