/** The command line: finds the command, runs it, and turns what it throws into one line and a status. */
import { askNearest } from "./cli/nearest.ts";
import { ExitStatus, UsageError } from "./cli/usage.ts";
import { standardOutput } from "./files/standard_streams.ts";
import { writeText } from "./files/stream_output.ts";
import { allSaid, say, sayNote } from "./cli/process/terminal.ts";
import { onUnforeseen } from "./linux/unforeseen.ts";
import { messageOf } from "./text/message.ts";

const HELP =
  `synsnoop shows every TCP three-way handshake on a Linux host, from the kernel and from the wire.

  synsnoop trace     report handshakes as they happen (root)
  synsnoop read      report handshakes in capture files
  synsnoop explain   explain one handshake, packet by packet
  synsnoop doctor    show what this machine offers and what will be used
  synsnoop schema    print the JSON Schema of a record

Each takes --help. synsnoop --version tells which one this is.
`;

const COMMANDS = ["trace", "read", "explain", "doctor", "schema", "help"];

/** Loads no other command than the one that runs: a trace says its first words the sooner. */
async function run(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  if (asksVersion(args)) return await print({ text: await versionText(), status: ExitStatus.Ok });
  switch (command) {
    case "trace": {
      const { trace }: typeof import("./cli/trace.ts") = await load("trace");
      return await trace(rest, standardOutput());
    }
    case "read": {
      const { read }: typeof import("./cli/read.ts") = await load("read");
      return await read(rest, standardOutput());
    }
    case "explain": {
      const { explain }: typeof import("./cli/explain.ts") = await load("explain");
      return await explain(rest, standardOutput());
    }
    case "doctor": {
      const { doctor }: typeof import("./cli/doctor.ts") = await load("doctor");
      return await print(await doctor(rest));
    }
    case "schema": {
      const { schema }: typeof import("./cli/schema.ts") = await load("schema");
      return await print({ text: schema(rest), status: ExitStatus.Ok });
    }
    case "help":
    case "--help":
    case "-h":
      return await print({ text: HELP, status: ExitStatus.Ok });
    case undefined:
      say(HELP);
      return ExitStatus.Usage;
    default:
      throw new UsageError(
        `Unknown command "${command}": ` +
          (askNearest(command, COMMANDS) ?? "give trace, read, explain, doctor, schema or help"),
      );
  }
}

/** Whether `--version` stands there as a flag, which no other flag takes for its value. */
function asksVersion(args: readonly string[]): boolean {
  const operandsAt = args.indexOf("--");
  return args.slice(0, operandsAt < 0 ? args.length : operandsAt).includes("--version");
}

async function versionText(): Promise<string> {
  const { readVersion }: typeof import("./cli/version.ts") = await load("version");
  return `synsnoop ${await readVersion()}\n`;
}

/** A literal path would have the files of every command read and examined at each start: 6 ms. */
function load(command: string) {
  return import(import.meta.resolve(`./cli/${command}.ts`));
}

async function print({ text, status }: { text: string; status: number }): Promise<number> {
  return await writeText(standardOutput(), text) ? status : ExitStatus.Failed;
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
