import { assertEquals, assertInstanceOf, assertMatch, assertThrows } from "@std/assert";
import { parseFlags } from "../../../src/cli/flags.ts";
import {
  createFormat,
  FORMAT_FLAG,
  type FormatOptions,
  parseFormat,
} from "../../../src/cli/format_options.ts";
import { UsageError } from "../../../src/cli/usage.ts";
import { LineFormat, NdjsonFormat } from "../../../src/output/text_sink.ts";
import { StatisticsFormat } from "../../../src/output/statistics/format.ts";
import { TableFormat } from "../../../src/output/table.ts";
import { stateOf } from "../pipeline/stand_ins.ts";
import { CONTEXT, taken, WORKED_EXAMPLE } from "../record/sample_handshakes.ts";

const PLAIN: FormatOptions = { kind: "records", json: false, top: 10, ascii: false };
const PIPE = { isTerminal: false, colour: false, utf8: true };
const TERMINAL = { isTerminal: true, colour: true, utf8: true };

function parse(args: string): FormatOptions {
  const words = args.split(" ").filter((word) => word !== "");
  return parseFormat(parseFlags(words, Object.values(FORMAT_FLAG)));
}

const GOOD: { args: string; expected: Partial<FormatOptions> }[] = [
  { args: "", expected: {} },
  { args: "--json", expected: { json: true } },
  { args: "--table", expected: { kind: "table" } },
  { args: "--stats", expected: { kind: "statistics" } },
  { args: "--stats --json --top 1", expected: { kind: "statistics", json: true, top: 1 } },
  { args: "--stats --top 1000", expected: { kind: "statistics", top: 1_000 } },
  { args: "--ascii --stats", expected: { kind: "statistics", ascii: true } },
];

for (const { args, expected } of GOOD) {
  Deno.test(`parseFormat reads "${args}"`, () => {
    assertEquals(parse(args), { ...PLAIN, ...expected });
  });
}

const BAD: { args: string; says: string }[] = [
  { args: "--table --json", says: "Cannot use --table with --json: give one of them" },
  { args: "--stats --table", says: "Cannot use --table with --stats: give one of them" },
  {
    args: "--top 3",
    says: "Cannot use --top without --stats: it says how to write those",
  },
  {
    args: "--table --ascii",
    says: "Cannot use --ascii without --stats: it says how to write those",
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
  for (const surface of [PIPE, TERMINAL]) {
    const row = taken(await createFormat(parse("--table"), surface, true), WORKED_EXAMPLE);
    assertEquals(row.includes("\x1b["), surface.colour);
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
