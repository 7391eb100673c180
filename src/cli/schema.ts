import { adviseOperands } from "./flags/advice.ts";
import { jsonSchema, markdownTable } from "../record/schema.ts";
import { statusSchema } from "../output/status_schema.ts";
import { summarySchema } from "../output/summary_schema.ts";
import { statisticsSchema } from "../output/statistics/schema.ts";
import { pairsSchema } from "../store/pairs/pair_schema.ts";
import { type Flag, parseFlags } from "./flags/flags.ts";
import { type Command, print } from "./commands.ts";
import { formatHelp, type Help } from "./help.ts";
import { ExitStatus, UsageError } from "./usage.ts";
import { parseChoice } from "./flags/values.ts";

const FORMATS = ["json", "markdown"] as const;

/** What schema each flag asks for instead of that of a record. */
const OTHER_LINES: Readonly<Record<string, () => Record<string, unknown>>> = {
  stats: statisticsSchema,
  status: statusSchema,
  summary: summarySchema,
  pairs: pairsSchema,
};

const SCHEMA_FLAGS: readonly Flag[] = [
  {
    name: "format",
    value: "FORMAT",
    completes: FORMATS,
    meaning: `${FORMATS.join(" or ")} (default json)`,
  },
  { name: "stats", meaning: "of what --stats --json writes, instead of a record" },
  { name: "status", meaning: "of a status line, which trace writes among records, instead" },
  { name: "summary", meaning: "of the summary, the last line of NDJSON, instead" },
  { name: "pairs", meaning: "of what pairs --json writes, instead" },
  { name: "help", meaning: "show this" },
];

/** What `schema --help` tells. */
export const SCHEMA_HELP: Help = {
  summary: "Print what a record holds.",
  usage: [["synsnoop schema [flags]", "a JSON Schema (2020-12), or a table"]],
  flags: SCHEMA_FLAGS,
  examples: [
    ["synsnoop schema >handshake.schema.json", "for a validator"],
    ["synsnoop schema --format markdown", "to read"],
  ],
  statuses: [[ExitStatus.Ok, "done"], [ExitStatus.Usage, "wrong usage"]],
};

/** The command `schema`. */
export const command: Command = {
  help: SCHEMA_HELP,
  run: (args, output) => print(output, { text: schema(args) }),
};

/**
 * The command `schema`: what a record holds, or another line.
 *
 * @param args What follows the command's name.
 * @returns The text to print: the JSON Schema, a table in Markdown, or the help.
 * @throws {UsageError} One line for the user.
 */
export function schema(args: readonly string[]): string {
  const { switches, values, operands } = parseFlags(args, SCHEMA_FLAGS);
  if (operands.length > 0) {
    throw new UsageError(
      `Cannot use "${operands[0]}": ${adviseOperands("schema", operands, SCHEMA_FLAGS)}`,
    );
  }
  if (switches.has("help")) return formatHelp(SCHEMA_HELP);
  const format = parseChoice("format", values.get("format")?.[0] ?? "json", FORMATS);
  const [one, other] = Object.keys(OTHER_LINES).filter((flag) => switches.has(flag));
  if (other !== undefined) throw new UsageError(`Cannot use --${one} with --${other}: give one`);
  if (format === "json") {
    const schemaOf = one === undefined ? jsonSchema : OTHER_LINES[one];
    return JSON.stringify(schemaOf(), null, 2) + "\n";
  }
  if (one !== undefined) {
    throw new UsageError(`Cannot use --${one} with --format markdown: that shows records alone`);
  }
  return markdownTable();
}
