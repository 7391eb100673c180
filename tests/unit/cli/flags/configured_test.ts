import { assertEquals, assertRejects } from "@std/assert";
import { withConfig } from "../../../../src/cli/flags/configured.ts";
import { parseTraceOptions, TRACE_FLAGS } from "../../../../src/cli/flags/trace_options.ts";
import { UsageError } from "../../../../src/cli/usage.ts";

const TRACE = { name: "trace", flags: TRACE_FLAGS };
const FILE = "/etc/synsnoop.toml";

/** The command line that a command gets of its own and a file's text. */
function merge(text: string, ...args: string[]): Promise<readonly string[]> {
  return withConfig(["--config", FILE, ...args], TRACE, () => text, (all) => Promise.resolve(all));
}

/** What a trace makes of it. */
function parse(text: string, ...args: string[]) {
  const run = (all: readonly string[]) => Promise.resolve(parseTraceOptions(all));
  return withConfig(["--config", FILE, ...args], TRACE, () => text, run);
}

Deno.test("withConfig puts a file's flags before those given", async () => {
  const text = '[trace]\nport = ["443", 80]\nfailed = true\ninterface-wait = false\ncount = 10\n';
  assertEquals(await merge(text, "--table"), [
    ...["--port=443", "--port=80", "--failed", "--count=10", "--config", FILE, "--table"],
  ]);
});

Deno.test("withConfig leaves out of a file what is given, every value of it", async () => {
  const text = '[trace]\nport = ["443", "80"]\ncount = 10\n';
  assertEquals(await merge(text, "--port", "22"), ["--count=10", "--config", FILE, "--port", "22"]);
});

Deno.test("withConfig reads no file where none is named", async () => {
  const run = (all: readonly string[]) => Promise.resolve(all);
  const refuse = () => {
    throw new Error("read");
  };
  assertEquals(await withConfig(["--port", "22"], TRACE, refuse, run), ["--port", "22"]);
});

Deno.test("every flag of trace but two is a key", async () => {
  for (const { name, value } of TRACE_FLAGS) {
    const text = `[trace]\n${name} = ${value === undefined ? "true" : '"x"'}\n`;
    const here = ["config", "help"].includes(name);
    if (here) await assertRejects(() => merge(text), UsageError, `unknown key "${name}"`);
    else assertEquals((await merge(text))[0], value === undefined ? `--${name}` : `--${name}=x`);
  }
});

for (
  const { text, reason, args = [] } of [
    { text: "[trace]\nprot = 80", reason: 'line 2: unknown key "prot": did you mean port?' },
    { text: "[trace]\nhelp = true", reason: 'line 2: unknown key "help": ' },
    { text: "port = 80", reason: 'line 1: the key "port" stands in no table: write one above' },
    { text: "[trcae]\na = 1", reason: "line 2: unknown table [trcae]: did you mean trace?" },
    { text: "[trace]\nport = 80 90", reason: "line 2: at 90: behind it only a comment may stand" },
    { text: "[trace]\nfailed = 1", reason: 'line 2: "failed" is a switch: give true or false' },
    { text: "[trace]\nport = true", reason: 'line 2: "port" takes no true: give PORT' },
    { text: '[trace]\ncomm = ""', reason: 'line 2: the value of "comm" is empty: give ' },
    { text: '[trace]\ncomm = ["a", ""]', reason: 'line 2: a value of "comm" is empty: give ' },
    { text: "[trace]\ncount = [1, 2]", reason: 'line 2: "count" takes one value, no list' },
    { text: '[trace]\n\nport = "http"', reason: 'line 3: Cannot use --port "http"' },
    { text: '[trace]\ncount = "many"', reason: 'line 2: Cannot use --count "many"' },
    { text: "[trace]\nrotate-keep = 3", reason: "line 2: Cannot use --rotate-keep alone" },
    { text: "[trace]\nfailed = true", reason: "line 2: ", args: ["--outcome", "established"] },
  ]
) {
  Deno.test(`withConfig refuses ${JSON.stringify(text)} with file and line`, async () => {
    const error = await assertRejects(() => parse(text, ...args), UsageError);
    assertEquals(error.message.startsWith(`Cannot use "${FILE}", ${reason}`), true, error.message);
  });
}

Deno.test("withConfig blames no file for what the command line has wrong", async () => {
  const error = await assertRejects(() => parse("[trace]\ncount = 1", "--port", "x"), UsageError);
  assertEquals(error.message.startsWith('Cannot use --port "x"'), true, error.message);
});

Deno.test("withConfig says why a file cannot be read", async () => {
  const read = () => {
    throw new Error("there is no such file");
  };
  const run = (all: readonly string[]) => Promise.resolve(all);
  await assertRejects(
    () => withConfig(["--config", FILE], TRACE, read, run),
    UsageError,
    `Cannot use --config "${FILE}": there is no such file`,
  );
});
