import { inspect } from "node:util";

/** Builds "`what`." or, with the caller's own words, "`what`: `msg`". */
export function withMessage(what: string, msg?: string): string {
  return msg ? `${what}: ${msg}` : `${what}.`;
}

/** One value as a failed assertion shows it. */
export function show(value: unknown): string {
  return inspect(value, { depth: 10, maxArrayLength: 100, sorted: true });
}
