/**
 * How long BPF programs run, by the kernel's own clock around each run.
 *
 * @module
 */
import {
  bpf,
  checkResult,
  lastErrno,
  libc,
  memory,
  Pins,
  SystemCallError,
} from "../../src/linux/libc.ts";

// enum bpf_cmd, enum bpf_stats_type and enum bpf_prog_type, linux/bpf.h.
const BPF_PROG_GET_NEXT_ID = 11;
const BPF_PROG_GET_FD_BY_ID = 13;
const BPF_OBJ_GET_INFO_BY_FD = 15;
const BPF_ENABLE_STATS = 32;
const BPF_STATS_RUN_TIME = 0;
const PROG_TYPE_KPROBE = 2;
const PROG_TYPE_TRACEPOINT = 5;
const PROG_TYPE_RAW_TRACEPOINT = 17;
const PROG_TYPE_TRACING = 26;
/** Those that run where the kernel does something else. */
const HOOKS = [PROG_TYPE_KPROBE, PROG_TYPE_TRACEPOINT, PROG_TYPE_RAW_TRACEPOINT, PROG_TYPE_TRACING];
const ENOENT = 2;

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

/** How many BPF programs are hooked into the kernel: each may cost every connection of the machine. */
export function hookedPrograms(): number {
  using pins = new Pins();
  const attr = memory(16);
  const view = new DataView(attr.buffer);
  const info = memory(8); // struct bpf_prog_info begins with type and id.
  let hooked = 0;
  for (let id = 0;;) {
    attr.fill(0);
    view.setUint32(0, id, true);
    if (bpf(BPF_PROG_GET_NEXT_ID, attr) < 0) {
      const errno = lastErrno();
      if (errno === ENOENT) return hooked;
      throw new SystemCallError("bpf(BPF_PROG_GET_NEXT_ID)", errno);
    }
    id = view.getUint32(4, true);
    attr.fill(0);
    view.setUint32(0, id, true);
    const fd = bpf(BPF_PROG_GET_FD_BY_ID, attr);
    // It was unloaded meanwhile.
    if (fd < 0) continue;
    view.setUint32(0, fd, true);
    view.setUint32(4, info.length, true);
    view.setBigUint64(8, pins.address(info), true);
    const result = bpf(BPF_OBJ_GET_INFO_BY_FD, attr);
    libc().close(fd);
    if (result === 0 && HOOKS.includes(new DataView(info.buffer).getUint32(0, true))) hooked++;
  }
}
