import { AssertionError as NodeAssertionError } from "node:assert";
import { AssertionError } from "./assertion_error.ts";
import { withMessage } from "./_message.ts";

/**
 * Runs an assertion of `node:assert` and turns its error into this package's, keeping the diff.
 *
 * @param what The sentence before the diff.
 * @param msg The caller's own words.
 * @param check Calls `node:assert`.
 * @throws {AssertionError} When the assertion does not hold.
 */
export function viaNode(what: string, msg: string | undefined, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof NodeAssertionError)) throw error;
    throw new AssertionError(`${withMessage(what, msg)}\n${error.message}`);
  }
}
