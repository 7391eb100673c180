/**
 * How long BPF programs run, by the kernel's own clock around each run.
 *
 * @module
 */
import { bpf, checkResult, libc, memory } from "../../src/io/libc.ts";

/** enum bpf_cmd and enum bpf_stats_type, linux/bpf.h. */
const BPF_ENABLE_STATS = 32;
const BPF_STATS_RUN_TIME = 0;

/** Has the kernel measure while it is there. The sysctl of the machine stays as it is. */
export class BpfClock implements Disposable {
  readonly #fd: number;

  constructor() {
    const attr = memory(4);
    new DataView(attr.buffer).setUint32(0, BPF_STATS_RUN_TIME, true);
    this.#fd = checkResult(bpf(BPF_ENABLE_STATS, attr), "bpf(BPF_ENABLE_STATS)");
  }

  [Symbol.dispose](): void {
    libc().close(this.#fd);
  }
}

/** Runs of some programs, and their nanoseconds. */
export interface BpfRuns {
  runs: number;
  ns: number;
}

/** What the programs that a process holds have run. */
export async function bpfRuns(pid: number): Promise<BpfRuns> {
  const seen = new Set<string>();
  const total = { runs: 0, ns: 0 };
  for await (const { name } of Deno.readDir(`/proc/${pid}/fdinfo`)) {
    const info = await Deno.readTextFile(`/proc/${pid}/fdinfo/${name}`).catch(() => "");
    const id = /^prog_id:\t(\d+)/m.exec(info)?.[1];
    // A link names its program too, without its runs.
    const ns = /^run_time_ns:\t(\d+)/m.exec(info)?.[1];
    if (id === undefined || ns === undefined || seen.has(id)) continue;
    seen.add(id);
    total.ns += Number(ns);
    total.runs += Number(/^run_cnt:\t(\d+)/m.exec(info)![1]);
  }
  return total;
}
