/**
 * The tools that are compared: how each is started, how its output says that it is attached, and what
 * a line of it says of a handshake.
 *
 * @module
 */
import type { HandshakeRecord } from "../../../src/record/record.ts";

/** What a tool said of one handshake. */
export interface Sighting {
  /** The end whose process it names. */
  readonly end: "client" | "server";
  readonly serverPort: number;
  /** The process it names, undefined where it names none. */
  readonly pid: number | undefined;
  readonly comm: string | undefined;
  /** The latency it gives, as it is written there. */
  readonly latency?: string;
  /** The numbers it gives. */
  readonly record?: HandshakeRecord;
}

/** How a tool is started. */
export interface Tool {
  readonly name: string;
  readonly command: readonly string[];
  /** What it says when it is attached, on either output. */
  readonly ready: RegExp;
}

/** A tool to compare. */
export interface ComparedTool extends Tool {
  /** Reads a line of its output; undefined for one that tells of no handshake. */
  read(line: string): Sighting | undefined;
}

/** Where the programs are. */
export interface ToolPaths {
  /** The folder of libbpf-tools. */
  readonly libbpfTools: string;
  /** The folder of the scripts that come with bpftrace. */
  readonly scripts: string;
  /** What runs a program with the libraries of its release. */
  readonly loader: readonly string[];
  /** What runs synsnoop, up to its own arguments. */
  readonly synsnoop: readonly string[];
}

/** Reads a line by the columns' names of one like it. */
function columns(names: string): (line: string) => Record<string, string> | undefined {
  const keys = names.split(" ");
  return (line) => {
    const words = line.trim().split(/\s+/);
    if (words.length !== keys.length) return undefined;
    return Object.fromEntries(keys.map((key, index) => [key, words[index]]));
  };
}

function table(
  names: string,
  end: Sighting["end"],
  only: (row: Record<string, string>) => boolean = () => true,
): ComparedTool["read"] {
  const split = columns(names);
  return (line) => {
    const row = split(line);
    // A heading has no number where the port is.
    if (row === undefined || !/^\d+$/.test(row.serverPort) || !only(row)) return undefined;
    const { comm, latency } = row;
    return { end, serverPort: Number(row.serverPort), pid: Number(row.pid), comm, latency };
  };
}

/**
 * All that are compared, in the order in which they are started: those that are idle while they wait
 * first.
 *
 * @param paths Where they are. @param ports The servers' ports: tcplife tells of both ends alike.
 */
export function comparedTools(paths: ToolPaths, ports: readonly number[]): ComparedTool[] {
  const tool = (name: string) => ["stdbuf", "-oL", ...paths.loader, `${paths.libbpfTools}/${name}`];
  const script = (name: string) => ["bpftrace", "-B", "line", `${paths.scripts}/${name}`];
  return [
    {
      name: "tcpconnlat",
      command: [...tool("tcpconnlat"), "--lport"],
      ready: /^PID\b/,
      read: table("pid comm ip source clientPort destination serverPort latency", "client"),
    },
    {
      name: "tcptracer",
      command: tool("tcptracer"),
      ready: /^T\b/,
      read: table(
        "type pid comm ip source destination clientPort serverPort",
        "client",
        ({ type }) => type === "C",
      ),
    },
    {
      name: "tcplife",
      command: tool("tcplife"),
      ready: /^PID\b/,
      read: table(
        "pid comm local clientPort remote serverPort sent received latency",
        "client",
        ({ serverPort }) => ports.includes(Number(serverPort)),
      ),
    },
    {
      name: "tcpconnect.bt",
      command: script("tcpconnect.bt"),
      ready: /^TIME\b/,
      read: table("time pid comm source clientPort destination serverPort", "client"),
    },
    {
      name: "tcpaccept.bt",
      command: script("tcpaccept.bt"),
      ready: /^TIME\b/,
      read: table("time pid comm remote clientPort local serverPort backlog", "server"),
    },
    {
      name: "synsnoop",
      command: [...paths.synsnoop, "trace", "--port", ports.join(",")],
      ready: /kernel events come from/,
      read: readRecord,
    },
  ];
}

function readRecord(line: string): Sighting | undefined {
  if (!line.startsWith("{")) return undefined;
  const record = JSON.parse(line) as HandshakeRecord;
  if (record.event !== "handshake") return undefined;
  const { pid, comm } = record.client.process ?? {};
  const latency = record.rtt.client_ns?.toString();
  return { end: "client", serverPort: record.server.port, pid, comm, latency, record };
}
