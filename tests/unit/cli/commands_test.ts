import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMANDS, proposeCommand, toolHelp } from "../../../src/cli/commands.ts";

Deno.test("the tool's help names every command, in 80 columns", () => {
  const help = toolHelp();
  for (const [name, does] of COMMANDS) assertStringIncludes(help, `synsnoop ${name} `, does);
  for (const line of help.split("\n").slice(1)) assert(line.length <= 80, line);
});

Deno.test("a word that is no command is answered with the nearest, or with all", () => {
  assertEquals(proposeCommand(["raed"]), "did you mean read?");
  const all = proposeCommand(["synsnoop"]);
  for (const name of [...COMMANDS.map(([name]) => name), "help"]) assertStringIncludes(all, name);
});
