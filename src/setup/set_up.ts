/**
 * Installs system packages that are missing, or says why it does not and what to run.
 *
 * @module
 */
import { type Machine, runQuietly, thisMachine } from "./machine.ts";
import {
  type Command,
  commandToRun,
  installCommands,
  MANAGERS,
  type Need,
  needName,
} from "./packages.ts";
import { TRACE_NEEDS } from "./trace_needs.ts";

/**
 * Installs what is missing. Silent where nothing is.
 *
 * @param needs What is to be there. @param machine The machine.
 * @returns Whether all is there now.
 */
export async function setUp(needs: readonly Need[], machine: Machine): Promise<boolean> {
  const missing = (needs: readonly Need[]) => needs.filter((need) => !machine.isPresent(need));
  const before = missing(needs);
  if (before.length === 0) return true;
  const manager = MANAGERS.find((name) => machine.hasExecutable(name));
  const giveUp = (needs: readonly Need[], reason: string) => {
    const names = needs.map(needName).join(", ");
    const command = commandToRun(manager, needs, machine.root);
    const advice = command ? `run "${command}"` : "install it with this system's package manager";
    machine.say(`Cannot install ${names}: ${reason}; ${advice}`);
    return false;
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
  if (after.length === 0) return true;
  // With success and yet no executable, the package has another layout than the table knows.
  return giveUp(after, installed ? `${manager} did not bring it` : `${manager} failed`);
}

/**
 * Installs what the kernel's side of a trace needs, beside the trace.
 *
 * @param signal Ends it, as quietly as it goes on. @param say Says a sentence.
 */
export async function setUpTrace(
  signal: AbortSignal,
  say: (sentence: string) => void,
): Promise<void> {
  const run = (command: Command) => runQuietly(command, signal);
  const sayUnlessEnded = (sentence: string) => {
    if (!signal.aborted) say(sentence);
  };
  await setUp(TRACE_NEEDS, thisMachine({ run, say: sayUnlessEnded }));
}
