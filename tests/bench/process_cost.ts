/**
 * What processes take: CPU time and memory, from the kernel's own counts.
 *
 * @module
 */
import { checkResult, libc, memory } from "../../src/linux/libc.ts";

/** CPUCLOCK_SCHED of a process: nanoseconds of all its threads (linux/posix-timers_types.h). */
const PROCESS_CPU_CLOCK = 2;

/** A process and those it started. */
export async function processTree(pid: number): Promise<number[]> {
  const pids = [pid];
  for (const each of pids) {
    try {
      for await (const { name } of Deno.readDir(`/proc/${each}/task`)) {
        const children = await Deno.readTextFile(`/proc/${each}/task/${name}/children`);
        pids.push(...children.split(" ").filter((text) => text !== "").map(Number));
      }
    } catch (error) {
      // It ended meanwhile.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return pids;
}

/** Nanoseconds of CPU that a running process has used, in user space and in the kernel. */
export function cpuNs(pid: number): number {
  const time = memory(16);
  checkResult(libc().clock_gettime((~pid << 3) | PROCESS_CPU_CLOCK, time), `clock_gettime(${pid})`);
  const view = new DataView(time.buffer);
  return Number(view.getBigInt64(0, true)) * 1e9 + Number(view.getBigInt64(8, true));
}

/** Nanoseconds of CPU that V8's own threads of a running process have used: they compile, and collect garbage. */
export function v8ThreadsNs(pid: number): number {
  let sum = 0;
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    const thread = `/proc/${pid}/task/${name}`;
    if (!Deno.readTextFileSync(`${thread}/comm`).startsWith("V8 ")) continue;
    // Documentation/scheduler/sched-stats.rst: time spent on the cpu.
    sum += Number(Deno.readTextFileSync(`${thread}/schedstat`).split(" ")[0]);
  }
  return sum;
}

/** CPU time of a process and its descendants during something, ns, divided by what that gives. */
export async function cpuDuring<T>(
  pid: number,
  something: () => Promise<T>,
  divisor: (result: T) => number = () => 1,
): Promise<number> {
  const pids = await processTree(pid);
  const total = () => pids.reduce((sum, each) => sum + cpuNs(each), 0);
  const before = total();
  const result = await something();
  return (total() - before) / divisor(result);
}

/** CPU time of a process and of those that it started, apart. */
export class ProcessCpu {
  readonly #pid: number;
  readonly #others: readonly number[];

  private constructor(pid: number, others: readonly number[]) {
    [this.#pid, this.#others] = [pid, others];
  }

  /** @param pid Of a process that starts no others from now on. */
  static async of(pid: number): Promise<ProcessCpu> {
    const [tool, ...others] = await processTree(pid);
    return new ProcessCpu(tool, others);
  }

  /** What they take during something, ns, V8's threads of the tool's too, and what that gives. */
  async during<T>(
    something: () => Promise<T>,
  ): Promise<{ tool: number; v8Threads: number; others: number; result: T }> {
    const others = () => this.#others.reduce((sum, each) => sum + cpuNs(each), 0);
    const before = {
      tool: cpuNs(this.#pid),
      v8Threads: v8ThreadsNs(this.#pid),
      others: others(),
    };
    const result = await something();
    return {
      tool: cpuNs(this.#pid) - before.tool,
      v8Threads: v8ThreadsNs(this.#pid) - before.v8Threads,
      others: others() - before.others,
      result,
    };
  }
}

/** Memory of a running process, MB of 2^20 bytes: now, and the most it ever had. */
export function residentMb(pid: number): { now: number; peak: number } {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const megabytes = (name: string) =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) / 1_024;
  return { now: megabytes("VmRSS"), peak: megabytes("VmHWM") };
}
