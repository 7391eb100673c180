import { AssertionError } from "./assertion_error.ts";
import { withMessage } from "./_message.ts";
import { assertIsError, type ErrorClass } from "./_is_error.ts";

/**
 * Asserts that a function's promise rejects.
 *
 * @param fn The function.
 * @param msg What to say when it does not.
 * @returns What it was rejected with.
 * @throws {AssertionError} When it resolves, or when the function throws before it returns.
 */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/**
 * Asserts that a function's promise rejects with an error of a class.
 *
 * @param fn The function.
 * @param ErrorClass The class of the error.
 * @param msgIncludes A part of its message; not tested where absent.
 * @param msg What to say when it does not.
 * @returns The error.
 * @throws {AssertionError} When it resolves, when it is rejected with something else, or when the
 * function throws before it returns.
 */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClassOrMsg?: ErrorClass<E> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const expected = typeof errorClassOrMsg === "string" ? undefined : errorClassOrMsg;
  const words = typeof errorClassOrMsg === "string" ? errorClassOrMsg : msg;
  let promise: unknown;
  try {
    promise = fn();
  } catch {
    promise = undefined;
  }
  if (!isPromiseLike(promise)) {
    throw new AssertionError(withMessage("Function throws when expected to reject", words));
  }
  try {
    await promise;
  } catch (error) {
    if (expected) {
      if (!(error instanceof Error)) {
        throw new AssertionError(withMessage("A non-Error object was rejected", words));
      }
      assertIsError(error, expected, msgIncludes, words);
    }
    return error;
  }
  throw new AssertionError(withMessage("Expected function to reject", words));
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}
