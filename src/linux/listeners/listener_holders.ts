/**
 * Which processes hold listening sockets, from /proc/PID/fd (proc(5)). Who called listen() need not be
 * among them: a daemon forks and its first process ends, a service manager hands its sockets over.
 *
 * @module
 */
import { chooseHolder, type Holder } from "../../kernel/choose_holder.ts";
import { ProcFolder, socketOf } from "./proc_folder.ts";
import { ProcessSockets } from "./process_sockets.ts";
import { Slices } from "../slices.ts";

/** A process as a record names it. */
export interface HoldingProcess {
  pid: number;
  /** Command name of its first thread: untrusted text. */
  comm: string;
}

/** A process and the descriptor by which it holds a socket. */
interface Descriptor extends Holder {
  /** Number of the descriptor. */
  fd: number;
}

/** The same, before anything is known of the process. */
interface Found {
  pid: number;
  fd: number;
  /** See `OnSocket`. */
  hasRun: boolean;
}

/** What is known of one socket. */
interface Held {
  descriptors: readonly Descriptor[];
  chosen: Descriptor | undefined;
  /** What was last known of a chosen one, which may hold it no more. */
  last: HoldingProcess | undefined;
  /** When it was last looked whether the chosen one still holds it, and what it is called. */
  checkedMs: number;
}

/** Field 4 of /proc/PID/stat (proc(5)), counted after the command name in parentheses. */
const PARENT_AFTER_COMM = 1;
/** How long a socket's holder is believed without another look, but to the next tick: less than a record waits. */
const BELIEVED_MS = 15;
/** The share of a core that searches may take, and what they may take at once after a rest. */
const SEARCH_SHARE = 0.05;
const SAVED_MAX_MS = 500;
/** How soon after a search the next may begin. */
const PAUSE_MS = 20;
/** A socket in use is searched for again after a while: it may have been handed over. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 300_000;
const ANCESTORS_MAX = 64;
/** Processes looked at at a time that began to listen; more are found by the search. */
const SUGGESTIONS_MAX = 64;

/** Searches for them in the background, and looks again whether one still holds what it held. */
export class ListenerHolders {
  readonly #wanted: () => ReadonlyMap<number, unknown>;
  readonly #onFailure: (error: unknown) => void;
  readonly #usedMs: () => number;
  readonly #processes = new ProcessSockets();
  readonly #held = new Map<number, Held>();
  /** When each socket in use is searched for again, and how long that was put off. */
  readonly #retries = new Map<number, { atMs: number; waitMs: number }>();
  readonly #ending = new AbortController();
  /** When the tick at hand began, by `performance.now()`. */
  #nowMs = -Infinity;
  #isDue = false;
  #search: Promise<void> | undefined;
  /** Resolved by the next search that begins. */
  #next = Promise.withResolvers<void>();
  readonly #suggestions = new Set<Promise<void>>();
  /** Sockets that a whole search did not find: nobody holds them whom this process may see. */
  readonly #unfound = new Set<number>();
  /** One for all of them, that they take no more together than one alone. */
  readonly #slices = new Slices();
  /** What searches may take now; less than nothing: not yet. */
  #savedMs = SAVED_MAX_MS;
  #savedAtMs = performance.now();

  /**
   * Searches for nothing yet.
   *
   * @param wanted The sockets searched for, by inode number: asked again and again.
   * @param onFailure Takes what a search threw.
   * @param usedMs Processor time that this thread took so far, in ms: what others took meanwhile on a busy
   *   machine puts no search off.
   */
  constructor(
    wanted: () => ReadonlyMap<number, unknown>,
    onFailure: (error: unknown) => void,
    usedMs: () => number,
  ) {
    this.#wanted = wanted;
    this.#onFailure = onFailure;
    this.#usedMs = usedMs;
  }

