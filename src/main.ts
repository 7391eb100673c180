/** The command line: finds the command, runs it, and turns what it throws into one line and a status. */
import { COMMANDS, loadCommand, print, proposeCommand, toolHelp } from "./cli/commands.ts";
import { ExitStatus, UsageError } from "./cli/usage.ts";
import { standardOutput } from "./files/standard_streams.ts";
import { allSaid, say, sayNote } from "./cli/process/terminal.ts";
import { onUnforeseen } from "./linux/unforeseen.ts";
import { messageOf } from "./text/message.ts";

/** What runs, and what is said of it. */
async function run(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  const output = standardOutput();
  if (asksVersion(args)) return await print(output, { text: await versionText() });
  if (COMMANDS.some(([known]) => known === name)) {
    return await (await loadCommand(name)).run(rest, output);
  }
  switch (name) {
    case "help":
      if (rest.length > 0) return await run([...rest.slice(0, 1), "--help"]);
      return await print(output, { text: toolHelp() });
    case "--help":
    case "-h":
      return await print(output, { text: toolHelp() });
    case undefined:
      say(toolHelp());
      return ExitStatus.Usage;
    default:
      throw new UsageError(`Unknown command "${name}": ${proposeCommand(args)}`);
  }
}

/** Whether `--version` stands there as a flag, which no other flag takes for its value. */
function asksVersion(args: readonly string[]): boolean {
  const operandsAt = args.indexOf("--");
  return args.slice(0, operandsAt < 0 ? args.length : operandsAt).includes("--version");
}

async function versionText(): Promise<string> {
  // A literal path would have it read and examined at each start.
  const path = import.meta.resolve("./cli/version.ts");
  const { readVersion }: typeof import("./cli/version.ts") = await import(path);
  return `synsnoop ${await readVersion()}\n`;
}

/** Says what went wrong. @returns The exit status for it. */
function judge(error: unknown): number {
  if (error instanceof UsageError) {
    sayNote(error.message);
    return ExitStatus.Usage;
  }
  const [reason] = messageOf(error).split("\n");
  if (error instanceof Deno.errors.NotCapable) {
    sayNote(`Cannot go on without permission: ${reason}; use deno run -A`);
    return ExitStatus.NotPermitted;
  }
  sayNote(`Cannot go on: ${reason}`);
  return ExitStatus.Failed;
}

/** Leaves when all is said. */
async function leave(status: number): Promise<never> {
  await allSaid();
  Deno.exit(status);
}

onUnforeseen((error) => leave(judge(error)));
await leave(await run(Deno.args).catch(judge));
