/**
 * What tcpdump prints of the packets that carry initial sequence numbers. tshark, which the other
 * tests ask, takes too long to start in an emulated machine.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import type { Namespace } from "../../netns/namespace.ts";

/** `IP 10.0.0.1.40000 > 10.0.0.2.80: Flags [S.], seq 7, …`; ECN adds E and W. */
const SYN_LINE = /IP6? (\S+)\.(\d+) > (\S+)\.(\d+): Flags \[S(\.?)[EW]*\], seq (\d+)/;

/** The initial sequence numbers of handshakes, by {@linkcode connectionKey}. */
export interface IsnsSeen {
  client?: number;
  server?: number;
}

/** A connection attempt by its ends. */
export function connectionKey(
  client: { address: string; port: number | string },
  server: { address: string; port: number | string },
): string {
  return `${client.address} ${client.port} > ${server.address} ${server.port}`;
}

/** A running tcpdump. It ends with its namespace. */
export class PacketLog {
  /** What was captured so far. */
  readonly isns: Map<string, IsnsSeen> = new Map();

  private constructor() {}

  /** Starts tcpdump on an interface of a namespace and waits until it captures. */
  static async start(namespace: Namespace, interfaceName: string): Promise<PacketLog> {
    const log = new PacketLog();
    const child = namespace.spawn(
      [
        ...["tcpdump", "-i", interfaceName, "-nn", "-S", "-l", "--immediate-mode", "-Z", "root"],
        // Without these its ring has room for a few packets, and the processor is slow.
        ...["-s", "128", "-B", "8192", "tcp"],
      ],
      { stdout: "piped", stderr: "piped" },
    );
    const started = Promise.withResolvers<void>();
    readLines(child.stderr, (line) => line.includes("listening on") && started.resolve());
    readLines(child.stdout, (line) => log.#take(line));
    child.status.then(() => started.reject(new Error("Cannot go on: tcpdump ended")));
    await started.promise;
    return log;
  }

  /** How many handshakes show both numbers. */
  get complete(): number {
    return [...this.isns.values()].filter(({ client, server }) => client && server).length;
  }

  #take(line: string): void {
    const match = SYN_LINE.exec(line);
    if (match === null) return;
    const [, from, fromPort, to, toPort, isAnswer, sequence] = match;
    const source = { address: from, port: fromPort };
    const destination = { address: to, port: toPort };
    const key = isAnswer ? connectionKey(destination, source) : connectionKey(source, destination);
    const seen = this.isns.get(key) ?? {};
    seen[isAnswer ? "server" : "client"] = Number(sequence);
    this.isns.set(key, seen);
  }
}

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
): Promise<void> {
  const lines = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) onLine(line);
}
