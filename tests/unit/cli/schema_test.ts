import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { schema } from "../../../src/cli/schema.ts";
import { UsageError } from "../../../src/cli/usage.ts";
import { jsonSchema, markdownTable } from "../../../src/record/schema.ts";
import { statusSchema } from "../../../src/output/status_schema.ts";
import { summarySchema } from "../../../src/output/summary_schema.ts";
import { statisticsSchema } from "../../../src/output/statistics/schema.ts";

Deno.test("schema prints the JSON Schema unless asked otherwise", () => {
  for (const args of [[], ["--format", "json"], ["--format=json"]]) {
    const text = schema(args);
    assertEquals(JSON.parse(text), jsonSchema());
    assert(text.endsWith("}\n"));
  }
});

Deno.test("schema prints the table in Markdown", () => {
  assertEquals(schema(["--format", "markdown"]), markdownTable());
});

Deno.test("schema --stats prints the JSON Schema of the statistics", () => {
  assertEquals(JSON.parse(schema(["--stats"])), statisticsSchema());
});

Deno.test("schema --status prints the JSON Schema of a status line", () => {
  assertEquals(JSON.parse(schema(["--status"])), statusSchema());
});

Deno.test("schema --summary prints the JSON Schema of the summary", () => {
  assertEquals(JSON.parse(schema(["--summary"])), summarySchema());
});

Deno.test("schema --help names its flags and formats", () => {
  assertMatch(schema(["--help"]), /^ {2}--format FORMAT {2}json or markdown \(default json\)$/m);
  assertMatch(schema(["--help"]), /^ {2}--help/m);
});

const BAD: { args: string[]; message: string }[] = [
  {
    args: ["--format", "yaml"],
    message: 'Cannot use --format "yaml": give one of json, markdown',
  },
  { args: ["--format"], message: 'Cannot use "--format" without a value: give --format FORMAT' },
  {
    args: ["markdown"],
    message: 'Cannot use "markdown": schema takes flags only, see synsnoop schema --help',
  },
  {
    args: ["--json"],
    message: 'Unknown flag "--json": the flags here are --format, --stats, --status, ' +
      "--summary, --pairs, --help",
  },
  {
    args: ["--stats", "--format", "markdown"],
    message: "Cannot use --stats with --format markdown: that shows records alone",
  },
  {
    args: ["--status", "--format", "markdown"],
    message: "Cannot use --status with --format markdown: that shows records alone",
  },
  { args: ["--status", "--stats"], message: "Cannot use --stats with --status: give one" },
];

for (const { args, message } of BAD) {
  Deno.test(`schema refuses ${JSON.stringify(args)}`, () => {
    assertEquals(assertThrows(() => schema(args), UsageError).message, message);
  });
}
