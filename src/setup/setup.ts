/**
 * Makes the machine ready: `deno task setup` installs what a trace needs from the system's packages,
 * `deno task setup --tests` what the tests need too, `--bench` what the benchmark compares with.
 * Silent where all is there.
 *
 * `SYNSNOOP_SETUP=never` forbids installing. The exit status is 0 even where something is missing,
 * because a trace goes on without bpftrace and the benchmark without what it does not find; with
 * `--tests` it is then 1. A wrong argument gives 2.
 *
 * @module
 */
import { BENCH_NEEDS } from "./bench_needs.ts";
import { type Machine, runCommand, thisMachine } from "./machine.ts";
import { setUp } from "./set_up.ts";
import { TEST_NEEDS, TEST_WISHES } from "./test_needs.ts";
import { TRACE_NEEDS } from "./trace_needs.ts";

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
  const needs = new Set([
    ...tests ? TEST_NEEDS : TRACE_NEEDS,
    ...args.includes("--bench") ? BENCH_NEEDS : [],
  ]);
  const isReady = await setUp([...needs], machine);
  if (tests) await setUp(TEST_WISHES, machine);
  return tests && !isReady ? 1 : 0;
}

if (import.meta.main) {
  Deno.exitCode = await setup(
    Deno.args,
    thisMachine({ run: runCommand, say: (sentence) => console.error(sentence) }),
  );
}
