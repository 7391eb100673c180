import { AssertionError } from "./assertion_error.ts";
import { withMessage } from "./_message.ts";

/** An error class, abstract ones included. */
export type ErrorClass<E extends Error = Error> = abstract new (...args: never[]) => E;

/**
 * Asserts that an error is of a class, with a message that contains a text.
 *
 * @param error The error.
 * @param ErrorClass The class.
 * @param msgIncludes A part of the message; not tested where absent.
 * @param msg What to say when it is not.
 * @throws {AssertionError} When it is not, with what was found.
 */
export function assertIsError<E extends Error = Error>(
  error: Error,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): asserts error is E {
  if (!(error instanceof ErrorClass)) {
    throw new AssertionError(withMessage(
      `Expected error to be instance of "${ErrorClass.name}", but was "${error.constructor.name}"`,
      msg,
    ));
  }
  if (msgIncludes === undefined || error.message.includes(msgIncludes)) return;
  throw new AssertionError(withMessage(
    `Expected error message to include ${JSON.stringify(msgIncludes)}, but got ${
      JSON.stringify(error.message)
    }`,
    msg,
  ));
}
