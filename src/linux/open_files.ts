/** How many files this process may have open: descriptors of all kinds (getrlimit(2), RLIMIT_NOFILE). */

/** The soft limit in /proc/PID/limits (proc(5)). */
const LIMIT = /^Max open files\s+(\d+)/m;

/** How many more it may open; Infinity where that is not known, or there is no limit. */
export function openFilesLeft(): number {
  try {
    const [, limit] = LIMIT.exec(Deno.readTextFileSync("/proc/self/limits")) ?? [];
    if (limit === undefined) return Infinity;
    // That of the folder itself is among them.
    return Number(limit) - Array.from(Deno.readDirSync("/proc/self/fd")).length + 1;
  } catch {
    return Infinity;
  }
}
