/**
 * The machine that is set up: looks what is there and runs the package manager.
 *
 * @module
 */
import { environmentVariable } from "../linux/environment.ts";
import { findExecutable, isFileThere, isRoot } from "../linux/host.ts";
import type { Command, Need } from "./packages.ts";

/** What set-up looks at and does, so that a test can stand in for the machine. */
export interface Machine {
  /** Whether a program of this name can be run. */
  hasExecutable(name: string): boolean;
  /** Whether a need is met. */
  isPresent(need: Need): boolean;
  /** Whether this process may install packages. */
  readonly root: boolean;
  /** Whether its user forbids it to. */
  readonly forbidden: boolean;
  /** Runs a command; whether it succeeded. */
  run(command: Command): Promise<boolean>;
  /** Says a sentence. */
  say(sentence: string): void;
}

/** This machine, with a way to run a command on it and to say something. */
export function thisMachine(actions: Pick<Machine, "run" | "say">): Machine {
  return {
    hasExecutable: (name) => findExecutable(name) !== undefined,
    isPresent,
    root: isRoot(),
    forbidden: environmentVariable("SYNSNOOP_SETUP") === "never",
    ...actions,
  };
}

/** Whether all that a need names is on this machine. Starts no process. */
function isPresent(need: Need): boolean {
  return need.executables.every((name) => findExecutable(name) !== undefined) &&
    (need.file === undefined || isFileThere(need.file));
}

/**
 * Runs a command with no input; all it prints goes to standard error.
 *
 * @param command What to run.
 * @returns Whether it could be started and succeeded.
 */
export function runCommand(command: Command): Promise<boolean> {
  return run(command, "piped", async (child) => {
    await child.stdout.pipeTo(Deno.stderr.writable, { preventClose: true });
  });
}

/**
 * Runs a command with no input; nothing it prints is shown.
 *
 * @param command What to run.
 * @param signal Asks it to end as Ctrl-C would, which a package manager heeds where it may.
 * @returns Whether it could be started and succeeded.
 */
export async function runQuietly(command: Command, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  return await run(command, "null", (child) => {
    const interrupt = () => {
      try {
        child.kill("SIGINT");
      } catch {
        // It has ended already.
      }
    };
    signal.addEventListener("abort", interrupt, { once: true });
  });
}

async function run(
  command: Command,
  output: "piped" | "null",
  follow: (child: Deno.ChildProcess) => Promise<void> | void,
): Promise<boolean> {
  const [program, ...args] = command.words;
  try {
    const child = new Deno.Command(findExecutable(program) ?? program, {
      args,
      env: command.env,
      stdin: "null",
      stdout: output,
      stderr: output === "null" ? "null" : "inherit",
    }).spawn();
    await follow(child);
    return (await child.status).success;
  } catch (error) {
    // A program that is not there or may not be run is one that did not succeed.
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}
