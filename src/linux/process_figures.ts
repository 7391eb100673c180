/**
 * What this process takes of the machine, and others.
 *
 * @module
 */
import process from "node:process";
import { libc } from "./libc.ts";
import { readProcessState } from "./process_state.ts";

/** What a process takes of the machine. */
export interface ProcessUse {
  /** User and system CPU time, seconds. */
  cpuSeconds: number;
  /** Resident memory, bytes. */
  residentBytes: number;
}

/** What each process of a live trace takes. */
export interface TraceProcesses {
  /** This one. */
  synsnoop: ProcessUse;
  /** The bpftrace that runs now, where one does. */
  bpftrace: ProcessUse | undefined;
}

/** Figures of this process; absent where Deno may not tell. */
export interface OwnFigures extends ProcessUse {
  openFiles?: number;
  /** When it began, seconds of Unix time. */
  startSeconds: number;
}

/** Asks for them now. */
export function ownFigures(): OwnFigures {
  const openFiles = countOpenFiles();
  return {
    ...ownUse(),
    ...openFiles !== undefined && { openFiles },
    startSeconds: performance.timeOrigin / 1_000,
  };
}

function countOpenFiles(): number | undefined {
  try {
    // The descriptor that reads the folder is one of them.
    return [...Deno.readDirSync("/proc/self/fd")].length - 1;
  } catch {
    // To see /proc takes every permission of Deno.
    return undefined;
  }
}

/** What this process takes. */
function ownUse(): ProcessUse {
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, residentBytes: Deno.memoryUsage().rss };
}

/** Ticks a second in which /proc tells processor time (`USER_HZ`): the same on each architecture here. */
const TICKS_PER_SECOND = 100;
/** Of the fields of /proc/PID/statm the one that counts resident pages (proc_pid_statm(5)). */
const RESIDENT_PAGES = 1;

/** What a process takes; undefined where it has ended or may not be seen. */
export function useOf(pid: number): ProcessUse | undefined {
  const state = readProcessState(pid);
  if (state === undefined || state.letter === "Z") return undefined;
  try {
    const pages = Number(Deno.readTextFileSync(`/proc/${pid}/statm`).split(" ")[RESIDENT_PAGES]);
    return {
      cpuSeconds: state.cpuTicks / TICKS_PER_SECOND,
      residentBytes: pages * libc().getpagesize(),
    };
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}

/** How soon it is looked again: a screen asks many times a second. */
const LOOK_EVERY_MS = 1_000;

/** What the processes of one trace take, as it was a second ago at most. */
export class TraceProcessWatch {
  #last: TraceProcesses | undefined;
  #lookedMs = -Infinity;
  #hasEnded = false;

  /** @param bpftracePid Of the bpftrace that runs now, undefined where none does. */
  look(bpftracePid: number | undefined): TraceProcesses {
    const nowMs = performance.now();
    if (this.#last === undefined || nowMs - this.#lookedMs >= LOOK_EVERY_MS) {
      const bpftrace = this.#hasEnded
        ? this.#last?.bpftrace
        : bpftracePid === undefined
        ? undefined
        : useOf(bpftracePid);
      this.#last = { synsnoop: ownUse(), bpftrace };
      this.#lookedMs = nowMs;
    }
    return this.#last;
  }

  /** Looks once more before bpftrace is ended: what it took then is told from then on. */
  lookLast(bpftracePid: number | undefined): void {
    this.#lookedMs = -Infinity;
    this.look(bpftracePid);
    this.#hasEnded = true;
  }
}
