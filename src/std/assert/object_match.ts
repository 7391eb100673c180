import { deepStrictEqual } from "node:assert";
import { viaNode } from "./_node.ts";

/**
 * Asserts that an object holds at least what another does, deeply. In a nested array the first
 * elements are compared and later ones ignored. Classes are not compared.
 *
 * @param actual The object to test.
 * @param expected The part it must hold.
 * @param msg What to say when it does not.
 * @throws {AssertionError} When a part is missing or differs, with a diff of that part only.
 * @throws {TypeError} When `actual` is not an object.
 */
export function assertObjectMatch(
  actual: object,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  if (typeof actual !== "object" || actual === null) {
    throw new TypeError(`Cannot assertObjectMatch: actual is "${actual}", not an object`);
  }
  const part = project(actual, expected, new Map());
  viaNode("Values are not equal", msg, () => deepStrictEqual(part, expected));
}

/** What is left of `actual` when all that `expected` does not name is dropped. */
function project(actual: unknown, expected: unknown, seen: Map<unknown, unknown>): unknown {
  if (!isBranch(actual) || !isBranch(expected) || actual === expected) return actual;
  if (Array.isArray(actual) !== Array.isArray(expected)) return actual;
  const known = seen.get(expected);
  if (known !== undefined) return known;
  const part: Record<PropertyKey, unknown> = Array.isArray(expected)
    ? [] as unknown as Record<PropertyKey, unknown>
    : Object.create(Object.getPrototypeOf(expected));
  seen.set(expected, part);
  for (const key of Reflect.ownKeys(expected)) {
    // An array's `length` follows from its elements.
    if (Array.isArray(expected) && key === "length") continue;
    if (key in actual) part[key] = project(actual[key], expected[key], seen);
  }
  return part;
}

/** An array, or an object that is no built-in container: what can be compared in part. */
function isBranch(value: unknown): value is Record<PropertyKey, unknown> {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) || Object.prototype.toString.call(value) === "[object Object]";
}
