import type { KernelListener, Process } from "./kernel_record.ts";

/** A listening socket as the kernel lists it. */
export interface ListeningSocket {
  /** Inode number of the network namespace. */
  netns: number;
  /** The address listened on as four words; `::` and 0.0.0.0 stand for all. */
  address: Uint32Array;
  /** The port listened on. */
  port: number;
  /** Inode number of the socket: its identity, which each descriptor of it shows in /proc/PID/fd. */
  inode: number;
  /** Index of the interface that it is bound to, 0 for none; undefined where that is not known. */
  device: number | undefined;
  /** Whether it takes connections to other ports and addresses too, which TPROXY gives it. */
  transparent: boolean;
  /** User id that owns the socket. */
  uid: number;
  /** Id of the socket's cgroup (v2); undefined where that is not known. */
  cgroup: number | undefined;
}

/** One of {@link Listeners}. */
export interface Listener extends ListeningSocket {
  /** Its begin, where that was seen: whose process called listen(). */
  begin: KernelListener | undefined;
  /** Its end, where that was seen: whose process closed it last. */
  end: KernelListener | undefined;
  /** Whose it was, where it has ended and that is known; filled by who looks at processes. */
  server: { pid: number; comm: string } | undefined;
  /** Since when it is waited for who it is, `performance.now()`; filled by who looks at processes. */
  awaitedSinceMs: number | undefined;
  /** The process as it was told last; filled by who looks at processes. */
  told: Process | undefined;
  /** When it began to listen, nanoseconds on the axis; -Infinity for listeners that predate the tool. */
  openedNs: number;
  /** When it ended to listen, nanoseconds on the axis; Infinity while it listens. */
  closedNs: number;
}

/** What is known of a connection, or of an attempt at one, whose listener is looked for. */
export interface Arrival {
  /** Inode number of the network namespace that it arrived in. */
  netns: number;
  /** The address that it was made to, as four words. */
  local: Uint32Array;
  /** The port that it was made to. */
  localPort: number;
  /** When the listener took it, nanoseconds on the axis. */
  endNs: number;
  /** Inode number of the listener's socket, where the probes tell it. */
  listener?: number | undefined;
  /** Indices of the interfaces of which a listener that is bound to one may take it. */
  devices?: readonly number[] | undefined;
  /** User id of its socket, which is the listener's until accept(). */
  uid?: number | undefined;
  /** Cgroup of its socket, which is the listener's. */
  cgroup?: number | undefined;
}

/** Listeners kept on one port: past ones, of which more are forgotten oldest first, and open ones. */
const PAST_MAX = 64;
const OPEN_MAX = 4_096;
/** Ports kept in all. */
const PORTS_MAX = 16_384;
/** Clocks of two CPUs and a softirq's delay between them. */
const SLACK_NS = 1_000_000;
/** Lists of the kernel's that must lack a listener: one may miss what is there. */
const MISSES = 2;

/**
 * Which sockets listen on which port, so that the server's side of a handshake gets its process: the
 * kernel completes a handshake in any task's softirq, where the running process says nothing.
 *
 * Filled from the LISTEN transitions seen live and from the kernel's own lists, which tell of those
 * that were there before. A socket is known by its inode number; which one took a connection is told
 * by function probes, else by what a connection has of its listener. Where that fits several, all are
 * found: which one it was is never guessed.
 */
export class Listeners {
  readonly #ports = new Map<number, Listener[]>();
  readonly #open = new Map<number, Listener>();
  /** Open ones that take connections to other ports, by namespace. */
  readonly #transparent = new Map<number, Set<Listener>>();
  readonly #missed = new Map<Listener, number>();
  /** What {@link find} gives. */
  readonly #found: Listener[] = [];
  readonly #onMissed: (listener: Listener) => void;

  /** @param onMissed Called for each that has ended though no record told of its end, or not yet. */
  constructor(onMissed: (listener: Listener) => void = () => {}) {
    this.#onMissed = onMissed;
  }

  /** Those that listen now, by inode number. */
  get open(): ReadonlyMap<number, Listener> {
    return this.#open;
  }

  /**
   * Takes a LISTEN transition that a script saw, in either direction.
   *
   * @returns The listener; undefined where the record does not say which socket it is.
   */
  take(record: KernelListener, listens: boolean): Listener | undefined {
    const { inode, device, netns, local: address, localPort: port, uid, cgroup, endNs } = record;
    if (inode === 0) return undefined;
    const known = this.#open.get(inode);
    if (!listens && known && endNs >= known.openedNs) {
      known.end = record;
      this.#close(known, endNs);
      return known;
    }
    const socket = { netns, address, port, inode, device, transparent: false, uid, cgroup };
    if (!listens) {
      // Lists that were made meanwhile told of its end, or must not bring it back.
      const past = this.#past(socket, -Infinity);
      if (!past || past.end) {
        return this.#insert({ ...socket, ...UNKNOWN, end: record, closedNs: endNs });
      }
      past.end = record;
      past.closedNs = endNs;
      return past;
    }
    if (known && (known.begin || known.port !== port)) this.#miss(known, endNs);
    // A list told of it before its record came, or its end did, on another processor.
    const begun = known?.closedNs === Infinity ? known : this.#unbegun(socket, endNs);
    if (begun) {
      begun.begin = record;
      begun.openedNs = endNs;
      return begun;
    }
    return this.#insert({ ...socket, ...UNKNOWN, begin: record, openedNs: endNs });
  }

