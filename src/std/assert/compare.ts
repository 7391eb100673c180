import { AssertionError } from "./assertion_error.ts";
import { show, withMessage } from "./_message.ts";

function check<T>(holds: boolean, actual: T, relation: string, expected: T, msg?: string): void {
  if (holds) return;
  throw new AssertionError(
    withMessage(`Expect ${show(actual)} ${relation} ${show(expected)}`, msg),
  );
}

/**
 * Asserts that `actual > expected`.
 *
 * @param actual The left side.
 * @param expected The right side.
 * @param msg What to say when it does not hold.
 * @throws {AssertionError} When it does not hold.
 */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  check(actual > expected, actual, ">", expected, msg);
}

/**
 * Asserts that `actual >= expected`.
 *
 * @param actual The left side.
 * @param expected The right side.
 * @param msg What to say when it does not hold.
 * @throws {AssertionError} When it does not hold.
 */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void {
  check(actual >= expected, actual, ">=", expected, msg);
}

/**
 * Asserts that `actual < expected`.
 *
 * @param actual The left side.
 * @param expected The right side.
 * @param msg What to say when it does not hold.
 * @throws {AssertionError} When it does not hold.
 */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  check(actual < expected, actual, "<", expected, msg);
}

/**
 * Asserts that `actual <= expected`.
 *
 * @param actual The left side.
 * @param expected The right side.
 * @param msg What to say when it does not hold.
 * @throws {AssertionError} When it does not hold.
 */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  check(actual <= expected, actual, "<=", expected, msg);
}
