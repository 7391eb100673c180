import type { KernelHalf, KernelListener, Process } from "./kernel_record.ts";

/** A process that listens on a port. */
export interface Listener {
  /** Inode number of the network namespace. */
  netns: number;
  /** The address listened on as four words; `::` and 0.0.0.0 stand for all. */
  address: Uint32Array;
  /** The port listened on. */
  port: number;
  /** Process id. */
  pid: number;
  /** Command name: untrusted text. */
  comm: string;
  /** Address of the socket structure; undefined for listeners that predate the tool. */
  socket?: bigint;
  /** When it began to listen, nanoseconds on the axis. */
  openedNs: number;
  /** When it ended to listen, nanoseconds on the axis; Infinity while it listens. */
  closedNs: number;
}

/** Listeners kept for one port, past ones included: more are forgotten oldest first. */
const PER_PORT_MAX = 64;
/** Ports kept in all. */
const PORTS_MAX = 16_384;
/** Clocks of two CPUs and a softirq's delay between them. */
const SLACK_NS = 1_000_000;

/**
 * Who listens on which port, so that the server side of a handshake gets its process: the kernel
 * completes a handshake in any task's softirq, where the running process says nothing.
 *
 * Filled from the LISTEN transitions seen live and from one look at the listeners that were there
 * before. A port that several processes listen on (SO_REUSEPORT) gives none where the record does not
 * name the listener's socket: never guessed.
 */
export class Listeners {
  readonly #ports = new Map<number, Listener[]>();

  /**
   * Takes a listener found by looking, one that was there before the script: unless its begin was
   * seen, for looking takes a while and begins after the script does.
   */
  add(listener: Listener): void {
    const isKnown = this.#ports.get(portKey(listener.netns, listener.port))?.some((known) =>
      known.closedNs === Infinity && known.pid === listener.pid &&
      sameWords(known.address, listener.address)
    );
    if (!isKnown) this.#insert(listener);
  }

  #insert(listener: Listener): void {
    const key = portKey(listener.netns, listener.port);
    let known = this.#ports.get(key);
    if (known === undefined) {
      if (this.#ports.size >= PORTS_MAX) {
        const oldest = this.#ports.keys().next();
        if (!oldest.done) this.#ports.delete(oldest.value);
      }
      known = [];
      this.#ports.set(key, known);
    }
    if (known.length >= PER_PORT_MAX) known.shift();
    known.push(listener);
  }

  /** Takes a LISTEN transition that a script saw, in either direction. */
  take(record: KernelListener, listens: boolean): void {
    if (listens) {
      this.#insert({
        netns: record.netns,
        address: record.local,
        port: record.localPort,
        pid: record.pid,
        comm: record.comm,
        socket: record.socket,
        openedNs: record.endNs,
        closedNs: Infinity,
      });
      return;
    }
    const open = (this.#ports.get(portKey(record.netns, record.localPort)) ?? [])
      .filter((listener) => listener.closedNs === Infinity);
    const older = open.filter((listener) =>
      listener.socket === undefined && sameWords(listener.address, record.local)
    );
    // Which of several older listeners it was, only the process can tell that closes it.
    const closed = open.find((listener) => listener.socket === record.socket) ??
      older.find((listener) => listener.pid === record.pid) ??
      (older.length === 1 ? older[0] : undefined);
    if (closed) closed.closedNs = record.endNs;
  }

  /**
   * Forgets who listens from a moment on, but not who did before.
   *
   * @param atNs The moment, nanoseconds on the axis.
   */
  closeAll(atNs: number): void {
    for (const listeners of this.#ports.values()) {
      for (const listener of listeners) listener.closedNs = Math.min(listener.closedNs, atNs);
    }
  }

  /**
   * Finds the process that listened when a server side was established: by the listener's socket
   * where the record names it, else by address and port.
   *
   * @param record A server side.
   * @returns Its process with the socket's own uid and cgroup; undefined where none or several fit.
   */
  find(record: KernelHalf): Process | undefined {
    const listeners = this.#ports.get(portKey(record.netns, record.localPort));
    if (listeners === undefined) return undefined;
    let found: Listener | undefined;
    let foundRank = 0;
    let several = false;
    for (const listener of listeners) {
      if (listener.openedNs > record.endNs + SLACK_NS) continue;
      if (listener.closedNs < record.endNs - SLACK_NS) continue;
      const rank = fitSocket(listener.socket, record.listenerSocket) ??
        fit(listener.address, record.local);
      if (rank === 0 || rank < foundRank) continue;
      several = rank === foundRank && (several || found?.pid !== listener.pid);
      found = listener;
      foundRank = rank;
    }
    if (found === undefined || several) return undefined;
    return { pid: found.pid, comm: found.comm, uid: record.uid, cgroup: record.cgroup };
  }
}

function portKey(netns: number, port: number): number {
  return netns * 65536 + port;
}

function sameWords(a: Uint32Array, b: Uint32Array): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
}

/** 4 for the listener that took the SYN, 0 for any other; undefined where one is not known. */
function fitSocket(listening: bigint | undefined, took: bigint | undefined): number | undefined {
  if (listening === undefined || took === undefined) return undefined;
  return listening === took ? 4 : 0;
}

/**
 * How closely a listener's address fits a connection's: 0 not at all, 1 `::`, 2 0.0.0.0, 3 exact.
 * The kernel prefers them in the same order (compute_score, net/ipv4/inet_hashtables.c).
 */
function fit(listening: Uint32Array, local: Uint32Array): number {
  if (sameWords(listening, local)) return 3;
  if (listening[0] !== 0 || listening[1] !== 0 || listening[3] !== 0) return 0;
  if (listening[2] === 0) return 1;
  const localIsIpv4 = local[0] === 0 && local[1] === 0 && local[2] === 0xffff;
  return listening[2] === 0xffff && localIsIpv4 ? 2 : 0;
}
