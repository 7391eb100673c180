/**
 * Stand-in for the published `@std/cli`: what this program uses of `parseArgs`, with the same names,
 * types and behaviour.
 *
 * @example
 * ```ts
 * import { parseArgs } from "@std/cli";
 *
 * const args = parseArgs(["--json", "--port=443"], { boolean: ["json"], string: ["port"] });
 * console.log(args.json, args.port); // true "443"
 * ```
 *
 * @module
 */
export * from "./parse_args.ts";
