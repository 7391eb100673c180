import { processCpuNs } from "../libc.ts";
import type { Slices } from "../slices.ts";
import { ProcFolder, type SocketDescriptor } from "./proc_folder.ts";

/** Descriptors that are remembered, of all processes together. */
const REMEMBERED_MAX = 65_536;

/** What a process had when it was looked at. */
interface Looked {
  /** Processor time that it had used before, nanoseconds. */
  cpuNs: number;
  sockets: readonly SocketDescriptor[];
}

/**
 * Takes a descriptor that a process has of a socket.
 *
 * @param hasRun Whether the process is new, or may have run since it was looked at before.
 */
export type OnSocket = (pid: number, socket: SocketDescriptor, hasRun: boolean) => void;

/**
 * The sockets that each process has a descriptor of, from /proc/PID/fd (proc(5)). To read all descriptors
 * of a machine takes milliseconds, 5 µs each, and most processes sleep: one that has used no processor
 * time since it was looked at has opened, taken and closed none, for nobody else can do that for it.
 */
export class ProcessSockets {
  #looked = new Map<number, Looked>();
  readonly #isTimeTold = isTimeTold();

  /**
   * Goes through all processes.
   *
   * @param onSocket Takes each descriptor, those of one process after each other.
   * @param anew Whether to take all for processes that ran. Of one that has just woken up, the kernel
   *   counts what it used only some milliseconds later.
   * @returns Whether it was gone through to its end.
   */
  async forEach(
    slices: Slices,
    signal: AbortSignal,
    onSocket: OnSocket,
    anew: boolean,
  ): Promise<boolean> {
    const before = this.#looked;
    const looked = new Map<number, Looked>();
    let room = REMEMBERED_MAX;
    for (const pid of await listProcesses(slices)) {
      await slices.rest();
      const cpuNs = this.#isTimeTold ? processCpuNs(pid) : undefined;
      const known = before.get(pid);
      const hasRun = anew || known === undefined || known.cpuNs !== cpuNs;
      const sockets: SocketDescriptor[] = [];
      const take = (socket: SocketDescriptor) => {
        if (sockets.length <= room) sockets.push(socket);
        onSocket(pid, socket, hasRun);
      };
      if (hasRun) await readSockets(pid, slices, signal, take);
      else known.sockets.forEach(take);
      if (signal.aborted) return false;
      if (cpuNs === undefined || sockets.length > room) continue;
      room -= sockets.length;
      looked.set(pid, { cpuNs, sockets });
    }
    this.#looked = looked;
    return true;
  }
}

/**
 * Whether it can be told of each process that it ran: where /proc shows it by the number that system calls
 * know it by, and where the kernel's clock has no steps of a tick, in which many a run takes no time.
 */
function isTimeTold(): boolean {
  try {
    if (Deno.readLinkSync("/proc/self") !== String(Deno.pid)) return false;
  } catch {
    return false;
  }
  const before = processCpuNs(Deno.pid) ?? Infinity;
  return (processCpuNs(Deno.pid) ?? 0) > before;
}

async function listProcesses(slices: Slices): Promise<number[]> {
  const processes: number[] = [];
  using folder = new ProcFolder("/proc");
  for (let pids = folder.nextNumbers(); pids !== undefined; pids = folder.nextNumbers()) {
    processes.push(...pids);
    await slices.rest();
  }
  return processes;
}

async function readSockets(
  pid: number,
  slices: Slices,
  signal: AbortSignal,
  take: (socket: SocketDescriptor) => void,
): Promise<void> {
  using folder = new ProcFolder(`/proc/${pid}/fd`);
  for (let some = folder.nextSockets(); some !== undefined; some = folder.nextSockets()) {
    some.forEach(take);
    await slices.rest();
    if (signal.aborted) return;
  }
}
