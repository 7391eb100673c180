import { assertEquals, assertThrows } from "@std/assert";
import {
  ANONYMIZE_FLAGS,
  hideValues,
  loadDisguise,
  parseAnonymize,
} from "../../../../src/cli/flags/anonymize_options.ts";
import { FILTER_FLAGS } from "../../../../src/cli/flags/filter_options.ts";
import { parseFlags } from "../../../../src/cli/flags/flags.ts";
import { UsageError } from "../../../../src/cli/usage.ts";

const FLAGS = [
  ...ANONYMIZE_FLAGS,
  { name: "write", value: "FILE", meaning: "" },
  { name: "store", value: "DIR", meaning: "" },
];
const parse = (args: string) => parseAnonymize(parseFlags(args.split(" ").filter(Boolean), FLAGS));

Deno.test("parseAnonymize reads the flags", () => {
  assertEquals(parse(""), { anonymize: false, anonymizeKey: undefined });
  assertEquals(parse("--anonymize"), { anonymize: true, anonymizeKey: undefined });
  assertEquals(parse("--anonymize --anonymize-key a"), { anonymize: true, anonymizeKey: "a" });
  assertEquals(parse("--write a --store b"), { anonymize: false, anonymizeKey: undefined });
  assertEquals(parse("--anonymize --store b --anonymize-key a").anonymize, true);
});

for (
  const [args, says] of [
    ["--anonymize-key a", "Cannot use --anonymize-key without --anonymize: "],
    ["--anonymize --write a.pcapng", "Cannot use --write with --anonymize: packets hold"],
    ["--anonymize --store b", "Cannot use --store with --anonymize alone: "],
  ]
) {
  Deno.test(`parseAnonymize refuses "${args}" in one sentence`, () => {
    const { message } = assertThrows(() => parse(args), UsageError, says);
    assertEquals(message.includes("\n"), false);
  });
}

Deno.test("hideValues leaves the values that name nobody", () => {
  const given = FILTER_FLAGS.map(({ name, value }) => value ? `--${name} VALUE` : `--${name}`);
  const shown = hideValues([...given, "--interface eth0", "-- /srv/secret"])
    .filter((text) => !text.endsWith(" ..."));
  assertEquals(shown, [
    "--port VALUE",
    "--not-port VALUE",
    "--server-port VALUE",
    "--role VALUE",
    "--failed",
    "--outcome VALUE",
    "--not-outcome VALUE",
    "--reason VALUE",
    "--slower-than VALUE",
    "--leg VALUE",
    "--pid VALUE",
    "--sample VALUE",
    "--since VALUE",
    "--until VALUE",
  ]);
  assertEquals(hideValues(["--host 10.0.0.1", "-- curl"]), ["--host ...", "-- ..."]);
});

Deno.test("loadDisguise makes none where nothing is to be hidden", async () => {
  assertEquals(await loadDisguise(parse("")), undefined);
});
