/**
 * Finds which TCP sockets listen now, in every network namespace that a process lives in.
 *
 * @module
 */
import type { ListeningSocket } from "../../kernel/listeners.ts";
import { SystemCallError } from "../libc.ts";
import { NetworkNamespace } from "../netns/network_namespace.ts";
import { ProcFolder } from "./proc_folder.ts";
import type { Slices } from "../slices.ts";
import { listListening } from "./socket_diag.ts";

/** State LISTEN in /proc/net/tcp (include/net/tcp_states.h). */
const LISTEN = "0A";
// Fields of a line of /proc/net/tcp, separated by blanks.
const LOCAL_ADDRESS = 1;
const STATE = 3;
const UID = 7;
const INODE = 9;
/** A line of another state. */
const CONNECTION = /^ *\d+: \S+ \S+ (?!0A)/;
/** An IPv4 or IPv6 address and a port. */
const SOCKET_ADDRESS = /^(?:[0-9A-F]{8}|[0-9A-F]{32}):[0-9A-F]{4}$/;
/** Read at once of /proc/net/tcp: some hundred sockets. */
const PART_BYTES = 16_384;

/**
 * Finds every network namespace that a process lives in, with the oldest such process.
 *
 * @returns Process ids by the inode numbers of namespaces. What is gone meanwhile is left out.
 */
export async function namespacesOfProcesses(slices: Slices): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  using folder = new ProcFolder("/proc");
  for (let pids = folder.nextNumbers(); pids !== undefined; pids = folder.nextNumbers()) {
    for (const pid of pids) {
      await slices.rest();
      const netns = inodeOf(readLink(`/proc/${pid}/ns/net`));
      if (netns !== undefined && !found.has(netns)) found.set(netns, pid);
    }
  }
  return found;
}

/**
 * Lists the sockets that listen in a network namespace, some at a time, so that the caller may rest
 * between them: by netlink, or from /proc where this process may not enter the namespace or the kernel
 * has no such netlink. One that begins or ends to listen meanwhile may be missed.
 *
 * @param netns Inode number of the namespace. @param pid A process in it.
 * @returns Undefined where that process is gone or lives in another namespace.
 */
export function listenersIn(
  netns: number,
  pid: number,
): Generator<ListeningSocket[]> | undefined {
  const path = `/proc/${pid}/ns/net`;
  if (inodeOf(readLink(path)) !== netns) return undefined;
  return fromNetlink(netns, pid, path);
}

function* fromNetlink(netns: number, pid: number, path: string): Generator<ListeningSocket[]> {
  try {
    using namespace = NetworkNamespace.open(path);
    if (namespace.inode === netns) yield* listListening(namespace);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    for (const table of ["tcp", "tcp6"]) {
      for (const text of readListening(`/proc/${pid}/net/${table}`)) {
        yield parseListening(text, netns);
      }
    }
  }
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
 * @returns The sockets; lines that are not understood are left out.
 */
export function parseListening(text: string, netns: number): ListeningSocket[] {
  const sockets: ListeningSocket[] = [];
  for (const line of text.split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    if (fields[STATE] !== LISTEN || !/^[1-9][0-9]*$/.test(fields[INODE] ?? "")) continue;
    if (!SOCKET_ADDRESS.test(fields[LOCAL_ADDRESS]) || !/^[0-9]+$/.test(fields[UID])) continue;
    const [address, port] = fields[LOCAL_ADDRESS].split(":");
    // Each word is printed as the number that its bytes are on this little-endian machine.
    const words = (address.match(/.{8}/g) ?? []).map((word) => swapBytes(parseInt(word, 16)));
    sockets.push({
      netns,
      address: Uint32Array.from(words.length === 1 ? [0, 0, 0xffff, words[0]] : words),
      port: parseInt(port, 16),
      inode: Number(fields[INODE]),
      device: undefined,
      transparent: false,
      uid: Number(fields[UID]),
      cgroup: undefined,
    });
  }
  return sockets;
}

function swapBytes(word: number): number {
  return (word << 24 | (word & 0xff00) << 8 | word >>> 8 & 0xff00 | word >>> 24) >>> 0;
}

function inodeOf(link: string): number | undefined {
  const inode = /\[(\d+)\]$/.exec(link)?.[1];
  return inode === undefined ? undefined : Number(inode);
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
