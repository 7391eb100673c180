import { AssertionError } from "./assertion_error.ts";
import { withMessage } from "./_message.ts";
import { assertIsError, type ErrorClass } from "./_is_error.ts";

/**
 * Asserts that a function throws.
 *
 * @param fn The function.
 * @param msg What to say when it does not.
 * @returns What was thrown.
 * @throws {AssertionError} When it does not throw.
 */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/**
 * Asserts that a function throws an error of a class, with a message that contains a text.
 *
 * @param fn The function.
 * @param ErrorClass The class of the error.
 * @param msgIncludes A part of its message; not tested where absent.
 * @param msg What to say when it does not.
 * @returns The error.
 * @throws {AssertionError} When it does not throw, or throws something else.
 */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClassOrMsg?: ErrorClass<E> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const expected = typeof errorClassOrMsg === "string" ? undefined : errorClassOrMsg;
  const words = typeof errorClassOrMsg === "string" ? errorClassOrMsg : msg;
  try {
    fn();
  } catch (error) {
    if (expected) {
      if (!(error instanceof Error)) {
        throw new AssertionError(withMessage("A non-Error object was thrown", words));
      }
      assertIsError(error, expected, msgIncludes, words);
    }
    return error;
  }
  throw new AssertionError(withMessage("Expected function to throw", words));
}