  /** A tick begins, by whose time holders are believed: each record asks, and to read a clock takes longer. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /**
   * Proposes the process that began to listen: whether it holds the socket is soon known. Others may
   * hold it too, or will when it has forked: so it is searched for as well.
   */
  suggest(inode: number, pid: number): void {
    this.search();
    if (this.#suggestions.size >= SUGGESTIONS_MAX) return;
    const suggestion = this.#look(inode, pid).catch(this.#onFailure)
      .finally(() => this.#suggestions.delete(suggestion));
    this.#suggestions.add(suggestion);
  }

  /** Looks at the descriptors of one process, its newest first: so new a socket most often has it. */
  async #look(inode: number, pid: number): Promise<void> {
    using folder = new ProcFolder(`/proc/${pid}/fd`);
    const fds: number[] = [];
    for (let some = folder.nextNumbers(); some !== undefined; some = folder.nextNumbers()) {
      fds.push(...some);
      await this.#slices.rest();
    }
    for (const fd of fds.reverse()) {
      if (socketOf(pid, fd) === inode) {
        const descriptor = { ...UNSEEN, pid, fd };
        this.#held.set(inode, newHeld([descriptor], descriptor));
        return;
      }
      await this.#slices.rest();
      if (this.#ending.signal.aborted || this.#held.has(inode)) return;
    }
  }

  /**
   * Searches for who holds a socket that a connection came to, where its holder is gone or the last
   * search was long ago, for it may have been handed over.
   */
  use(inode: number): void {
    const nowMs = performance.now();
    const held = this.#held.get(inode);
    const retry = this.#retries.get(inode);
    if (retry === undefined) {
      this.#retries.set(inode, { atMs: nowMs + FIRST_RETRY_MS, waitMs: FIRST_RETRY_MS });
      if (held === undefined) this.search();
    } else if (nowMs >= retry.atMs) {
      retry.waitMs = Math.min(retry.waitMs * 2, LAST_RETRY_MS);
      retry.atMs = nowMs + retry.waitMs;
      this.search();
    }
    if (held) this.#check(inode, held);
  }

  /**
   * Searches soon.
   *
   * @returns Settled when a search is over that began from now on; one behind another may be put off.
   */
  search(): Promise<void> {
    this.#isDue = true;
    const { promise } = this.#next;
    this.#search ??= this.#searchWhileDue().catch(this.#onFailure).finally(() => {
      this.#search = undefined;
      // It became due again while the last one ended.
      if (this.#isDue && !this.#ending.signal.aborted) this.search();
      else this.#takeNext()();
    });
    return promise;
  }

  /** @returns What tells those who wait for the next search that it is over. */
  #takeNext(): () => void {
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers();
    return resolve;
  }

  async #searchWhileDue(): Promise<void> {
    const { signal } = this.#ending;
    while (this.#isDue && !signal.aborted) {
      const waitMs = this.#waitMs();
      if (waitMs > 0) await pause(waitMs, signal);
      if (signal.aborted) return;
      this.#isDue = false;
      const isOver = this.#takeNext();
      const beganMs = this.#usedMs();
      await this.#searchOnce(signal).finally(isOver);
      this.#savedMs -= this.#usedMs() - beganMs;
      if (this.#isDue) await pause(PAUSE_MS, signal);
    }
  }

  /** How long until searches have taken no more than their share. */
  #waitMs(): number {
    const nowMs = performance.now();
    const earnedMs = (nowMs - this.#savedAtMs) * SEARCH_SHARE;
    this.#savedMs = Math.min(this.#savedMs + earnedMs, SAVED_MAX_MS);
    this.#savedAtMs = nowMs;
    return -this.#savedMs / SEARCH_SHARE;
  }

