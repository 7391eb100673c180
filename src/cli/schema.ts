import { jsonSchema, markdownTable } from "../record/schema.ts";
import { statisticsSchema } from "../output/statistics/schema.ts";
import { type Flag, formatFlags, parseFlags } from "./flags.ts";
import { UsageError } from "./usage.ts";
import { parseChoice } from "./values.ts";

const FORMATS = ["json", "markdown"] as const;

const SCHEMA_FLAGS: readonly Flag[] = [
  { name: "format", value: "FORMAT", meaning: `${FORMATS.join(" or ")} (default json)` },
  { name: "stats", meaning: "of what --stats --json writes, instead of a record" },
  { name: "help", meaning: "show this" },
];

/**
 * The command `schema`: what a record holds, or the statistics.
 *
 * @param args What follows the command's name.
 * @returns The text to print: the JSON Schema, a table in Markdown, or the help.
 * @throws {UsageError} One line for the user.
 */
export function schema(args: readonly string[]): string {
  const { switches, values, operands } = parseFlags(args, SCHEMA_FLAGS);
  if (operands.length > 0) {
    throw new UsageError(`Cannot use "${operands[0]}": schema takes flags only`);
  }
  if (switches.has("help")) {
    return `Print what a record holds.\n\nsynsnoop schema [flags]\n\n${formatFlags(SCHEMA_FLAGS)}`;
  }
  const format = parseChoice("format", values.get("format")?.[0] ?? "json", FORMATS);
  const stats = switches.has("stats");
  if (format === "json") {
    return JSON.stringify(stats ? statisticsSchema() : jsonSchema(), null, 2) + "\n";
  }
  if (stats) {
    throw new UsageError("Cannot use --stats with --format markdown: that shows records alone");
  }
  return markdownTable();
}
