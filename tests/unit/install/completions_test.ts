import { assertStringIncludes } from "@std/assert";
import {
  bashCompletions,
  fishCompletions,
  zshCompletions,
} from "../../../src/install/completions.ts";
import type { Help } from "../../../src/cli/help.ts";
import { SAMPLE_HELP, SAMPLE_HELP_WITHOUT_FILES } from "./sample_help.ts";

const COMMANDS = [["x", SAMPLE_HELP], ["y", SAMPLE_HELP_WITHOUT_FILES]] as const;

Deno.test("bashCompletions knows the flags, those with a value, and those whose value is a file", () => {
  const text = bashCompletions(COMMANDS);
  assertStringIncludes(
    text,
    "    x) flags='--port --output --help' valued=' --port --output ' many=' --port ' operands=files runs=no ;;\n" +
      "    y) flags='--json' valued='  ' many='  ' operands=none runs=no ;;\n",
  );
  assertStringIncludes(text, "    'x --output') _synsnoop_files ''; return ;;\n    *) return ;;\n");
  assertStringIncludes(text, "compgen -W 'x y help --help --version'");
});

Deno.test("zshCompletions escapes what a specification takes for something else", () => {
  const text = zshCompletions(COMMANDS);
  for (
    const expected of [
      String.raw`'x:Report what'\''s there: [all] of ` + "`it`'\n",
      String.raw`'*--port=[only this\: \\ one]:PORT\[/BITS\]: '`,
      "'--output=[.append µ]:FILE:_files'",
      `'*:file:_files -g "*.(pcap|pcapng|cap|ndjson)(|.*)"'\n`,
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
      "'__fish_seen_subcommand_from x' -k -a '(__synsnoop_captures)'\n",
      String.raw`'__fish_seen_subcommand_from x' -l port -x -d 'only this: \\ one'` + "\n",
      "'__fish_seen_subcommand_from x' -l output -r -F -d '.append µ'\n",
      "'__fish_seen_subcommand_from y' -l json -d 'as JSON'\n",
    ]
  ) {
    assertStringIncludes(text, expected);
  }
});

Deno.test("completions offer what a flag says of its values, and a command behind --", () => {
  const help: Help = {
    ...SAMPLE_HELP_WITHOUT_FILES,
    usage: [["synsnoop z [flags] -- COMMAND", "here"]],
    flags: [
      { name: "outcome", value: "OUTCOME", many: true, completes: ["a", "b"], meaning: "" },
      { name: "format", value: "FORMAT", completes: () => ["c", "d"], meaning: "" },
      { name: "interface", value: "NAME", many: true, completes: "interface", meaning: "" },
      { name: "store", value: "DIR", meaning: "" },
    ],
  };
  const expected: [text: string, words: string[]][] = [
    [bashCompletions([["z", help]]), [
      "    'z --outcome') words='a b' ;;\n    'z --format') words='c d' ;;\n",
      "    'z --interface') words=$(ls /sys/class/net 2>/dev/null) ;;\n",
      "    'z --store') compopt -o filenames; mapfile",
      " runs=yes ;;\n",
    ]],
    [zshCompletions([["z", help]]), [
      "'*--outcome=[]:OUTCOME:_sequence compadd - a b'",
      "'--format=[]:FORMAT:(c d)'",
      "'*--interface=[]:NAME:_sequence _net_interfaces'",
      "'--store=[]:DIR:_files -/'",
      "_synsnoop_command && return\n",
    ]],
    [fishCompletions([["z", help]]), [
      String
        .raw`-l outcome -x -k -a '(__fish_complete_list , \'string split \\\' \\\' \\\'a b\\\'\')'`,
      "-l format -x -k -a 'c d'",
      "-l store -x -k -a '(__fish_complete_directories)'",
      "contains -- -- (commandline -opc)' -k -a '(__synsnoop_command)'",
    ]],
  ];
  for (const [text, words] of expected) {
    for (const each of words) assertStringIncludes(text, each);
  }
});
