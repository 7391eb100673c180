import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Config, quoteForShell, wrapperScript } from "../../../src/install/wrapper.ts";

const CONFIG: Config = {
  name: "@x/x",
  version: "1.2.3",
  license: "MIT",
  exports: "./mod.ts",
  imports: {},
  tasks: {
    trace: {
      command: "DENO_NO_UPDATE_CHECK=1 deno run --quiet -A --v8-flags=--x src/main.ts trace",
    },
    test: { command: "deno run --quiet -A tests/run.ts" },
    query: { command: "DENO_NO_UPDATE_CHECK=1 deno run --quiet --allow-ffi src/main.ts query" },
    schema: { command: "DENO_NO_UPDATE_CHECK=1 deno run --quiet -A src/main.ts schema" },
  },
};

Deno.test("wrapperScript gives each command the flags of its task, and leaves other tasks out", () => {
  const script = wrapperScript(CONFIG, "/usr/local/lib/synsnoop", "bundle/main.js");
  assertEquals(script.split("\n").filter((line) => line.includes(" set -- ")), [
    '  trace) set -- --no-remote --no-npm --quiet -A --v8-flags=--x "$main" "$@" ;;',
    '  query) set -- --quiet --allow-ffi "$main" "$@" ;;',
    '  schema) set -- --no-remote --no-npm --quiet -A "$main" "$@" ;;',
    '  *) set -- --no-remote --no-npm --quiet --no-prompt --allow-read --allow-env "$main" "$@" ;;',
  ]);
  assertEquals(script.split("\n")[0], "#!/bin/sh");
  assertStringIncludes(script, "\nlibrary='/usr/local/lib/synsnoop'\n");
  assertStringIncludes(script, '\nmain="$library/bundle/main.js"\n');
  // It becomes the runtime: no shell is left that would take the signals.
  assertMatch(
    script,
    /\nexport DENO_NO_UPDATE_CHECK=1\nexec "\$library\/deno" run [^\n]* "\$@"\n$/,
  );
});

Deno.test("quoteForShell makes one word of anything", () => {
  for (
    const [text, quoted] of [
      ["/usr/local", "'/usr/local'"],
      ["a b$(c)`d`\n", "'a b$(c)`d`\n'"],
      ["it's", String.raw`'it'\''s'`],
    ]
  ) {
    assertEquals(quoteForShell(text), quoted);
  }
});
