/**
 * What tcpdump prints of handshakes. tshark, which the other tests ask, takes too long to start in
 * an emulated machine.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import type { Namespace } from "../../netns/namespace.ts";

/** `1790000000.123456789 IP 10.0.0.1.40000 > 10.0.0.2.80: Flags [S.], seq 7, …`; ECN adds E and W. */
const LINE =
  /^(\d+)\.(\d{9}) .*IP6? (\S+)\.(\d+) > (\S+)\.(\d+): Flags \[([A-Z.]+)\],(?: seq (\d+))?/;

/** The first of each packet of a handshake; times in nanoseconds of Unix time. */
export interface HandshakeSeen {
  clientIsn?: number;
  serverIsn?: number;
  synNs?: bigint;
  synAckNs?: bigint;
  ackNs?: bigint;
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
  /** What was captured so far, by {@linkcode connectionKey}. */
  readonly handshakes: Map<string, HandshakeSeen> = new Map();

  private constructor() {}

  /** Starts tcpdump on an interface of a namespace, or `any`, and waits until it captures. */
  static async start(namespace: Namespace, interfaceName: string): Promise<PacketLog> {
    const log = new PacketLog();
    const child = namespace.spawn(
      [
        ...["tcpdump", "-i", interfaceName, "-nn", "-S", "-l", "--immediate-mode", "-Z", "root"],
        ...["-tt", "--time-stamp-precision=nano"],
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

  /** How many handshakes show all three packets. */
  get complete(): number {
    return [...this.handshakes.values()].filter(({ synNs, ackNs }) => synNs && ackNs).length;
  }

  #take(line: string): void {
    const match = LINE.exec(line);
    if (match === null) return;
    const [, seconds, nanoseconds, from, fromPort, to, toPort, flags, sequence] = match;
    const timeNs = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
    const source = { address: from, port: fromPort };
    const destination = { address: to, port: toPort };
    const isSyn = flags.includes("S");
    if (isSyn && flags.includes(".")) {
      const seen = this.#seen(connectionKey(destination, source));
      seen.serverIsn ??= Number(sequence);
      seen.synAckNs ??= timeNs;
    } else if (isSyn) {
      const seen = this.#seen(connectionKey(source, destination));
      seen.clientIsn ??= Number(sequence);
      seen.synNs ??= timeNs;
    } else {
      const seen = this.handshakes.get(connectionKey(source, destination));
      if (seen?.synAckNs !== undefined) seen.ackNs ??= timeNs;
    }
  }

  #seen(key: string): HandshakeSeen {
    const known = this.handshakes.get(key);
    if (known !== undefined) return known;
    const seen: HandshakeSeen = {};
    this.handshakes.set(key, seen);
    return seen;
  }
}

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
): Promise<void> {
  const lines = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) onLine(line);
}