  /**
   * Takes what the kernel lists in a namespace: what is new there, and that others are gone, should
   * their end have been missed.
   *
   * @param netns Inode number of the namespace. @param sockets All that listen in it.
   * @param sinceNs When the list before this one was made, -Infinity for the first.
   * @param beganNs When it began to be made. @param endedNs When it was complete.
   * @returns Whether it lacks some that will be taken for gone when the next one lacks them too.
   */
  list(
    netns: number,
    sockets: readonly ListeningSocket[],
    sinceNs: number,
    beganNs: number,
    endedNs: number,
  ): boolean {
    const listed = new Set<number>();
    for (const socket of sockets) {
      listed.add(socket.inode);
      const known = this.#open.get(socket.inode);
      if (known) this.#update(known, socket);
      else if (!this.#past(socket, beganNs)) {
        this.#insert({ ...socket, ...UNKNOWN, openedNs: sinceNs });
      }
    }
    let isMissing = false;
    for (const listener of this.#open.values()) {
      if (listener.netns !== netns) continue;
      if (listed.has(listener.inode) || listener.openedNs > beganNs) {
        this.#missed.delete(listener);
        continue;
      }
      const misses = (this.#missed.get(listener) ?? 0) + 1;
      this.#missed.set(listener, misses);
      if (misses >= MISSES) this.#miss(listener, endedNs);
      else isMissing = true;
    }
    return isMissing;
  }

  /**
   * Finds the listeners that can have taken a connection: the one whose socket is named, else those
   * that the kernel prefers by address, port and what else is known (`compute_score`,
   * net/ipv4/inet_hashtables.c), and any to which TPROXY may have given it.
   *
   * @returns None where none is known; several where it cannot be told which. One array, for one of each
   *   call would be garbage of each handshake: the next call fills it anew.
   */
  find(arrival: Arrival): readonly Listener[] {
    const found = this.#found;
    // To set the length would let go of the memory, which the first of them then allocates again.
    while (found.length > 0) found.pop();
    const { endNs } = arrival;
    if (arrival.listener !== undefined) {
      // Wherever it was made to, the socket is what counts.
      const named = this.#open.get(arrival.listener);
      if (named !== undefined && isOpen(named, endNs)) found.push(named);
      else this.#findPast(arrival, arrival.listener);
      return found;
    }
    const known = this.#ports.get(portKey(arrival.netns, arrival.localPort)) ?? NOBODY;
    let least = 1;
    for (const listener of known) {
      if (!isSure(listener, arrival) || !canTake(listener, arrival)) continue;
      least = Math.max(least, scoreOf(listener, arrival.local));
    }
    for (const listener of known) {
      if (canTake(listener, arrival) && scoreOf(listener, arrival.local) >= least) {
        found.push(listener);
      }
    }
    const transparent = this.#transparent.get(arrival.netns);
    if (found.length === 0 || transparent === undefined) return found;
    for (const listener of transparent) {
      if (canTake(listener, arrival) && !found.includes(listener)) found.push(listener);
    }
    return found;
  }

  /** Finds the socket that took a connection among those that listen no more. */
  #findPast({ netns, localPort, endNs }: Arrival, inode: number): void {
    const known = this.#ports.get(portKey(netns, localPort)) ?? NOBODY;
    const past = known.findLast((each) => each.inode === inode && isOpen(each, endNs));
    if (past) this.#found.push(past);
  }

  /** Moves what was seen where the clock of the axis was set. @param jumpNs By how much, negative: back. */
  clockSet(jumpNs: number): void {
    for (const listeners of this.#ports.values()) {
      for (const listener of listeners) {
        listener.openedNs += jumpNs;
        listener.closedNs += jumpNs;
      }
    }
  }

  #insert(listener: Listener): Listener {
    const key = portKey(listener.netns, listener.port);
    let known = this.#ports.get(key);
    if (known === undefined) {
      if (this.#ports.size >= PORTS_MAX) this.#forgetPort();
      known = [];
      this.#ports.set(key, known);
    }
    const isPast = listener.closedNs !== Infinity;
    const alike = known.filter(({ closedNs }) => closedNs !== Infinity === isPast);
    if (alike.length >= (isPast ? PAST_MAX : OPEN_MAX)) this.#forget(known, alike[0]);
    known.push(listener);
    if (isPast) return listener;
    this.#open.set(listener.inode, listener);
    if (listener.transparent) this.#addTransparent(listener);
    return listener;
  }

