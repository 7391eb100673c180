import { isDeepStrictEqual } from "node:util";
import { AssertionError } from "./assertion_error.ts";
import { show, withMessage } from "./_message.ts";

/** What {@linkcode assertArrayIncludes} searches: an array, a typed array, a string. */
export type ArrayLikeArg<T> = ArrayLike<T> & object;

/**
 * Asserts that each expected element is in the array, by deep equality, in any order.
 *
 * @param actual The array to search.
 * @param expected The elements it must hold.
 * @param msg What to say when one is missing.
 * @throws {AssertionError} When one is missing, naming all that are.
 */
export function assertArrayIncludes<T>(
  actual: ArrayLikeArg<T>,
  expected: ArrayLikeArg<T>,
  msg?: string,
): void {
  const held = Array.from(actual);
  const missing = Array.from(expected).filter((wanted) =>
    !held.some((value) => isDeepStrictEqual(value, wanted))
  );
  if (missing.length === 0) return;
  throw new AssertionError(
    withMessage(
      `Expected actual: "${show(actual)}" to include: "${show(expected)}"`,
      msg,
    ) + `\nmissing: ${show(missing)}`,
  );
}
