import { assertStringIncludes } from "@std/assert";
import {
  bashCompletions,
  fishCompletions,
  zshCompletions,
} from "../../../src/install/completions.ts";
import { SAMPLE_HELP, SAMPLE_HELP_WITHOUT_FILES } from "./sample_help.ts";

const COMMANDS = [["x", SAMPLE_HELP], ["y", SAMPLE_HELP_WITHOUT_FILES]] as const;

Deno.test("bashCompletions knows the flags, those with a value, and those whose value is a file", () => {
  const text = bashCompletions(COMMANDS);
  assertStringIncludes(
    text,
    "    x) flags='--port --output --help' valued=' --port --output ' files=' --output ' operands=files ;;\n" +
      "    y) flags='--json' valued='  ' files='  ' operands=none ;;\n",
  );
  assertStringIncludes(text, "compgen -W 'x y help --help --version'");
});

Deno.test("zshCompletions escapes what a specification takes for something else", () => {
  const text = zshCompletions(COMMANDS);
  for (
    const expected of [
      String.raw`'x:Report what'\''s there: [all] of ` + "`it`'\n",
      String.raw`'*--port=[only this\: \\ one]:PORT\[/BITS\]: '`,
      "'--output=[.append µ]:FILE:_files'",
      "'*:file:_files'\n",
    ]
  ) {
    assertStringIncludes(text, expected);
  }
});

Deno.test("fishCompletions offers files for operands and values that are files alone", () => {
  const text = fishCompletions(COMMANDS);
  for (
    const expected of [
      String.raw`-a x -d 'Report what\'s there: [all] of ` + "`it`.'\n",
      "'__fish_seen_subcommand_from x' -F\n",
      String.raw`'__fish_seen_subcommand_from x' -l port -x -d 'only this: \\ one'` + "\n",
      "'__fish_seen_subcommand_from x' -l output -r -F -d '.append µ'\n",
      "'__fish_seen_subcommand_from y' -l json -d 'as JSON'\n",
    ]
  ) {
    assertStringIncludes(text, expected);
  }
});
