import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Flag, formatFlags, parseFlags } from "../../../../src/cli/flags/flags.ts";
import { UsageError } from "../../../../src/cli/usage.ts";

const FLAGS: readonly Flag[] = [
  { name: "port", value: "PORT", many: true, meaning: "ports" },
  { name: "count", value: "N", meaning: "how many" },
  { name: "output", value: "FILE", meaning: "where to" },
  { name: "json", meaning: "as JSON" },
  { name: "help", meaning: "show this" },
];

function parse(args: readonly string[]): {
  switches: string[];
  values: Record<string, readonly string[]>;
  operands: readonly string[];
} {
  const { switches, values, operands } = parseFlags(args, FLAGS);
  return { switches: [...switches], values: Object.fromEntries(values), operands };
}

const NONE = { switches: [], values: {}, operands: [] };

const GOOD: { args: string[]; expected: Partial<ReturnType<typeof parse>> }[] = [
  { args: [], expected: {} },
  { args: ["--json"], expected: { switches: ["json"] } },
  { args: ["--json", "--json", "--help"], expected: { switches: ["json", "help"] } },
  { args: ["-h"], expected: { switches: ["help"] } },
  { args: ["--output", "-h"], expected: { values: { output: ["-h"] } } },
  { args: ["--", "-h"], expected: { operands: ["-h"] } },
  { args: ["--count", "1"], expected: { values: { count: ["1"] } } },
  { args: ["--count=1"], expected: { values: { count: ["1"] } } },
  { args: ["--count=1=2"], expected: { values: { count: ["1=2"] } } },
  // Values stay text: whoever reads them says what is wrong with them.
  { args: ["--count", "0x10"], expected: { values: { count: ["0x10"] } } },
  { args: ["--count", "-5"], expected: { values: { count: ["-5"] } } },
  { args: ["--count=-5"], expected: { values: { count: ["-5"] } } },
  { args: ["--count", "-x"], expected: { values: { count: ["-x"] } } },
  { args: ["--count", "true"], expected: { values: { count: ["true"] } } },
  { args: ["--count", "a\nb"], expected: { values: { count: ["a\nb"] } } },
  { args: ["--output=--json"], expected: { values: { output: ["--json"] } } },
  // A lone dash is a name of standard output.
  { args: ["--output", "-"], expected: { values: { output: ["-"] } } },
  { args: ["--output=-", "--json"], expected: { values: { output: ["-"] }, switches: ["json"] } },
  // One value is not cut apart where a flag takes one.
  { args: ["--output", "a,b"], expected: { values: { output: ["a,b"] } } },
  { args: ["--port", "1,2", "--port=3"], expected: { values: { port: ["1", "2", "3"] } } },
  {
    args: ["--port", "1", "--json", "--port", "1"],
    expected: {
      values: { port: ["1", "1"] },
      switches: ["json"],
    },
  },
  { args: ["x", "--json", "y"], expected: { switches: ["json"], operands: ["x", "y"] } },
  { args: ["0x10", "1e3", "-", "007"], expected: { operands: ["0x10", "1e3", "-", "007"] } },
  { args: ["--"], expected: {} },
  {
    args: ["--json", "--", "--json=1", "--count", "-1"],
    expected: {
      switches: ["json"],
      operands: ["--json=1", "--count", "-1"],
    },
  },
];

for (const { args, expected } of GOOD) {
  Deno.test(`parseFlags reads ${JSON.stringify(args)}`, () => {
    assertEquals(parse(args), { ...NONE, ...expected });
  });
}

const KNOWN = "the flags here are --port, --count, --output, --json, --help";

