import { AssertionError } from "./assertion_error.ts";
import { withMessage } from "./_message.ts";

/** Any class, abstract ones included: what {@linkcode assertInstanceOf} takes. */
export type AnyConstructor = abstract new (...args: never[]) => unknown;

/** What `new` on a class gives. */
export type GetConstructorType<T extends AnyConstructor> = InstanceType<T>;

/**
 * Asserts that a value is an instance of a class.
 *
 * @param actual The value.
 * @param expectedType The class.
 * @param msg What to say when it is not.
 * @throws {AssertionError} When it is not, naming both classes.
 */
export function assertInstanceOf<T extends AnyConstructor>(
  actual: unknown,
  expectedType: T,
  msg?: string,
): asserts actual is GetConstructorType<T> {
  if (actual instanceof expectedType) return;
  const found = actual === null || actual === undefined
    ? `"${actual}"`
    : `"${Object(actual).constructor?.name ?? "Object"}"`;
  throw new AssertionError(withMessage(
    `Expected object to be an instance of "${expectedType.name}" but was ${found}`,
    msg,
  ));
}
