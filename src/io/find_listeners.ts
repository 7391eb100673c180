/**
 * Finds the processes that listen on TCP ports now, in every network namespace that a process lives
 * in, from /proc (proc(5)).
 *
 * @module
 */
import type { Listener } from "../kernel/listeners.ts";

/** A listening socket as /proc/PID/net/tcp shows it. */
interface ListeningSocket {
  netns: number;
  address: Uint32Array;
  port: number;
}

interface Holder {
  pid: number;
  startTicks: number;
}

/** State LISTEN in /proc/net/tcp (include/net/tcp_states.h). */
const LISTEN = "0A";
// Fields of a line of /proc/net/tcp, separated by blanks.
const LOCAL_ADDRESS = 1;
const STATE = 3;
const INODE = 9;
/** An IPv4 or IPv6 address and a port. */
const SOCKET_ADDRESS = /^(?:[0-9A-F]{8}|[0-9A-F]{32}):[0-9A-F]{4}$/;
/** Field 22 of /proc/PID/stat, counted after the command name in parentheses. */
const START_TIME_AFTER_COMM = 19;
/** Processes looked at before the event loop gets its turn. */
const YIELD_EVERY = 64;

/**
 * Reads /proc once. A socket that several processes hold (a server's forked workers) belongs to the
 * oldest of them: it made the socket and the others inherited it.
 *
 * Processes and sockets come and go while it reads; what is gone is left out.
 */
export async function findListeners(): Promise<Listener[]> {
  const pids = [...readDir("/proc")].filter((name) => /^\d+$/.test(name)).map(Number);
  const sockets = new Map<string, ListeningSocket>();
  const seen = new Set<number>();
  for (const pid of pids) {
    const netns = inodeOf(readLink(`/proc/${pid}/ns/net`));
    if (netns === undefined || seen.has(netns)) continue;
    seen.add(netns);
    for (const table of ["tcp", "tcp6"]) {
      for (const [inode, socket] of parseListening(readText(`/proc/${pid}/net/${table}`), netns)) {
        sockets.set(inode, socket);
      }
    }
  }
  const holders = new Map<string, Holder>();
  let looked = 0;
  for (const pid of pids) {
    if (++looked % YIELD_EVERY === 0) await new Promise((resolve) => setTimeout(resolve));
    for (const fd of readDir(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(readLink(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode === undefined || !sockets.has(inode)) continue;
      const startTicks = startTimeOf(readText(`/proc/${pid}/stat`));
      const known = holders.get(inode);
      if (!known || startTicks < known.startTicks) holders.set(inode, { pid, startTicks });
    }
  }
  return [...holders].map(([inode, { pid }]) => ({
    ...sockets.get(inode)!,
    pid,
    comm: readText(`/proc/${pid}/comm`).replace(/\n$/, ""),
    openedNs: -Infinity,
    closedNs: Infinity,
  }));
}

/**
 * Reads the listening sockets out of the text of /proc/net/tcp or /proc/net/tcp6.
 *
 * @param text The file's text. @param netns Inode number of its network namespace.
 * @returns Sockets by their inode number; lines that are not understood are left out.
 */
export function parseListening(text: string, netns: number): Map<string, ListeningSocket> {
  const sockets = new Map<string, ListeningSocket>();
  for (const line of text.split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    if (fields[STATE] !== LISTEN || fields[INODE] === undefined) continue;
    if (!SOCKET_ADDRESS.test(fields[LOCAL_ADDRESS])) continue;
    const [address, port] = fields[LOCAL_ADDRESS].split(":");
    // Each word is printed as the number that its bytes are on this little-endian machine.
    const words = (address.match(/.{8}/g) ?? []).map((word) => swapBytes(parseInt(word, 16)));
    sockets.set(fields[INODE], {
      netns,
      address: Uint32Array.from(words.length === 1 ? [0, 0, 0xffff, words[0]] : words),
      port: parseInt(port, 16),
    });
  }
  return sockets;
}

/** Field 22 of /proc/PID/stat; the command name before it may hold blanks and parentheses. */
function startTimeOf(stat: string): number {
  const rest = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(rest[START_TIME_AFTER_COMM] ?? Infinity);
}

function swapBytes(word: number): number {
  return (word << 24 | (word & 0xff00) << 8 | word >>> 8 & 0xff00 | word >>> 24) >>> 0;
}

function inodeOf(link: string): number | undefined {
  const inode = /\[(\d+)\]$/.exec(link)?.[1];
  return inode === undefined ? undefined : Number(inode);
}

function readText(path: string): string {
  return orGone(() => Deno.readTextFileSync(path), "");
}

function readLink(path: string): string {
  return orGone(() => Deno.readLinkSync(path), "");
}

function readDir(path: string): string[] {
  return orGone(() => [...Deno.readDirSync(path)].map((entry) => entry.name), []);
}

/** What a read gives, or a stand-in where the process or file is gone or not ours to see. */
function orGone<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
