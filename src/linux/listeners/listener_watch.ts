/**
 * Who listens on this host: sockets by the kernel's records and lists, their processes by /proc.
 *
 * @module
 */
import type { KernelEnd, KernelListener, Process } from "../../kernel/kernel_record.ts";
import {
  type Arrival,
  type Listener,
  Listeners,
  type ListeningSocket,
  portKey,
} from "../../kernel/listeners.ts";
import { clockNs } from "../libc.ts";
import { ListenerHolders } from "./listener_holders.ts";
import type { LocalAddresses } from "../netns/local_addresses.ts";
import type { Places } from "../capture/places.ts";
import { listenersIn, namespacesOfProcesses } from "./find_listeners.ts";
import { Slices } from "../slices.ts";

/** Index of the loopback interface, the first of each namespace (net/core/net_namespace.c). */
const LOOPBACK = 1;
/** How long words that would tell whose a listener is are waited for, where nothing else does. */
const AWAITED_MS = 1_000;
/** How soon a port is waited for again of whose listener no word came. */
const AWAITED_AGAIN_MS = 60_000;
/** Such ports that are remembered. */
const UNKNOWN_MAX = 4_096;
/** How soon after a list of a namespace it is listed again for a listener that it lacked. */
const LIST_AGAIN_NS = 1e9;
/** Namespaces remembered by a process in them. */
const NAMESPACES_MAX = 4_096;

/** What it needs to know of the trace. */
export interface ListenerWatchOptions {
  /** Now, nanoseconds on the axis. */
  nowNs(): number;
  /** Where packets are seen. */
  places: Places;
  /** The addresses of this host. */
  addresses: LocalAddresses;
  /** Takes what was thrown in the background. */
  onFailure(error: unknown): void;
}

/** Where a SYN came to: the address as four words, and the port. */
interface Destination {
  readonly address: Uint32Array;
  port: number;
}

/** A namespace where something listens. */
interface Known {
  /** A process that lived in it. */
  pid: number;
  /** When the last list of it was begun, nanoseconds on the axis; -Infinity before the first. */
  listedNs: number;
}

/** Finds the process that a server's side of a handshake belongs to. */
export class ListenerWatch {
  readonly #listeners = new Listeners((missed) => missed.server = this.#lastServer(missed));
  readonly #holders: ListenerHolders;
  readonly #namespaces = new Map<number, Known>();
  /** Namespaces to be listed again. */
  readonly #due = new Set<number>();
  readonly #options: ListenerWatchOptions;
  /** Ports, in their namespaces, that were used in this tick. */
  readonly #used = new Set<number>();
  /** Ports, in their namespaces, of whose listener nothing is known, and since when. */
  readonly #unknown = new Map<number, number>();
  #listing: Promise<void> | undefined;
  #isEnding = false;

  /** Begins to watch nothing: see {@link begin}. */
  constructor(options: ListenerWatchOptions) {
    this.#options = options;
    const usedMs = () => Number(clockNs("thread")) / 1e6;
    this.#holders = new ListenerHolders(() => this.#listeners.open, options.onFailure, usedMs);
  }

