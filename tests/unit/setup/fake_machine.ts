import { needName } from "../../../src/setup/packages.ts";
import type { Machine } from "../../../src/setup/machine.ts";

/** A machine on which `absent` is not there, and which keeps what was said and run. */
export function fakeMachine(absent: string[], changes: Partial<Machine> = {}) {
  const missing = new Set(absent);
  const said: string[] = [];
  const ran: string[] = [];
  const machine: Machine = {
    hasExecutable: (name) => name === "apt-get",
    isPresent: (need) => !missing.has(needName(need)),
    root: true,
    forbidden: false,
    run: (command) => {
      ran.push(command.words.slice(0, 2).join(" "));
      for (const word of command.words) missing.delete(word);
      return Promise.resolve(true);
    },
    say: (line) => said.push(line),
    ...changes,
  };
  return { machine, said, ran };
}
