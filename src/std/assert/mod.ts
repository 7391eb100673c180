/**
 * Stand-in for the published `@std/assert`: the assertions this program's tests use, with the same
 * names, types and behaviour, built on `node:assert`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([1, 2].map((x) => x * 2), [2, 4]);
 * ```
 *
 * @module
 */
export * from "./assert.ts";
export * from "./assertion_error.ts";
export * from "./compare.ts";
export * from "./equals.ts";
export * from "./exists.ts";
export * from "./fail.ts";
export * from "./instance_of.ts";
export * from "./match.ts";
export * from "./rejects.ts";
export * from "./strict_equals.ts";
export * from "./string_includes.ts";
export * from "./throws.ts";