  /**
   * Lists what listens now, in every namespace that a process lives in, and looks for the processes.
   * Not before the script is attached: what begins to listen from then on, it sees itself.
   */
  async begin(): Promise<void> {
    for (const [netns, pid] of await namespacesOfProcesses(new Slices())) this.#sight(netns, pid);
    for (const netns of this.#namespaces.keys()) this.#due.add(netns);
    await this.#listDue();
    await this.#holders.search();
  }

  /** The ports on which somebody listens, as far as is known; one may come several times. */
  *ports(): Iterable<number> {
    for (const { port } of this.#listeners.open.values()) yield port;
  }

  /** A new tick begins: what was used in the one before counts again. @param nowMs By `performance.now()`. */
  tick(nowMs = performance.now()): void {
    this.#used.clear();
    this.#holders.tick(nowMs);
  }

  /** Moves what was seen where the clock of the axis was set. @param jumpNs By how much, negative: back. */
  clockSet(jumpNs: number): void {
    this.#listeners.clockSet(jumpNs);
    for (const known of this.#namespaces.values()) known.listedNs += jumpNs;
  }

  /** Takes a LISTEN transition. */
  take(record: KernelListener, listens: boolean): void {
    const listener = this.#listeners.take(record, listens);
    this.#sight(record.netns, record.pid);
    if (listens || listener === undefined) {
      this.#due.add(record.netns);
      this.#listDue();
    }
    if (!listener) return;
    this.#unknown.delete(portKey(listener.netns, listener.port));
    // Also where the start comes after the end.
    if (listener.end) listener.server = this.#lastServer(listener);
    else if (listens) this.#holders.suggest(listener.inode, record.pid);
  }

  /** Searches for who holds the listener of a connection, long enough before its record is made. */
  use(server: KernelEnd): void {
    const key = portKey(server.netns, server.localPort);
    if (this.#used.has(key)) return;
    this.#used.add(key);
    const listeners = this.#listeners.find(server);
    this.#use(listeners);
    if (listeners.length === 0) this.#listAgain(server.netns);
  }

  /** Lists a namespace once more, where somebody listens of whose start no word came. */
  #listAgain(netns: number): void {
    const known = this.#namespaces.get(netns);
    if (known === undefined || this.#options.nowNs() - known.listedNs < LIST_AGAIN_NS) return;
    this.#due.add(netns);
    this.#listDue();
  }

  #use(listeners: readonly Listener[]): void {
    for (const { inode, closedNs } of listeners) {
      if (closedNs === Infinity) this.#holders.use(inode);
    }
  }

  /**
   * Finds the process that listened where a connection arrived.
   *
   * @returns Undefined where none is known, or where several can be meant.
   */
  find(arrival: Arrival): Process | undefined {
    return this.#serverOfAll(this.#listeners.find(arrival), arrival);
  }

  /**
   * Whether the process that listened where a connection arrived is not known yet, and soon will be: it
   * is being looked for, or is gone and the words that tell of it are still on their way.
   */
  isSought(arrival: Arrival): boolean {
    const listeners = this.#listeners.find(arrival);
    if (listeners.length === 0) return this.#listing !== undefined || this.#isPortAwaited(arrival);
    // Not by `some`: to make its function took more memory than all else of this.
    for (const listener of listeners) if (this.#isAwaited(listener)) return true;
    return false;
  }

  #isAwaited(listener: Listener): boolean {
    const { inode, closedNs, begin, end } = listener;
    if (closedNs === Infinity) {
      if (this.#holders.of(inode) !== undefined) {
        listener.awaitedSinceMs = undefined;
        return false;
      }
      if (this.#holders.isSought(inode)) return true;
      if (this.#holders.isDisputed(inode)) return false;
    } else if (listener.server !== undefined || begin && end) return false;
    // A socket that nobody holds is about to end, and whoever closed it is told. But not the kernel's own.
    if (begin?.isKernel) return false;
    const nowMs = performance.now();
    return nowMs - (listener.awaitedSinceMs ??= nowMs) < AWAITED_MS;
  }

  /** Whether words of a listener on a port, of which none is known, are waited for. */
  #isPortAwaited({ netns, localPort }: Arrival): boolean {
    const key = portKey(netns, localPort);
    const nowMs = performance.now();
    const sinceMs = this.#unknown.get(key);
    if (sinceMs !== undefined && nowMs - sinceMs < AWAITED_AGAIN_MS) {
      return nowMs - sinceMs < AWAITED_MS;
    }
    this.#unknown.delete(key);
    if (this.#unknown.size >= UNKNOWN_MAX) {
      const [oldest] = this.#unknown.keys();
      this.#unknown.delete(oldest);
    }
    this.#unknown.set(key, nowMs);
    return true;
  }

  /**
   * Finds the process that listened where a SYN came to, by the places where its packets were seen:
   * in whichever of their namespaces has that address.
   *
   * @param destination Where it came to. @param timeNs When, nanoseconds on the axis.
   * @param seenAt The places. @param refusal The listener that refused it, where that is known.
   * @returns Undefined where none is known, or where several can be meant.
   */
  at(
    { address: local, port: localPort }: Destination,
    timeNs: number,
    seenAt: readonly number[],
    refusal?: { netns: number; listener: number | undefined },
  ): Process | undefined {
    if (refusal) return this.find({ ...refusal, local, localPort, endNs: timeNs });
    const { places, addresses } = this.#options;
    let found: Process | undefined;
    for (const netns of new Set(seenAt.map((place) => places.netnsOf(place)))) {
      if (netns === undefined || !addresses.isIn(netns, local)) continue;
      const seenBy = seenAt.filter((place) => places.netnsOf(place) === netns)
        .map((place) => places.indexOf(place) ?? 0);
      // What comes over the loopback is for whoever is bound to the interface with that address.
      const devices = seenBy.includes(LOOPBACK) ? undefined : seenBy;
      const arrival = { netns, local, localPort, endNs: timeNs, devices };
      const listeners = this.#listeners.find(arrival);
      this.#use(listeners);
      if (listeners.length === 0) continue;
      const process = this.#serverOfAll(listeners, arrival);
      if (process === undefined || found && found.pid !== process.pid) return undefined;
      found = process;
    }
    return found;
  }

  /** The one process of several listeners. */
  #serverOfAll(listeners: readonly Listener[], arrival: Arrival): Process | undefined {
    let found: Process | undefined;
    for (const listener of listeners) {
      const process = this.#serverOf(listener, arrival);
      if (process === undefined || found && found.pid !== process.pid) return undefined;
      found ??= process;
    }
    return found;
  }

  #serverOf(listener: Listener, arrival: Arrival): Process | undefined {
    const server = listener.closedNs === Infinity
      ? this.#holders.of(listener.inode)
      : listener.server;
    if (server === undefined) return undefined;
    const { begin, told } = listener;
    const uid = arrival.uid ?? listener.uid;
    const cgroup = arrival.cgroup ?? listener.cgroup;
    const thread = begin?.pid === server.pid ? begin.thread : undefined;
    const isSame = told?.pid === server.pid && told.comm === server.comm && told.uid === uid &&
      told.cgroup === cgroup && told.thread === thread;
    if (isSame) return told;
    const process: Process = { pid: server.pid, comm: server.comm, uid };
    if (cgroup !== undefined) process.cgroup = cgroup;
    if (thread) process.thread = thread;
    return listener.told = process;
  }

  /** Whose a socket was that nobody holds any more: whoever closed it held it to the end. */
  #lastServer(listener: Listener): { pid: number; comm: string } | undefined {
    const { inode, begin, end } = listener;
    const last = this.#holders.last(inode) ?? listener.server;
    if (end === undefined || end.isKernel) return last;
    if (last && (last.pid === end.pid || this.#holders.knows(inode, end.pid))) return last;
    const isOnes = last === undefined && begin?.pid === end.pid;
    return isOnes && !this.#holders.isDisputed(inode)
      ? { pid: end.pid, comm: end.comm }
      : undefined;
  }

  #sight(netns: number, pid: number): void {
    if (this.#namespaces.has(netns)) return;
    if (this.#namespaces.size >= NAMESPACES_MAX) {
      const oldest = this.#namespaces.keys().next();
      if (!oldest.done) this.#namespaces.delete(oldest.value);
    }
    this.#namespaces.set(netns, { pid, listedNs: -Infinity });
  }

  /** Lists the namespaces that are due, one list after the other. */
  #listDue(): Promise<void> {
    return this.#listing ??= this.#listAll().catch(this.#options.onFailure)
      .finally(() => this.#listing = undefined);
  }

  async #listAll(): Promise<void> {
    const slices = new Slices();
    for (const netns of this.#due) {
      this.#due.delete(netns);
      if (this.#isEnding) return;
      await this.#list(netns, slices);
    }
  }

  async #list(netns: number, slices: Slices): Promise<void> {
    const known = this.#namespaces.get(netns);
    if (known === undefined) return;
    const beganNs = this.#options.nowNs();
    let parts = listenersIn(netns, known.pid);
    if (parts === undefined) {
      // The process that was known in it has gone, maybe not the namespace.
      const pid = (await namespacesOfProcesses(slices)).get(netns);
      if (pid === undefined) {
        this.#namespaces.delete(netns);
        return;
      }
      known.pid = pid;
      parts = listenersIn(netns, pid);
    }
    const sockets: ListeningSocket[] = [];
    for (const part of parts ?? []) {
      sockets.push(...part);
      await slices.rest();
    }
    const sinceNs = known.listedNs;
    known.listedNs = beganNs;
    const nowNs = this.#options.nowNs();
    if (this.#listeners.list(netns, sockets, sinceNs, beganNs, nowNs)) this.#due.add(netns);
  }

  /** Ends what it does in the background. */
  async close(): Promise<void> {
    this.#isEnding = true;
    await Promise.all([this.#listing, this.#holders.close()]);
  }
}
