import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { parseFlags } from "../../../../src/cli/flags/flags.ts";
import {
  createFormat,
  FORMAT_DEFAULTS,
  FORMAT_FLAG,
  type FormatOptions,
  parseFormat,
} from "../../../../src/cli/flags/format_options.ts";
import type { OutputSurface } from "../../../../src/cli/process/terminal.ts";
import { UsageError } from "../../../../src/cli/usage.ts";
// What is loaded when it is asked for needs no right to be read where it is loaded already.
import "../../../../src/output/field_column.ts";
import { LineFormat } from "../../../../src/output/line_format.ts";
import { NdjsonFormat } from "../../../../src/output/text_sink.ts";
import { StatisticsFormat } from "../../../../src/output/statistics/format.ts";
import { CsvFormat } from "../../../../src/output/csv.ts";
import { chooseFields } from "../../../../src/record/choose_fields.ts";
import type { Field } from "../../../../src/record/field.ts";
import { TableFormat } from "../../../../src/output/table.ts";
import { stateOf } from "../../pipeline/stand_ins.ts";
import { CONTEXT, taken, WORKED_EXAMPLE } from "../../record/sample_handshakes.ts";

const PIPE = {
  isTerminal: false,
  isForPeople: false,
  colour: false,
  utf8: true,
  width: () => Infinity,
};
const TERMINAL = { isTerminal: true, isForPeople: true, colour: true, utf8: true, width: () => 80 };

function parse(args: string): FormatOptions {
  const words = args.split(" ").filter((word) => word !== "");
  return parseFormat(parseFlags(words, Object.values(FORMAT_FLAG)));
}

function fieldsOf(...names: string[]): Field[] {
  return chooseFields(names) as Field[];
}

const GOOD: { args: string; expected: Partial<FormatOptions> }[] = [
  { args: "", expected: {} },
  { args: "--json", expected: { json: true } },
  { args: "--table", expected: { kind: "table" } },
  { args: "--stats", expected: { kind: "statistics" } },
  { args: "--stats --interval 1s", expected: { kind: "statistics", intervalMs: 1_000 } },
  { args: "--stats --json --top 1", expected: { kind: "statistics", json: true, top: 1 } },
  { args: "--stats --top 1000", expected: { kind: "statistics", top: 1_000 } },
  { args: "--ascii --stats", expected: { kind: "statistics", ascii: true } },
  { args: "--wide --local-time", expected: { wide: true, localTime: true } },
  { args: "--colour always", expected: { colour: "always" } },
  { args: "--csv", expected: { kind: "csv" } },
  { args: "--csv --fields outcome", expected: { kind: "csv", fields: fieldsOf("outcome") } },
  {
    args: "--fields outcome,packets.syn --json",
    expected: { json: true, fields: fieldsOf("outcome", "packets.syn") },
  },
  { args: "--columns time,rtt", expected: { columns: fieldsOf("time", "rtt") } },
  {
    args: "--table --columns client.port",
    expected: { kind: "table", columns: fieldsOf("client.port") },
  },
  { args: "--color never --table", expected: { kind: "table", colour: "never" } },
];

for (const { args, expected } of GOOD) {
  Deno.test(`parseFormat reads "${args}"`, () => {
    assertEquals(parse(args), { ...FORMAT_DEFAULTS, ...expected });
  });
}

