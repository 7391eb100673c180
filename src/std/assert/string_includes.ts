import { AssertionError } from "./assertion_error.ts";
import { withMessage } from "./_message.ts";

/**
 * Asserts that a string contains another.
 *
 * @param actual The string to search.
 * @param expected What it must contain.
 * @param msg What to say when it does not.
 * @throws {AssertionError} When it does not.
 */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(
    withMessage(`Expected actual: "${actual}" to contain: "${expected}"`, msg),
  );
}
