/**
 * The parts that JSON Schemas of our lines are put together of.
 *
 * @module
 */
import { OUTCOMES } from "../match/handshake.ts";
import { LOSS_PLACES } from "../pipeline/losses.ts";
import { QUANTILES } from "../pipeline/summary.ts";
import { DISCARD_NAMES, frameVerdictNames } from "../wire/verdict.ts";

/** All but the first, which means that a packet was decoded. */
const UNDECODED_REASONS = frameVerdictNames.slice(1).filter((name) => !DISCARD_NAMES.has(name));
const QUANTILE_NOTE = "never below the true one, at most 1/64 above it; absent without a count";

/** A JSON Schema, or a part of one. */
export type Schema = Record<string, unknown>;

/** An object with these members, all of them required unless told. */
export function object(
  properties: Record<string, Schema>,
  required: readonly string[] = Object.keys(properties),
): Schema {
  return { type: "object", properties, required, additionalProperties: true };
}

/** An array of such items. */
export function array(description: string, items: Schema): Schema {
  return { description, type: "array", items };
}

/** A whole number. */
export function integer(description: string): Schema {
  return { description, type: "integer" };
}

/** A text; only these where values are given. */
export function string(description: string, values?: readonly string[]): Schema {
  return { description, type: "string", ...(values && { enum: values }) };
}

/** What stands at the start of each line that tells of a whole trace. */
export function head(event: string, time: string): Record<string, Schema> {
  return {
    v: integer("Version of the line"),
    event: string("Kind of the line", [event]),
    time: string(`${time} (RFC 3339, UTC, nine digits)`),
    host: string("Name of the host that traced"),
    host_id: string("Which host traced, whatever its name"),
    tracer: string("Which run of the tool on that host: PID-START"),
  };
}

/** Those of {@link head} and `members` that each such line has. */
export function required(members: Record<string, Schema>, optional: readonly string[]): string[] {
  return Object.keys(members).filter((name) => ![...optional, "host_id", "tracer"].includes(name));
}

/** Counts by the places of `LOSS_PLACES`. */
export function losses(): Schema {
  return object(
    Object.fromEntries(LOSS_PLACES.map(({ name, meaning }) => [name, integer(meaning)])),
    [],
  );
}

/** Handshakes by how they ended and by what told of them, as a summary and statistics count them. */
export function countsOfHandshakes(): Record<string, Schema> {
  return {
    outcomes: object(
      Object.fromEntries(OUTCOMES.map((outcome) => [outcome, integer("Handshakes")])),
      [],
    ),
    by_evidence: object({
      both: integer("Handshakes that packets and the kernel told of"),
      wire_only: integer("Handshakes that packets alone told of"),
      kernel_only: integer("Handshakes that the kernel alone told of"),
    }),
  };
}

/** What a summary and statistics count beside handshakes: losses, and packets that told nothing, by why. */
export function countsOfLosses(): Record<string, Schema> {
  return {
    losses: losses(),
    undecoded: object(
      Object.fromEntries(
        UNDECODED_REASONS.map((reason) => [reason, integer("Packets not decoded for it")]),
      ),
      [],
    ),
    discarded: object(
      Object.fromEntries(
        [...DISCARD_NAMES].map((reason) => [reason, integer("Packets thrown away for it")]),
      ),
      [],
    ),
  };
}

/** Quantiles of durations, nanoseconds: `p50_ns` and so on. */
export function quantiles(): Record<string, Schema> {
  return Object.fromEntries(
    QUANTILES.map(([name]) => [`${name}_ns`, integer(`Quantile (ns), ${QUANTILE_NOTE}`)]),
  );
}