const BAD: { args: string; says: string }[] = [
  { args: "--table --json", says: "Cannot use --table with --json: give one of them" },
  { args: "--stats --table", says: "Cannot use --table with --stats: give one of them" },
  { args: "--csv --json", says: "Cannot use --csv with --json: give one of them" },
  { args: "--csv --table", says: "Cannot use --table with --csv: give one of them" },
  {
    args: "--fields time --table",
    says: "Cannot use --fields with --table: it is about NDJSON and CSV; give --columns",
  },
  {
    args: "--columns time --csv",
    says: "Cannot use --columns with --csv: it is about lines and tables; give --fields",
  },
  {
    args: "--columns time --stats",
    says: "Cannot use --columns with --stats: it is about lines and tables",
  },
  {
    args: "--columns time --wide",
    says: "Cannot use --wide with --columns: it is about lines on a terminal",
  },
  {
    args: "--fields client.prot",
    says: 'Cannot use --fields "client.prot": did you mean client.port?',
  },
  {
    args: "--columns everything",
    says:
      'Cannot use --columns "everything": no field has that name; synsnoop schema --format markdown lists them',
  },
  { args: "--wide --json", says: "Cannot use --wide with --json: it is about lines on a terminal" },
  {
    args: "--wide --table",
    says: "Cannot use --wide with --table: it is about lines on a terminal",
  },
  { args: "--colour blue", says: 'Cannot use --colour "blue": give one of auto, always, never' },
  {
    args: "--colour never --color always",
    says: "Cannot use --colour with --color: they are the same, give one of them",
  },
  {
    args: "--top 3",
    says: "Cannot use --top without --stats: it is about statistics; give --stats too",
  },
  {
    args: "--table --ascii",
    says: "Cannot use --ascii without --stats: it is about statistics; give --stats too",
  },
  {
    args: "--stats --json --ascii",
    says: "Cannot use --ascii with --json: JSON draws nothing, give one of them",
  },
  {
    args: "--stats --top 0",
    says: 'Cannot use --top "0": give a whole number from 1 to 1000',
  },
  {
    args: "--stats --top 1001",
    says: 'Cannot use --top "1001": give a whole number from 1 to 1000',
  },
];

for (const { args, says } of BAD) {
  Deno.test(`parseFormat refuses "${args}"`, () => {
    assertEquals(assertThrows(() => parse(args), UsageError).message, says);
  });
}

const FORMATS = [
  { args: "", surface: PIPE, expected: NdjsonFormat },
  { args: "", surface: TERMINAL, expected: LineFormat },
  { args: "--json", surface: TERMINAL, expected: NdjsonFormat },
  { args: "--table", surface: PIPE, expected: TableFormat },
  { args: "--csv", surface: TERMINAL, expected: CsvFormat },
  { args: "--columns time", surface: TERMINAL, expected: TableFormat },
  { args: "--columns time", surface: PIPE, expected: TableFormat },
  { args: "--table", surface: TERMINAL, expected: TableFormat },
  { args: "--stats", surface: PIPE, expected: StatisticsFormat },
  { args: "--stats --json", surface: TERMINAL, expected: StatisticsFormat },
];

for (const { args, surface, expected } of FORMATS) {
  const where = surface.isTerminal ? "a terminal" : "a pipe";
  Deno.test(`createFormat makes ${expected.name} of "${args}" on ${where}`, async () => {
    assertInstanceOf(await createFormat(parse(args), surface, false), expected);
  });
}

Deno.test("createFormat colours a table where colours are wanted", async () => {
  const cases = [
    { args: "--table", surface: PIPE, colours: false },
    { args: "--table", surface: TERMINAL, colours: true },
    { args: "--table --colour always", surface: PIPE, colours: true },
    { args: "--table --color never", surface: TERMINAL, colours: false },
  ];
  for (const { args, surface, colours } of cases) {
    const row = taken(await createFormat(parse(args), surface, true), WORKED_EXAMPLE);
    assertEquals(row.includes("\x1b["), colours, args);
  }
});

Deno.test("createFormat writes lines as wide as the terminal is now, or as they are", async () => {
  let columns = 80;
  const surface = { ...TERMINAL, colour: false, width: () => columns };
  const lines = await createFormat(parse(""), surface, true);
  const narrow = taken(lines, WORKED_EXAMPLE);
  assertStringIncludes(narrow, "RTT OR REASON");
  assertEquals(taken(lines, WORKED_EXAMPLE).split("\n").length, 2, "headings stand once");
  columns = 140;
  assertStringIncludes(taken(lines, WORKED_EXAMPLE), "CHECKS NOTES");
  const wide = taken(await createFormat(parse("--wide"), surface, true), WORKED_EXAMPLE);
  assertStringIncludes(wide, "SERVER ISN CHECKS PROCESS");
});

