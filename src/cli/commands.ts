/**
 * The commands by name. Each is a file of that name beside this one, which exports its
 * {@linkcode Command} as `command`.
 *
 * @module
 */
import type { ByteWriter } from "../files/stream_output.ts";
import { printText } from "./process/terminal.ts";
import type { Help } from "./help.ts";
import { adviseCommand } from "./flags/advice.ts";
import { askNearest } from "./flags/nearest.ts";
import { ExitStatus } from "./usage.ts";

/** What stands behind the name of a command. */
export interface Command {
  /** What `--help`, the manual page and the completions tell of it. */
  readonly help: Help;
  /**
   * Runs it.
   *
   * @param args What follows its name. @param output Standard output.
   * @returns The exit status.
   * @throws {UsageError} One line for the user.
   */
  run(args: readonly string[], output: ByteWriter): Promise<number>;
}

/** The commands and what each does in a few words, in the order in which they are shown. */
export const COMMANDS: readonly (readonly [name: string, does: string])[] = [
  ["trace", "report handshakes as they happen (root)"],
  ["read", "report handshakes in capture files or in recorded NDJSON"],
  ["top", "show in a terminal who fails, who is slow, and since when"],
  ["explain", "explain one handshake, packet by packet"],
  ["report", "make one page of captures or records, for a browser"],
  ["metrics", "give recorded handshakes to Prometheus or OpenTelemetry"],
  ["query", "ask what happened, of what trace --store kept"],
  ["pairs", "join both ends of handshakes that two hosts saw"],
  ["ship", "hand what trace --store kept to ClickHouse"],
  ["doctor", "show what this host offers for a trace, and what to do"],
  ["schema", "print the JSON Schema of a record"],
];

/**
 * Loads a command, and no other: a trace says its first words the sooner.
 *
 * Here and wherever a module is loaded once it is needed, its path goes through `import.meta.resolve`:
 * what a literal path leads to would be read and examined at each start, 6 ms of all commands.
 */
export async function loadCommand(name: string): Promise<Command> {
  const loaded: { command: Command } = await import(import.meta.resolve(`./${name}.ts`));
  return loaded.command;
}

/** What `synsnoop --help` tells. */
export function toolHelp(): string {
  const width = Math.max(...COMMANDS.map(([name]) => name.length));
  const lines = COMMANDS.map(([name, does]) => `  synsnoop ${name.padEnd(width)}   ${does}\n`);
  return `synsnoop shows every TCP three-way handshake on a Linux host, from the kernel and from the wire.

${lines.join("")}
Each takes --help. synsnoop --version tells which one this is.
`;
}

/** What to give instead of words that begin with no command, for the end of a sentence. */
export function proposeCommand(words: readonly string[]): string {
  const names = [...COMMANDS.map(([name]) => name), "help"];
  return adviseCommand(words) ?? askNearest(words[0], names) ??
    `give ${names.slice(0, -1).join(", ")} or ${names[names.length - 1]}`;
}

/** Prints what a command that prints a text alone has to say. @returns The exit status. */
export async function print(
  output: ByteWriter,
  { text, status = ExitStatus.Ok }: { text: string; status?: number },
): Promise<number> {
  return await printText(output, text) ? status : ExitStatus.Failed;
}
