/**
 * Finds the processes that listen on TCP ports now, in every network namespace that a process lives
 * in, from /proc (proc(5)).
 *
 * @module
 */
import type { Listener } from "../kernel/listeners.ts";
import { ProcFolder } from "./proc_folder.ts";
import { Slices } from "./slices.ts";

/** A listening socket as /proc/PID/net/tcp shows it. */
interface ListeningSocket {
  netns: number;
  address: Uint32Array;
  port: number;
}

/** State LISTEN in /proc/net/tcp (include/net/tcp_states.h). */
const LISTEN = "0A";
// Fields of a line of /proc/net/tcp, separated by blanks.
const LOCAL_ADDRESS = 1;
const STATE = 3;
const INODE = 9;
/** A line of another state. */
const CONNECTION = /^ *\d+: \S+ \S+ (?!0A)/;
/** An IPv4 or IPv6 address and a port. */
const SOCKET_ADDRESS = /^(?:[0-9A-F]{8}|[0-9A-F]{32}):[0-9A-F]{4}$/;
/** Field 22 of /proc/PID/stat, counted after the command name in parentheses. */
const START_TIME_AFTER_COMM = 19;
/** Read at once of /proc/net/tcp: some hundred sockets. */
const PART_BYTES = 16_384;

/**
 * Reads /proc once. A socket that several processes hold (a server's forked workers) belongs to the
 * oldest of them: it made the socket and the others inherited it. So it looks at the oldest first, and
 * no longer than until each socket has its process.
 *
 * Takes 4 to 5 µs a descriptor that it looks at, and lets the event loop have its turn every few
 * milliseconds. Processes and sockets come and go while it reads; what is gone is left out.
 */
export async function findListeners(): Promise<Listener[]> {
  const slices = new Slices();
  const pids = await listProcesses(slices);
  const sockets = new Map<string, ListeningSocket>();
  const seen = new Set<number>();
  for (const pid of pids) {
    await slices.rest();
    const netns = inodeOf(readLink(`/proc/${pid}/ns/net`));
    if (netns === undefined || seen.has(netns)) continue;
    seen.add(netns);
    for (const table of ["tcp", "tcp6"]) {
      for (const text of readListening(`/proc/${pid}/net/${table}`)) {
        for (const [inode, socket] of parseListening(text, netns)) sockets.set(inode, socket);
        await slices.rest();
      }
    }
  }
  const holders = new Map<string, number>();
  for (const pid of pids) {
    if (holders.size === sockets.size) break;
    using descriptors = new ProcFolder(`/proc/${pid}/fd`);
    for (let names = descriptors.next(); names.length > 0; names = descriptors.next()) {
      for (const name of names) {
        const inode = /^socket:\[(\d+)\]$/.exec(descriptors.readLink(name))?.[1];
        if (inode === undefined || !sockets.has(inode)) continue;
        if (!holders.has(inode)) holders.set(inode, pid);
      }
      await slices.rest();
    }
  }
  const listeners: Listener[] = [];
  for (const [inode, pid] of holders) {
    listeners.push({
      ...sockets.get(inode)!,
      pid,
      comm: readText(`/proc/${pid}/comm`).replace(/\n$/, ""),
      openedNs: -Infinity,
      closedNs: Infinity,
    });
    await slices.rest();
  }
  return listeners;
}

/** @returns The ids of all processes, the oldest first. */
async function listProcesses(slices: Slices): Promise<number[]> {
  const processes: { pid: number; startTicks: number }[] = [];
  using folder = new ProcFolder("/proc");
  for (let names = folder.next(); names.length > 0; names = folder.next()) {
    for (const name of names) {
      if (!/^\d+$/.test(name)) continue;
      const startTicks = startTimeOf(readText(`/proc/${name}/stat`));
      processes.push({ pid: Number(name), startTicks });
    }
    await slices.rest();
  }
  return processes.sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid)
    .map(({ pid }) => pid);
}

/**
 * Reads /proc/PID/net/tcp or tcp6 as far as it lists listening sockets, which come first: behind them
 * a million connections may follow.
 *
 * @returns Parts of whole lines, each with a line before them that is none of a socket.
 */
function* readListening(path: string): Generator<string> {
  using file = orGone(() => Deno.openSync(path), undefined);
  if (file === undefined) return;
  const bytes = new Uint8Array(PART_BYTES);
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const length = orGone(() => file.readSync(bytes), null);
    if (length === null) return;
    text += decoder.decode(bytes.subarray(0, length));
    const end = text.lastIndexOf("\n");
    yield text.slice(0, end);
    if (CONNECTION.test(text.slice(text.lastIndexOf("\n", end - 1) + 1, end))) return;
    text = text.slice(end);
  }
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

/** What a read gives, or a stand-in where the process or file is gone or not ours to see. */
function orGone<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