const BAD: { args: string[]; message: string }[] = [
  ...[
    "--no-json",
    "--no-port",
    "--no-port=1",
    "--no-json=true",
    "--verbose",
    "-5",
    "-x",
  ]
    .map((arg) => ({ args: [arg], message: `Unknown flag "${arg}": ${KNOWN}` })),
  ...[
    ["--pork", "--port"],
    ["--pork=1", "--port"],
    ["--PORT", "--port"],
    ["-port", "--port"],
    ["--jso", "--json"],
    ["--jsonx", "--json"],
    ["-j", "--json"],
  ].map(([arg, flag]) => ({
    args: [arg],
    message: `Unknown flag "${arg}": did you mean ${flag}?`,
  })),
  // Names that every object has are no flags.
  ...["--toString", "--__proto__", "--constructor=1", "--hasOwnProperty"]
    .map((arg) => ({ args: [arg], message: `Unknown flag "${arg}": ${KNOWN}` })),
  ...[["", "--json"], ["x", ""], ["--", ""]].map((args) => ({
    args,
    message:
      'Cannot use "": it names nothing; leave it out, or set the variable that it was made of',
  })),
  { args: ["--count"], message: 'Cannot use "--count" without a value: give --count N' },
  { args: ["--count="], message: 'Cannot use "--count" without a value: give --count N' },
  { args: ["--count", ""], message: 'Cannot use "--count" without a value: give --count N' },
  { args: ["--count", "--json"], message: 'Cannot use "--count" without a value: give --count N' },
  { args: ["--count", "--", "1"], message: 'Cannot use "--count" without a value: give --count N' },
  {
    args: ["--port", "1", "--port"],
    message: 'Cannot use "--port" without a value: give --port PORT',
  },
  { args: ["--count", "1", "--count=2"], message: 'Cannot use "--count" 2 times: give it once' },
  {
    args: ["--count=1", "--count=1", "--count=1"],
    message: 'Cannot use "--count" 3 times: give it once',
  },
  {
    args: ["--port", "1,,2"],
    message:
      'Cannot use --port "1,,2": there is nothing before or behind a comma; values stand without blanks, as in A,B',
  },
  {
    args: ["--port", "1,"],
    message:
      'Cannot use --port "1,": there is nothing before or behind a comma; values stand without blanks, as in A,B',
  },
  {
    args: ["--port=,"],
    message:
      'Cannot use --port ",": there is nothing before or behind a comma; values stand without blanks, as in A,B',
  },
  { args: ["--json=1"], message: 'Cannot use "--json" with "1": it takes no value, give it alone' },
  { args: ["--json="], message: 'Cannot use "--json" with "": it takes no value, give it alone' },
  {
    args: ["--json=false"],
    message: 'Cannot use "--json" with "false": it takes no value, give it alone',
  },
  {
    args: ["--json", "false"],
    message: 'Cannot use "--json" with "false": it takes no value, give it alone',
  },
  {
    args: ["--json", "true"],
    message: 'Cannot use "--json" with "true": it takes no value, give it alone',
  },
];

for (const { args, message } of BAD) {
  Deno.test(`parseFlags refuses ${JSON.stringify(args)}`, () => {
    assertEquals(assertThrows(() => parse(args), UsageError).message, message);
  });
}

Deno.test("parseFlags reads back any values, in either form, or refuses the line", () => {
  const line = fc.array(fc.oneof(
    fc.constantFrom("--port", "--json", "--count=1", "--output", "--", "-", "", ",", "--port="),
    fc.string(),
  ));
  fc.assert(fc.property(line, (args) => {
    try {
      const { switches, values } = parse(args);
      for (const name of switches) assertEquals(args.includes(`--${name}`), true);
      for (const text of Object.values(values).flat()) assertEquals(text === "", false);
    } catch (error) {
      assertEquals(error instanceof UsageError, true, String(error));
    }
  }));
  const values = fc.array(fc.string({ minLength: 1 }).filter((text) => !/^--|,/.test(text)), {
    minLength: 1,
  });
  fc.assert(fc.property(values, fc.boolean(), (texts, apart) => {
    const args = texts.flatMap((text) => apart ? ["--port", text] : [`--port=${text}`]);
    assertEquals(parse(args), { ...NONE, values: { port: texts } });
    assertEquals(parse(["--port", texts.join(",")]).values.port, texts);
  }));
});

Deno.test("formatFlags writes one line a flag, their meanings below each other", () => {
  assertEquals(
    formatFlags(FLAGS),
    `  --port PORT    ports
  --count N      how many
  --output FILE  where to
  --json         as JSON
  --help         show this
`,
  );
  assertMatch(formatFlags([{ name: "x", meaning: "y" }]), /^ {2}--x {2}y\n$/);
});

Deno.test("formatFlags keeps within 80 columns, a meaning below its own begin", () => {
  const meaning = "only with this address or network at either end, as often as it is given here";
  assertEquals(
    formatFlags([{ name: "host", value: "ADDRESS", meaning }, { name: "x", meaning: "y" }]),
    `  --host ADDRESS  only with this address or network at either end, as often as
                  it is given here
  --x             y
`,
  );
});
