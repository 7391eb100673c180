/**
 * What tcpdump captured and tshark reads in it: the numbers and times that a record is held against.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { type Namespace, until } from "./namespace.ts";

/** One handshake as tshark has it; times in nanoseconds of Unix time. */
export interface OracleHandshake {
  clientIsn: number;
  serverIsn: number | undefined;
  synNs: bigint;
  synAckNs: bigint | undefined;
  ackNs: bigint | undefined;
}

/** A running tcpdump that writes nanosecond pcap. */
export class Oracle implements AsyncDisposable {
  /** The capture file that it writes. */
  readonly file: string;
  readonly #child: Deno.ChildProcess;
  #stopped = false;

  private constructor(file: string, child: Deno.ChildProcess) {
    this.file = file;
    this.#child = child;
  }

  /** Starts tcpdump on an interface of a namespace, or on "any", and waits until it captures. */
  static async start(namespace: Namespace, interfaceName: string): Promise<Oracle> {
    const file = await Deno.makeTempFile({ prefix: "synsnoop-oracle-", suffix: ".pcap" });
    const child = namespace.spawn(
      [
        ...["tcpdump", "-i", interfaceName, "-w", file, "-U", "-s", "128", "-B", "65536"],
        ...["-Z", "root", "--immediate-mode", "--time-stamp-precision=nano", "tcp"],
      ],
      { stdout: "null", stderr: "piped" },
    );
    const lines = child.stderr.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    const reader = lines.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new Error("Cannot start tcpdump: it ended before it captured");
      if (value.includes("listening on")) break;
    }
    reader.releaseLock();
    // What else it says must be read, or it blocks.
    (async () => {
      for await (const _line of lines);
    })();
    return new Oracle(file, child);
  }

  /**
   * Waits until tcpdump has written so many handshakes of three packets, for it says nothing when it
   * has read what the kernel holds for it.
   *
   * @returns They, by {@linkcode handshakeKey}.
   */
  async handshakes(count: number): Promise<Map<string, OracleHandshake>> {
    let handshakes = new Map<string, OracleHandshake>();
    await until(`${count} handshakes captured by tcpdump`, async () => {
      handshakes = await readHandshakes(this.file);
      return [...handshakes.values()].filter(({ ackNs }) => ackNs !== undefined).length >= count;
    });
    return handshakes;
  }

  /** What it prints of the packets so far that a filter of its own lets pass, a line each. */
  async lines(filter: string): Promise<string[]> {
    const args = ["-nr", this.file, filter];
    const { stdout } = await new Deno.Command("tcpdump", { args, stderr: "null" }).output();
    return new TextDecoder().decode(stdout).trimEnd().split("\n");
  }

  async #stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#child.kill("SIGINT");
    await this.#child.status;
  }

  /** Stops tcpdump and removes its file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    await Deno.remove(this.file);
  }
}

/** The handshakes that tshark reads in a capture file, by {@linkcode handshakeKey}. */
export async function readHandshakes(file: string): Promise<Map<string, OracleHandshake>> {
  const fields = [
    ...["frame.time_epoch", "ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst"],
    ...["tcp.dstport", "tcp.flags", "tcp.seq_raw", "tcp.ack_raw"],
  ].flatMap((field) => ["-e", field]);
  const { stdout } = await new Deno.Command("tshark", {
    args: ["-r", file, "-T", "fields", "-E", "separator=,", ...fields],
    stdin: "null",
    stderr: "null",
  }).output();
  const handshakes = new Map<string, OracleHandshake>();
  for (const line of new TextDecoder().decode(stdout).trim().split("\n")) {
    if (line !== "") takePacket(handshakes, line.split(","));
  }
  return handshakes;
}

const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;

function takePacket(handshakes: Map<string, OracleHandshake>, fields: string[]): void {
  const [time, source4, source6, sourcePort, destination4, destination6, destinationPort] = fields;
  const flags = Number(fields[7]);
  const sequence = Number(fields[8]);
  const timeNs = nanoseconds(time);
  const isSyn = (flags & SYN) !== 0;
  const isAck = (flags & ACK) !== 0;
  if (isSyn && !isAck) {
    handshakes.set(handshakeKey(source4 || source6, sourcePort, destinationPort, sequence), {
      clientIsn: sequence,
      serverIsn: undefined,
      synNs: timeNs,
      synAckNs: undefined,
      ackNs: undefined,
    });
  } else if (isSyn) {
    const isn = (Number(fields[9]) - 1) >>> 0;
    const key = handshakeKey(destination4 || destination6, destinationPort, sourcePort, isn);
    const handshake = handshakes.get(key);
    if (!handshake) return;
    handshake.serverIsn = sequence;
    handshake.synAckNs = timeNs;
  } else if (isAck && (flags & RST) === 0) {
    const isn = (sequence - 1) >>> 0;
    const key = handshakeKey(source4 || source6, sourcePort, destinationPort, isn);
    const handshake = handshakes.get(key);
    if (handshake) handshake.ackNs ??= timeNs;
  }
}

/** Ports are reused; the client's initial sequence number tells attempts apart. */
export function handshakeKey(
  clientAddress: string,
  clientPort: number | string,
  serverPort: number | string,
  clientIsn: number,
): string {
  return `${clientAddress}:${clientPort}>${serverPort} ${clientIsn}`;
}

/** `1700000000.123456789` as nanoseconds, exactly. */
function nanoseconds(time: string): bigint {
  const [seconds, fraction = ""] = time.split(".");
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0").slice(0, 9));
}

/** `2026-11-23T01:02:03.123456789Z` as nanoseconds of Unix time, exactly. */
export function recordTimeNs(time: string): bigint {
  const [whole, fraction] = time.slice(0, -1).split(".");
  return BigInt(Date.parse(`${whole}Z`)) * 1_000_000n + BigInt(fraction);
}
