import { assertEquals, assertThrows } from "@std/assert";
import { parseFlags } from "../../../../src/cli/flags/flags.ts";
import {
  OUTPUT_FLAGS,
  type OutputOptions,
  parseOutput,
  STORE_FLAGS,
} from "../../../../src/cli/flags/output_options.ts";
import { UsageError } from "../../../../src/cli/usage.ts";

const DEFAULTS: OutputOptions = {
  output: undefined,
  rotation: undefined,
  write: undefined,
  store: undefined,
};

const KEPT = { ageMs: undefined, bytes: undefined };

function parse(args: string): OutputOptions {
  return parseOutput(
    parseFlags(args.split(" ").filter((arg) => arg !== ""), [...OUTPUT_FLAGS, ...STORE_FLAGS]),
  );
}

const GOOD: { args: string; expected: Partial<OutputOptions> }[] = [
  { args: "", expected: {} },
  { args: "--output -", expected: {} },
  { args: "--output a", expected: { output: "a" } },
  {
    args: "--output a --rotate-size 64K --rotate-keep 0",
    expected: { output: "a", rotation: { maxBytes: 64_000, keep: 0 } },
  },
  { args: "--store a//", expected: { store: { folder: "a", keeping: KEPT } } },
  { args: "--store /", expected: { store: { folder: "/", keeping: KEPT } } },
  {
    args: "--store a --keep 7d --keep-size 10G --output b",
    expected: {
      store: { folder: "a", keeping: { ageMs: 7 * 86_400_000, bytes: 1e10 } },
      output: "b",
    },
  },
  { args: "--write a.pcapng", expected: { write: "a.pcapng" } },
];

for (const { args, expected } of GOOD) {
  Deno.test(`parseOutput reads "${args}"`, () => {
    assertEquals(parse(args), { ...DEFAULTS, ...expected });
  });
}

const BAD: { args: string; says: string }[] = [
  { args: "--rotate-size 1M", says: "without a file: give --output FILE too" },
  { args: "--output - --rotate-size 1M", says: "without a file: give --output FILE too" },
  { args: "--output a --rotate-size 63999", says: "give a size of at least 64K" },
  { args: "--output a --rotate-keep 2", says: "--rotate-keep alone: give --rotate-size SIZE too" },
  { args: "--output a --rotate-size 1M --rotate-keep 1001", says: "a whole number from 0 to 1000" },
  { args: "--output a\ufffd", says: '--output "a\ufffd": its name is no UTF-8' },
  { args: "--write \ufffd/a", says: '--write "\ufffd/a": its name is no UTF-8' },
  { args: "--store a\ufffd", says: '--store "a\ufffd": its name is no UTF-8' },
  { args: "--store -", says: '--store "-": give a folder' },
  { args: "--keep 7d", says: "Cannot use --keep without a store: give --store DIR too" },
  { args: "--keep-size 1G", says: "Cannot use --keep-size without a store: give --store DIR too" },
  { args: "--store a --keep 7", says: '--keep "7": give hours or days, such as 12h or 7d' },
  { args: "--store a --keep 0d", says: '--keep "0d": give hours or days' },
  { args: "--store a --keep-size 0", says: '--keep-size "0": give a size above zero' },
  { args: "--write -", says: '--write "-": give a FILE' },
];

for (const { args, says } of BAD) {
  Deno.test(`parseOutput refuses "${args}"`, () => {
    assertThrows(() => parse(args), UsageError, says);
  });
}
