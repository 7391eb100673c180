import { AssertionError } from "./assertion_error.ts";
import { show, withMessage } from "./_message.ts";

/** An error class, abstract ones included. */
export type ErrorClass<E extends Error = Error> = abstract new (...args: never[]) => E;

/**
 * Asserts that a value is an error of a class, with a message that contains or matches something.
 *
 * @param error The value.
 * @param ErrorClass The class; any error where absent.
 * @param msgMatches A part of the message, or an expression it matches; not tested where absent.
 * @param msg What to say when it is not.
 * @throws {AssertionError} When it is not, with what was found.
 */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  ErrorClass?: ErrorClass<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  if (!(error instanceof Error)) {
    throw new AssertionError(
      withMessage(`Expected "error" to be an Error object but was "${show(error)}"`, msg),
    );
  }
  if (ErrorClass && !(error instanceof ErrorClass)) {
    throw new AssertionError(withMessage(
      `Expected error to be instance of "${ErrorClass.name}", but was "${error.constructor.name}"`,
      msg,
    ));
  }
  if (msgMatches === undefined) return;
  const fits = typeof msgMatches === "string"
    ? error.message.includes(msgMatches)
    : msgMatches.test(error.message);
  if (fits) return;
  const relation = typeof msgMatches === "string" ? "include" : "match";
  throw new AssertionError(withMessage(
    `Expected error message to ${relation} ${show(msgMatches)}, but got ${show(error.message)}`,
    msg,
  ));
}