  #update(known: Listener, { device, transparent, uid, cgroup }: ListeningSocket): void {
    known.device = device ?? known.device;
    known.uid = uid;
    known.cgroup = cgroup ?? known.cgroup;
    known.transparent = transparent;
    if (transparent) this.#addTransparent(known);
    else this.#transparent.get(known.netns)?.delete(known);
  }

  #addTransparent(listener: Listener): void {
    const some = this.#transparent.get(listener.netns);
    if (some) some.add(listener);
    else this.#transparent.set(listener.netns, new Set([listener]));
  }

  #miss(listener: Listener, timeNs: number): void {
    this.#onMissed(listener);
    this.#close(listener, timeNs);
  }

  #close(listener: Listener, timeNs: number): void {
    listener.closedNs = timeNs;
    this.#leave(listener);
    const known = this.#ports.get(portKey(listener.netns, listener.port)) ?? [];
    const past = known.filter(({ closedNs }) => closedNs !== Infinity);
    if (past.length > PAST_MAX) this.#forget(known, past[0]);
  }

  /** No longer one of those that listen now. */
  #leave(listener: Listener): void {
    if (this.#open.get(listener.inode) === listener) this.#open.delete(listener.inode);
    this.#missed.delete(listener);
    const transparent = this.#transparent.get(listener.netns);
    if (transparent?.delete(listener) && transparent.size === 0) {
      this.#transparent.delete(listener.netns);
    }
  }

  #forget(known: Listener[], listener: Listener): void {
    known.splice(known.indexOf(listener), 1);
    this.#leave(listener);
  }

  /** Makes room for a port: one where nobody listens any more is forgotten before one in use. */
  #forgetPort(): void {
    let forgotten: number | undefined;
    for (const [key, listeners] of this.#ports) {
      forgotten ??= key;
      if (listeners.some(({ closedNs }) => closedNs === Infinity)) continue;
      forgotten = key;
      break;
    }
    if (forgotten === undefined) return;
    for (const listener of this.#ports.get(forgotten) ?? []) this.#leave(listener);
    this.#ports.delete(forgotten);
  }

  /** The first that was of a socket and ended at that time or later, of whose start nobody told. */
  #unbegun({ netns, port, inode }: ListeningSocket, sinceNs: number): Listener | undefined {
    return this.#ports.get(portKey(netns, port))?.find((listener) =>
      listener.inode === inode && listener.begin === undefined &&
      listener.closedNs !== Infinity && listener.closedNs >= sinceNs
    );
  }

  /** The last that was of a socket and ended at that time or later. */
  #past(socket: ListeningSocket, sinceNs: number): Listener | undefined {
    const known = this.#ports.get(portKey(socket.netns, socket.port)) ?? [];
    return known.findLast(({ inode, closedNs }) =>
      inode === socket.inode && closedNs !== Infinity && closedNs >= sinceNs
    );
  }
}

/** What of a listener nobody knows yet. */
const UNKNOWN = {
  begin: undefined,
  end: undefined,
  server: undefined,
  awaitedSinceMs: undefined,
  told: undefined,
  openedNs: -Infinity,
  closedNs: Infinity,
};

const NOBODY: readonly Listener[] = [];

/** A port in a network namespace as one number. */
export function portKey(netns: number, port: number): number {
  return netns * 65536 + port;
}

function isOpen({ openedNs, closedNs }: Listener, atNs: number): boolean {
  return openedNs <= atNs + SLACK_NS && closedNs >= atNs - SLACK_NS;
}

/** Whether nothing that is known of a connection speaks against a listener, but address and port. */
function canTake(listener: Listener, { endNs, devices, uid, cgroup }: Arrival): boolean {
  if (!isOpen(listener, endNs)) return false;
  if (uid !== undefined && listener.uid !== uid) return false;
  if (cgroup !== undefined && (listener.cgroup ?? cgroup) !== cgroup) return false;
  const device = listener.device ?? 0;
  return device === 0 || devices === undefined || devices.includes(device);
}

/** Whether a listener that can take a connection surely takes it before those that fit less. */
function isSure(listener: Listener, { devices }: Arrival): boolean {
  return listener.device === 0 || listener.device !== undefined && devices !== undefined;
}

/** How closely a listener fits a connection's address, as the kernel has it: 0 not at all. */
function scoreOf(listener: Listener, local: Uint32Array): number {
  const fits = fit(listener.address, local);
  if (fits === 0) return 0;
  const isBound = listener.device !== undefined && listener.device !== 0;
  // First those of the very address, then those of all; among them the device counts as the family.
  return fits === EXACT ? 10 + Number(isBound) : fits + Number(isBound);
}

const EXACT = 3;

/** How a listener's address fits a connection's: 0 not at all, 1 `::`, 2 0.0.0.0, 3 exactly. */
function fit(listening: Uint32Array, local: Uint32Array): number {
  if (sameWords(listening, local)) return EXACT;
  if (listening[0] !== 0 || listening[1] !== 0 || listening[3] !== 0) return 0;
  if (listening[2] === 0) return 1;
  const localIsIpv4 = local[0] === 0 && local[1] === 0 && local[2] === 0xffff;
  return listening[2] === 0xffff && localIsIpv4 ? 2 : 0;
}

function sameWords(a: Uint32Array, b: Uint32Array): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
}
