/**
 * What this process takes of the machine.
 *
 * @module
 */
import process from "node:process";

/** Figures of this process; absent where Deno may not tell. */
export interface OwnFigures {
  /** User and system CPU time, seconds. */
  cpuSeconds: number;
  /** Resident memory, bytes. */
  residentBytes: number;
  openFiles?: number;
  /** When it began, seconds of Unix time. */
  startSeconds: number;
}

/** Asks for them now. */
export function ownFigures(): OwnFigures {
  const { user, system } = process.cpuUsage();
  const openFiles = countOpenFiles();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: Deno.memoryUsage().rss,
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