Deno.test("createFormat gives the local time where it is asked for", async () => {
  for (const [args, surface] of [["", TERMINAL], ["--table", PIPE]] as const) {
    const of = async (flag: string) =>
      taken(await createFormat(parse(`${args} ${flag}`), surface, true), WORKED_EXAMPLE);
    assertStringIncludes(await of(""), "TIME (UTC)");
    assertEquals((await of("--local-time")).includes("(UTC)"), false);
  }
});

Deno.test("createFormat holds the rows of a table unless a file is followed", async () => {
  for (const follow of [false, true]) {
    const row = taken(await createFormat(parse("--table"), PIPE, follow), WORKED_EXAMPLE);
    assertEquals(row !== "", follow);
  }
});

Deno.test("createFormat draws in ASCII where it is asked to or the locale has no more", async () => {
  const cases = [
    { args: "--stats", surface: TERMINAL, ascii: false },
    { args: "--stats --ascii", surface: TERMINAL, ascii: true },
    { args: "--stats", surface: { ...TERMINAL, utf8: false }, ascii: true },
  ];
  for (const { args, surface, ascii } of cases) {
    const format = await createFormat(parse(args), surface, false);
    taken(format, WORKED_EXAMPLE);
    const text = format.end(stateOf(CONTEXT));
    assertMatch(text, ascii ? /#/ : /█/);
  }
});

Deno.test("createFormat writes status lines where NDJSON goes to no terminal", async () => {
  const status = { intervalMs: 5_000, version: "1.2.3", filters: [] };
  const reportMs = async (args: string, surface: OutputSurface) =>
    (await createFormat(parse(args), surface, true, status)).reportMs;
  assertEquals(await reportMs("", PIPE), 5_000);
  assertEquals(await reportMs("", TERMINAL), undefined);
  assertEquals(await reportMs("--json", TERMINAL), undefined);
  assertEquals(await reportMs("--table", PIPE), undefined);
  assertEquals((await createFormat(parse(""), PIPE, true)).reportMs, undefined);
});

Deno.test("createFormat writes statistics of each interval as lines on a terminal, else as JSON", async () => {
  const cases = [
    { args: "", surface: TERMINAL, begins: /^ +CLIENT RTT .*\nTIME / },
    { args: "", surface: PIPE, begins: /^\{"v":1,"event":"statistics",/ },
    { args: "--json", surface: TERMINAL, begins: /^\{"v":1,"event":"statistics",/ },
  ];
  for (const { args, surface, begins } of cases) {
    const format = await createFormat(parse(`--stats --interval 2s ${args}`), surface, true);
    assertEquals(format.reportMs, 2_000);
    assertMatch(format.report!(stateOf(CONTEXT), 0), begins);
  }
});

Deno.test("createFormat writes the chosen fields in their places, in NDJSON with what tells its kind", async () => {
  const of = async (args: string, surface = PIPE) =>
    taken(await createFormat(parse(args), surface, true), WORKED_EXAMPLE);
  assertEquals(
    await of("--fields rtt.total_ns,outcome"),
    '{"v":1,"event":"handshake","outcome":"established","rtt":{"total_ns":10272000}}\n',
  );
  assertEquals(
    await of("--csv --fields rtt.total_ns,outcome"),
    "rtt.total_ns,outcome\r\n10272000,established\r\n",
  );
  assertEquals(
    await of("--columns outcome,rtt.total_ns"),
    "outcome      rtt.total_ns\nestablished       10.3 ms\n",
  );
});

Deno.test("createFormat writes chosen columns on a terminal as each handshake comes", async () => {
  const format = await createFormat(parse("--columns outcome"), TERMINAL, false);
  assertStringIncludes(taken(format, WORKED_EXAMPLE), "\x1b[32mestablished");
});
