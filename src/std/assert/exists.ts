import { AssertionError } from "./assertion_error.ts";
import { show, withMessage } from "./_message.ts";

/**
 * Asserts that a value is neither `null` nor `undefined`.
 *
 * @param actual The value.
 * @param msg What to say when it is.
 * @throws {AssertionError} When it is `null` or `undefined`.
 */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) {
    throw new AssertionError(
      withMessage(`Expected actual: "${show(actual)}" to not be null or undefined`, msg),
    );
  }
}
