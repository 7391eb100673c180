/**
 * The processes that one process started, and those that they started, by who is whose parent: looked
 * for again and again, where they can have no cgroup of their own.
 *
 * @module
 */
import { readProcessState } from "./process_state.ts";

/** How soon it is looked again, and what part of the time looking takes at most. */
const LOOK_MS = 10;
const SHARE_MAX = 1 / 20;
/** How long one that has ended is remembered: its handshakes are reported soon after. */
const REMEMBERED_MS = 10_000;

interface Known {
  startTicks: number;
  /** When it was seen to have ended, by `performance.now()`. */
  endedMs?: number;
}

/** What a process and its descendants are. Those that end within some 10 ms may be missed. */
export class ProcessTree implements Disposable {
  readonly #known = new Map<number, Known>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Begins to look. @param root The process above all others. */
  constructor(root: number) {
    this.#add(root);
    this.#look();
  }

  /** Whether a process is the root or below it, or was until a short time ago. */
  has(pid: number): boolean {
    return this.#known.has(pid);
  }

  /** Those that run. */
  members(): number[] {
    return [...this.#known].flatMap(([pid, { endedMs }]) => endedMs === undefined ? [pid] : []);
  }

  /** Looks once more and stops. */
  [Symbol.dispose](): void {
    this.#look();
    clearTimeout(this.#timer);
  }

  #look(): void {
    clearTimeout(this.#timer);
    const beginMs = performance.now();
    for (const [pid, known] of this.#known) {
      if (known.endedMs !== undefined) {
        if (beginMs - known.endedMs > REMEMBERED_MS) this.#known.delete(pid);
      } else if (readProcessState(pid)?.startTicks !== known.startTicks) {
        known.endedMs = beginMs;
      } else {
        // What is added here is looked at in this same loop.
        for (const child of childrenOf(pid)) this.#add(child);
      }
    }
    const tookMs = performance.now() - beginMs;
    this.#timer = setTimeout(() => this.#look(), Math.max(LOOK_MS, tookMs / SHARE_MAX));
    Deno.unrefTimer(this.#timer);
  }

  #add(pid: number): void {
    const known = this.#known.get(pid);
    if (known && known.endedMs === undefined) return;
    const startTicks = readProcessState(pid)?.startTicks;
    if (startTicks !== undefined) this.#known.set(pid, { startTicks });
  }
}

/** The children of a process by each of its threads (proc_pid_task(5)). */
function childrenOf(pid: number): number[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/task`)].flatMap(({ name }) =>
      Deno.readTextFileSync(`/proc/${pid}/task/${name}/children`).split(" ").map(Number)
        .filter(Boolean)
    );
  } catch {
    // It has ended meanwhile.
    return [];
  }
}
