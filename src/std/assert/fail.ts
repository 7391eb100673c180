import { AssertionError } from "./assertion_error.ts";
import { withMessage } from "./_message.ts";

/**
 * Fails.
 *
 * @param msg Why.
 * @throws {AssertionError} Always.
 */
export function fail(msg?: string): never {
  throw new AssertionError(withMessage("Failed assertion", msg));
}