  /** Looks once who holds each socket. */
  async #searchOnce(signal: AbortSignal): Promise<void> {
    const slices = new Slices();
    const before = new Set(this.#wanted().keys());
    if (before.size === 0) return;
    let found = await this.#find(slices, signal, false);
    // Who takes a socket over may just have woken up.
    const isMissed = (inode: number) =>
      this.#wanted().has(inode) && !found.has(inode) && !this.#unfound.has(inode);
    if (before.values().some(isMissed)) found = await this.#find(slices, signal, true);
    if (signal.aborted) return;
    const parents = new Map<number, number>();
    const described = new Map<number, Holder>();
    for (const [inode, holders] of found) {
      if (this.#isHeldAsBefore(inode, holders)) continue;
      const descriptors: Descriptor[] = [];
      for (const { pid, fd } of holders) {
        await slices.rest();
        let holder = described.get(pid);
        // Of one that is the only holder nothing more is asked.
        if (holder === undefined && holders.length > 1) {
          described.set(pid, holder = describe(pid, parents));
        }
        descriptors.push({ ...holder ?? UNSEEN, pid, fd });
      }
      // Some may have closed it meanwhile, or ended.
      const holding = descriptors.filter((each) => holds(each, inode));
      const known = this.#held.get(inode);
      // Closed since it was found: whose it was stays known until its end is told.
      if (holding.length === 0 && known) known.chosen = undefined;
      else this.#held.set(inode, newHeld(holding, chooseHolder(holding)));
      this.#unfound.delete(inode);
    }
    for (const inode of before) if (!found.has(inode)) this.#unfound.add(inode);
    for (const [inode, held] of this.#held) {
      if (!this.#wanted().has(inode)) this.#held.delete(inode);
      // What was there from the start and was not found, nobody holds whom this process may see.
      else if (before.has(inode) && !found.has(inode)) held.chosen = undefined;
    }
    for (const known of [this.#retries, this.#unfound]) {
      for (const inode of known.keys()) if (!this.#wanted().has(inode)) known.delete(inode);
    }
  }

  /** @returns The holders of the sockets that are searched for, by inode number. */
  async #find(slices: Slices, signal: AbortSignal, anew: boolean): Promise<Map<number, Found[]>> {
    const found = new Map<number, Found[]>();
    await this.#processes.forEach(slices, signal, (pid, { fd, inode }, hasRun) => {
      if (!this.#wanted().has(inode)) return;
      const holders = found.get(inode);
      if (holders === undefined) found.set(inode, [{ pid, fd, hasRun }]);
      else if (holders.at(-1)!.pid !== pid) holders.push({ pid, fd, hasRun });
    }, anew);
    return found;
  }

  /** Whether the only holder of a socket is the one that is known, and did nothing since. */
  #isHeldAsBefore(inode: number, holders: readonly Found[]): boolean {
    const [{ pid, fd, hasRun }] = holders;
    const { descriptors, chosen } = this.#held.get(inode) ?? {};
    return holders.length === 1 && !hasRun && descriptors?.length === 1 && chosen?.pid === pid &&
      chosen.fd === fd;
  }

  /**
   * The process that a record names of those that hold a socket.
   *
   * @returns Undefined where none is known, or it cannot be told which.
   */
  of(inode: number): HoldingProcess | undefined {
    const held = this.#held.get(inode);
    if (held) this.#check(inode, held);
    return held?.chosen && held.last;
  }

  /** Looks whether the chosen process still holds a socket; where it does not, another may. */
  #check(inode: number, held: Held): void {
    if (this.#nowMs - held.checkedMs < BELIEVED_MS) return;
    held.checkedMs = this.#nowMs;
    if (held.chosen && !holds(held.chosen, inode)) {
      held.chosen = chooseHolder(held.descriptors.filter((each) => holds(each, inode)));
      this.search();
    }
    if (held.chosen) held.last = nameOf(held.chosen);
  }

  /** Whether holders are being looked for now, or about to be. */
  get isSearching(): boolean {
    return this.#search !== undefined || this.#suggestions.size > 0;
  }

  /** Whether who holds a socket is being looked for: nobody is known yet, or any more. */
  isSought(inode: number): boolean {
    const isKnown = this.#held.get(inode)?.chosen !== undefined || this.isDisputed(inode);
    return this.isSearching && !isKnown && !this.#unfound.has(inode);
  }

  /** Whether a process was among those that held a socket, when it was last searched for. */
  knows(inode: number, pid: number): boolean {
    return this.#held.get(inode)?.descriptors.some((each) => each.pid === pid) ?? false;
  }

  /** Whether several held a socket, of which none could be chosen, when it was last searched for. */
  isDisputed(inode: number): boolean {
    const held = this.#held.get(inode);
    return held !== undefined && held.last === undefined && held.descriptors.length > 1;
  }

  /** The process that was last known to hold a socket. */
  last(inode: number): HoldingProcess | undefined {
    return this.#held.get(inode)?.last;
  }

  /** Ends the search. */
  async close(): Promise<void> {
    this.#ending.abort();
    await Promise.all([this.#search, ...this.#suggestions]);
  }
}

function newHeld(descriptors: readonly Descriptor[], chosen: Descriptor | undefined): Held {
  const last = chosen && nameOf(chosen);
  return { descriptors, chosen, last, checkedMs: performance.now() };
}

/** What is asked of a process that is the only holder: nothing. */
const UNSEEN = { ancestors: [], program: undefined, isInit: false, isActivated: false };

/** @param parents Those that were read already. */
function describe(pid: number, parents: Map<number, number>): Holder {
  const ancestors: number[] = [];
  for (let of = pid; ancestors.length < ANCESTORS_MAX;) {
    const parent = parents.get(of) ?? parentOf(readText(`/proc/${of}/stat`));
    if (parent <= 0) break;
    parents.set(of, parent);
    ancestors.push(of = parent);
  }
  const own = pidInNamespace(pid);
  return {
    pid,
    ancestors,
    program: readLink(`/proc/${pid}/exe`),
    isInit: own === 1,
    isActivated: own !== undefined && isActivated(readText(`/proc/${pid}/environ`), own),
  };
}

/**
 * The parent of a process, 0 where there is none.
 *
 * @param stat Of /proc/PID/stat; the command name in it may hold blanks and parentheses.
 */
export function parentOf(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[PARENT_AFTER_COMM] ?? 0);
}

/** Whether a process was handed sockets when it began. @param environ Of /proc/PID/environ. */
export function isActivated(environ: string, pid: number): boolean {
  return environ.split("\0").includes(`LISTEN_PID=${pid}`);
}

/** What a process is called in the innermost pid namespace that it is in. */
function pidInNamespace(pid: number): number | undefined {
  const last = /^NSpid:.*\s(\d+)$/m.exec(readText(`/proc/${pid}/status`))?.[1];
  return last === undefined ? undefined : Number(last);
}

/** Whether a descriptor is still of that socket. */
function holds({ pid, fd }: Descriptor, inode: number): boolean {
  return socketOf(pid, fd) === inode;
}

function nameOf({ pid }: Holder): HoldingProcess | undefined {
  const comm = readText(`/proc/${pid}/comm`);
  return comm === "" ? undefined : { pid, comm: comm.replace(/\n$/, "") };
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

function readLink(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return undefined;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    function end() {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    }
  });
}
