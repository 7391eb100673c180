/**
 * Makes the machine ready: `deno task setup` installs what a trace needs from the system's packages,
 * `deno task setup --tests` what the tests need too, `--bench` what the benchmark compares with.
 * Silent where all is there.
 *
 * `SYNSNOOP_SETUP=never` forbids installing. A missing bpftrace does not stop a trace, which goes on
 * with the wire alone, and the benchmark leaves out what it does not find, so that without `--tests`
 * the exit status is 0 even where nothing could be
 * installed; with it, 1. A wrong argument gives 2.
 */
import { environmentVariable } from "./io/environment.ts";
import {
  BENCH_NEEDS,
  type Command,
  commandToRun,
  findExecutable,
  installCommands,
  isPresent,
  MANAGERS,
  type Need,
  needName,
  runCommand,
  TEST_NEEDS,
  TRACE_NEEDS,
} from "./io/packages.ts";

/** What setup looks at and does, so that a test can stand in for the machine. */
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
  /** Prints a line to standard error. */
  say(line: string): void;
}

/**
 * Installs what is missing, or says why it does not and what to run.
 *
 * @param args The command-line arguments: none, `--tests`, `--bench`.
 * @param machine The machine.
 * @returns The exit status.
 */
export async function setup(args: readonly string[], machine: Machine): Promise<number> {
  const wrong = args.find((arg) => arg !== "--tests" && arg !== "--bench");
  if (wrong !== undefined) {
    machine.say(
      `Cannot set up: unknown argument "${wrong}", only "--tests" and "--bench" are known`,
    );
    return 2;
  }
  const tests = args.includes("--tests");
  const missing = (needs: readonly Need[]) => needs.filter((need) => !machine.isPresent(need));
  const needs = new Set([
    ...tests ? TEST_NEEDS : TRACE_NEEDS,
    ...args.includes("--bench") ? BENCH_NEEDS : [],
  ]);
  const before = missing([...needs]);
  if (before.length === 0) return 0;

  const manager = MANAGERS.find((name) => machine.hasExecutable(name));
  const giveUp = (needs: readonly Need[], reason: string) => {
    const names = needs.map(needName).join(", ");
    const command = commandToRun(manager, needs, machine.root);
    const advice = command ? `run "${command}"` : "install it with this system's package manager";
    machine.say(`Cannot install ${names}: ${reason}; ${advice}`);
    return tests ? 1 : 0;
  };
  if (machine.forbidden) return giveUp(before, "SYNSNOOP_SETUP=never forbids it");
  if (manager === undefined) return giveUp(before, `found none of ${MANAGERS.join(", ")}`);
  if (!machine.root) return giveUp(before, "not root");

  const commands = installCommands(manager, before);
  const shown = commands.map((command) => command.words.join(" ")).join(" && ");
  machine.say(`Installing ${before.map(needName).join(", ")} (once): ${shown}`);
  let installed = false;
  for (const command of commands) installed = await machine.run(command);
  const after = missing(before);
  if (after.length === 0) return 0;
  // With success and yet no executable, the package has another layout than the table knows.
  return giveUp(after, installed ? `${manager} did not bring it` : `${manager} failed`);
}

if (import.meta.main) {
  Deno.exitCode = await setup(Deno.args, {
    hasExecutable: (name) => findExecutable(name) !== undefined,
    isPresent,
    root: Deno.uid() === 0,
    forbidden: environmentVariable("SYNSNOOP_SETUP") === "never",
    run: runCommand,
    say: (line) => console.error(line),
  });
}
