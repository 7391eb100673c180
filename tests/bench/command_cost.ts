/**
 * What a command takes from its start to its end.
 *
 * @module
 */
import { childrenCpuSeconds } from "./children_cpu.ts";
import { residentMb } from "./process_cost.ts";
import { HERE } from "./task_command.ts";

const SAMPLE_MS = 20;

/** What a whole command took. */
export interface CommandCost {
  /** On the clock, and of all processors. */
  seconds: number;
  cpuSeconds: number;
  /** The greatest memory of its process, MB of 2^20 bytes; 0 of one that ended before it was looked at. */
  peakMb: number;
}

/**
 * Runs a command whose output nobody wants, while no other child of this process ends.
 *
 * @throws {Error} It failed; with its words.
 */
export async function commandCost([program, ...args]: readonly string[]): Promise<CommandCost> {
  const cpuBefore = childrenCpuSeconds();
  const began = performance.now();
  const child = new Deno.Command(program, {
    args,
    cwd: HERE,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let peakMb = 0;
  const timer = setInterval(() => {
    try {
      peakMb = Math.max(peakMb, residentMb(child.pid).peak);
    } catch {
      // It has just ended.
    }
  }, SAMPLE_MS);
  const { success, stderr } = await child.output();
  clearInterval(timer);
  const seconds = (performance.now() - began) / 1e3;
  if (!success) {
    const [reason] = new TextDecoder().decode(stderr).split("\n");
    throw new Error(`A command of the benchmark failed, saying "${reason}"`);
  }
  return { seconds, cpuSeconds: childrenCpuSeconds() - cpuBefore, peakMb };
}
