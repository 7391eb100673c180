/**
 * A command to run and to trace, for the commands that take one behind `--`.
 *
 * @module
 */
import type { EndingHandlers } from "./ending.ts";
import type { Help } from "./help.ts";
import type { TracedCommand, Unrunnable } from "./process/traced_command.ts";
import { sayNote } from "./process/terminal.ts";

/** What becomes of a command, for the helps. */
export const COMMAND_HELP =
  "COMMAND begins once packets and kernel events come, and is traced until it has ended: it and what " +
  "it starts, by a cgroup of their own, or where there can be none by who started whom. Under sudo " +
  "it runs as who called sudo, with the PATH that sudo gives. Standard input and output are the " +
  "command's: handshakes go to standard error, with --output - among what it writes. Ctrl-C goes " +
  "to it alone; SIGTERM is handed on to it.";

/** The exit statuses that a command to run adds. */
export const COMMAND_STATUSES: Help["statuses"] = [
  [126, "with COMMAND: it cannot be run"],
  [127, "with COMMAND: it was not found (else its own status, 128 + N for a signal)"],
];

/** Loads what runs commands: a trace without one begins the sooner. */
async function loadRunner(): Promise<typeof import("./process/traced_command.ts")> {
  return await import(import.meta.resolve("./process/traced_command.ts"));
}

/** Tells before anything is begun that a command cannot be run; undefined where it can. */
export async function refuseCommand(words: readonly string[]): Promise<Unrunnable | undefined> {
  return (await loadRunner()).refuseCommand(words);
}

/** Prepares a command, without starting it. Before signals are listened to. */
export async function prepareCommand(words: readonly string[]): Promise<TracedCommand> {
  const { TracedCommand } = await loadRunner();
  return new TracedCommand(words, sayNote);
}

/** While a command runs, signals that ask to end are its own. */
export function handSignals(command: TracedCommand): Pick<EndingHandlers, "takes" | "stopped"> {
  return {
    takes: (signal) => command.takes(signal),
    stopped: () => command.stopped(),
  };
}
