import { AssertionError } from "./assertion_error.ts";
import { withMessage } from "./_message.ts";

/**
 * Marks a place that no run may reach.
 *
 * @param msg Why it is believed unreachable.
 * @throws {AssertionError} Always.
 */
export function unreachable(msg?: string): never {
  throw new AssertionError(withMessage("Unreachable", msg));
}
