import { assert, assertEquals } from "@std/assert";
import { formatHelp, type Help } from "../../../src/cli/help.ts";

const HELP: Help = {
  summary: "Report what comes.",
  usage: [["synsnoop x [flags]", "here"], ["synsnoop x [flags] FILE", "of a file"]],
  flags: [{ name: "port", value: "PORT", meaning: "only this one" }],
  examples: [
    ["synsnoop x --port 443 --outcome refused,timeout capture.pcapng", "what goes wrong there"],
    ["synsnoop x", "all"],
  ],
  paragraphs: [
    "One sentence that is long enough to need more than one line of eighty columns, this.",
  ],
  statuses: [[0, "done"], [2, "wrong usage"]],
};

Deno.test("formatHelp writes one form: what it does, how, flags, examples, statuses", () => {
  assertEquals(
    formatHelp(HELP),
    `Report what comes.

  synsnoop x [flags]       here
  synsnoop x [flags] FILE  of a file

Flags
  --port PORT  only this one

Examples
  synsnoop x --port 443 --outcome refused,timeout capture.pcapng
      what goes wrong there
  synsnoop x
      all

One sentence that is long enough to need more than one line of eighty columns,
this.

Exit status
    0  done
    2  wrong usage
`,
  );
});

Deno.test("formatHelp puts headings over flags where there are many", () => {
  const flags = ["port", "json", "help"].map((name) => ({ name, meaning: `the ${name}` }));
  const help = formatHelp({ ...HELP, flags, headings: { port: "Which", help: "More" } });
  const [, table] = help.split("of a file\n\n");
  assertEquals(
    table.slice(0, table.indexOf("\nExamples")),
    `Which
  --port  the port
  --json  the json

More
  --help  the help
`,
  );
});

Deno.test("formatHelp keeps within 80 columns", () => {
  for (const line of formatHelp(HELP).split("\n")) assert(line.length <= 80, line);
});
