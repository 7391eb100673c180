import { AssertionError } from "./assertion_error.ts";
import { withMessage } from "./_message.ts";

/** The relative tolerance where the caller gives none. */
const DEFAULT_TOLERANCE = 1e-7;

/**
 * Asserts that two numbers are equal within a tolerance.
 *
 * @param actual The number to test.
 * @param expected What it should be about.
 * @param tolerance The greatest difference allowed; by default 1e-7 of `expected`.
 * @param msg What to say when it is greater.
 * @throws {AssertionError} When the difference is greater.
 */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ??
    (isFinite(expected) ? Math.abs(expected * DEFAULT_TOLERANCE) : DEFAULT_TOLERANCE);
  const delta = Math.abs(expected - actual);
  // Written so that a NaN on either side fails.
  if (delta <= allowed) return;
  throw new AssertionError(withMessage(
    `Expected actual: "${actual}" to be close to "${expected}": ` +
      `delta "${delta}" is greater than "${allowed}"`,
    msg,
  ));
}
