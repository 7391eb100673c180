/** The command line: finds the command, runs it, and turns what it throws into one line and a status. */
import { askNearest } from "./command/nearest.ts";
import { ExitStatus, UsageError } from "./command/usage.ts";
import { standardOutput } from "./io/standard_output.ts";
import { writeText } from "./io/stream_output.ts";
import { say, sayNote } from "./io/terminal.ts";

const HELP =
  `synsnoop shows every TCP three-way handshake on a Linux host, from the kernel and from the wire.

  synsnoop trace     report handshakes as they happen (root)
  synsnoop read      report handshakes in capture files
  synsnoop explain   explain one handshake, packet by packet
  synsnoop doctor    show what this machine offers and what will be used
  synsnoop schema    print the JSON Schema of a record

Each takes --help.
`;

const COMMANDS = ["trace", "read", "explain", "doctor", "schema", "help"];

/** Loads no other command than the one that runs: a trace says its first words the sooner. */
async function run(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case "trace": {
      const { trace }: typeof import("./command/trace.ts") = await load("trace");
      return await trace(rest, standardOutput());
    }
    case "read": {
      const { read }: typeof import("./command/read.ts") = await load("read");
      return await read(rest, standardOutput());
    }
    case "explain": {
      const { explain }: typeof import("./command/explain.ts") = await load("explain");
      return await explain(rest, standardOutput());
    }
    case "doctor": {
      const { doctor }: typeof import("./command/doctor.ts") = await load("doctor");
      return await print(await doctor(rest));
    }
    case "schema": {
      const { schema }: typeof import("./command/schema.ts") = await load("schema");
      return await print({ text: schema(rest), status: ExitStatus.Ok });
    }
    case "help":
    case "--help":
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

/** A literal path would have the files of every command read and examined at each start: 6 ms. */
function load(command: string) {
  return import(import.meta.resolve(`./command/${command}.ts`));
}

async function print({ text, status }: { text: string; status: number }): Promise<number> {
  return await writeText(standardOutput(), text) ? status : ExitStatus.Failed;
}

try {
  Deno.exit(await run(Deno.args));
} catch (error) {
  if (error instanceof Deno.errors.NotCapable) {
    sayNote(`Cannot go on without permission: ${error.message.split("\n")[0]}; use deno run -A`);
    Deno.exit(ExitStatus.NotPermitted);
  }
  if (!(error instanceof UsageError)) throw error;
  sayNote(error.message);
  Deno.exit(ExitStatus.Usage);
}
