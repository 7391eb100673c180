import { strictEqual } from "node:assert";
import { viaNode } from "./_node.ts";

/**
 * Asserts that two values are the same by `Object.is`: an object equals itself only.
 *
 * @param actual The value to test.
 * @param expected What it should be.
 * @param msg What to say when they differ.
 * @throws {AssertionError} When they differ, with a diff.
 */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  viaNode("Values are not strictly equal", msg, () => strictEqual(actual, expected));
}
