import { deepStrictEqual } from "node:assert";
import { inspect, isDeepStrictEqual } from "node:util";
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
  if (isDeepStrictEqual(actual, expected)) return;
  const shown = [actual, expected].map(linesOf);
  if (shown[0].length + shown[1].length <= DIFF_LINES_MAX) {
    return viaNode("Values are not equal", msg, () => deepStrictEqual(actual, expected));
  }
  const [one, other] = shown.map((lines) => lines.slice(0, SHOWN_LINES).join("\n"));
  throw new AssertionError(
    `${withMessage("Values are not equal, and too long for a diff", msg)}\n` +
      `Actual begins: ${one}\nExpected begins: ${other}`,
  );
}

/** Above it a diff takes minutes and gigabytes: what it costs grows with the product of both. */
const DIFF_LINES_MAX = 4_000;
/** Of each value that is too long for it. */
const SHOWN_LINES = 60;

function linesOf(value: unknown): string[] {
  return inspect(value, { depth: 100, maxArrayLength: Infinity, sorted: true, compact: false })
    .split("\n");
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
