/**
 * How fast `read` is against tcpdump's SYN and RST filter on the same file, and against tshark and
 * tcptrace where they are installed; how much memory it takes, beside the runtime alone, and whether
 * that grows with the file.
 *
 * Makes the captures itself and removes them. Each round runs every program once, in turn, and is
 * compared with its own run of tcpdump, so that a machine whose speed drifts still gives a ratio. Whole
 * processes are measured, with their start.
 *
 * @module
 */
import { findExecutable } from "../../src/linux/host.ts";
import { buildEthernet, buildIpv4, buildTcp, linuxSynOptions } from "../unit/wire/build_frame.ts";

const WRITE_LENGTH = 4 << 20;
/** `sysconf(_SC_CLK_TCK)`: what /proc counts processor time in. */
const TICKS_PER_SECOND = 100;
const SAMPLE_MS = 5;

const SYN = 0x02;
const ACK = 0x10;

/** A kind of traffic. */
export interface Traffic {
  name: string;
  /** Bytes of data in a packet, and such packets in a connection. */
  dataLength: number;
  dataPackets: number;
  /** How many times as long as the others the file is; then no slow program reads it. */
  times?: number;
}

/** What is read. */
export const TRAFFIC: readonly Traffic[] = [
  { name: "bulk, full packets", dataLength: 1_448, dataPackets: 997 },
  { name: "bulk, small packets", dataLength: 94, dataPackets: 997 },
  { name: "short connections", dataLength: 94, dataPackets: 7 },
  { name: "bulk, full packets, 1 GB", dataLength: 1_448, dataPackets: 997, times: 10 / 3 },
];

/**
 * Writes a capture of connections, one after another, 10 µs between packets.
 *
 * @param length Bytes, or a little more. @returns Packets.
 */
export function writeCapture(path: string, traffic: Traffic, length: number): number {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  const buffer = new Uint8Array(WRITE_LENGTH + 65_536);
  const view = new DataView(buffer.buffer);
  view.setUint32(0, 0xa1b2c3d4, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, 262_144, true);
  view.setUint32(20, 1, true);
  let at = 24;
  let written = 0;
  let packets = 0;
  const frames = framesOf(traffic);
  for (let connection = 0; written + at < length; connection++) {
    for (const { bytes, fromClient } of frames) {
      const timeUs = packets++ * 10;
      view.setUint32(at, 1_600_000_000 + Math.floor(timeUs / 1e6), true);
      view.setUint32(at + 4, timeUs % 1e6, true);
      view.setUint32(at + 8, bytes.length, true);
      view.setUint32(at + 12, bytes.length, true);
      at += 16;
      buffer.set(bytes, at);
      // Another client each: the last two bytes of its address, and its port.
      view.setUint16(at + 14 + (fromClient ? 14 : 18), connection >>> 15);
      view.setUint16(at + 34 + (fromClient ? 0 : 2), 1_024 + (connection & 0x7fff));
      at += bytes.length;
      if (at < WRITE_LENGTH) continue;
      written += at;
      writeAll(file, buffer.subarray(0, at));
      at = 0;
    }
  }
  writeAll(file, buffer.subarray(0, at));
  return packets;
}

function framesOf({ dataLength, dataPackets }: Traffic) {
  const client = "10.0.0.0";
  const server = "198.51.100.2";
  const frame = (fromClient: boolean, flags: number, sequence: number, data: number) => ({
    fromClient,
    bytes: buildEthernet({
      payload: buildIpv4({
        source: fromClient ? client : server,
        destination: fromClient ? server : client,
        payload: buildTcp({
          sourcePort: fromClient ? 0 : 443,
          destinationPort: fromClient ? 443 : 0,
          sequence,
          acknowledgment: (flags & ACK) === 0 ? 0 : fromClient ? 2_001 : 1_001,
          flags,
          options: (flags & SYN) === 0 ? new Uint8Array(12).fill(1) : linuxSynOptions(),
          payload: new Uint8Array(data),
        }),
      }),
    }),
  });
  const frames = [frame(true, SYN, 1_000, 0), frame(false, SYN | ACK, 2_000, 0)];
  frames.push(frame(true, ACK, 1_001, 0));
  for (let packet = 0; packet < dataPackets; packet++) {
    // Two segments of data for each acknowledgment.
    const fromServer = packet % 3 !== 2;
    frames.push(frame(!fromServer, ACK, fromServer ? 2_001 : 1_001, fromServer ? dataLength : 0));
  }
  return frames;
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

/** A program that reads a capture. */
interface Program {
  name: string;
  /** Run once: it is far away. */
  slow?: boolean;
  command(path: string): string[];
}

function programs(read: readonly string[]): Program[] {
  const found = (name: string, slow: boolean, args: (path: string) => string[]): Program[] => {
    const executable = findExecutable(name);
    return executable === undefined
      ? []
      : [{ name, slow, command: (path) => [executable, ...args(path)] }];
  };
  const filter = "tcp[tcpflags] & (tcp-syn|tcp-rst) != 0";
  return [
    ...found("tcpdump", false, (path) => ["-nn", "-r", path, "-w", "/dev/null", filter]),
    { name: "synsnoop read", command: (path) => [...read, path] },
    {
      name: "the runtime alone",
      command: () => [Deno.execPath(), "run", "-A", "--quiet", "data:text/javascript,"],
    },
    ...found("tcptrace", true, (path) => ["-nlr", path]),
    ...found("tshark", true, (path) => ["-nr", path, "-Y", "tcp.flags.syn==1", "-w", "/dev/null"]),
  ];
}

/** What a whole process took. */
export interface Cost {
  /** On the clock, and of all processors. */
  seconds: number;
  cpuSeconds: number;
  /** The greatest memory in MB, and what was resident when a tenth of the file was read, and at the end. */
  peak: number;
  atTenth: number;
  atEnd: number;
}

async function measure(command: readonly string[], fileLength: number): Promise<Cost> {
  const child = new Deno.Command(command[0], {
    args: command.slice(1),
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  });
  const begin = performance.now();
  const process = child.spawn();
  const cost: Cost = { seconds: 0, cpuSeconds: 0, peak: 0, atTenth: 0, atEnd: 0 };
  const watch = setInterval(() => sample(process.pid, fileLength, cost), SAMPLE_MS);
  const { success, stderr } = await process.output();
  clearInterval(watch);
  cost.seconds = (performance.now() - begin) / 1_000;
  if (!success) throw new Error(`${command[0]}: ${new TextDecoder().decode(stderr)}`);
  return cost;
}

/** Looks at a process, which may have ended. */
function sample(pid: number, fileLength: number, cost: Cost): void {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const megabytes = (name: string) =>
      Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1_024;
    const bytesRead = Number(/rchar: (\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/io`))?.[1]);
    // Fields 14 and 15 of proc(5); the name in the second may hold anything.
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    cost.cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    cost.peak = Math.max(cost.peak, megabytes("VmHWM"));
    cost.atEnd = megabytes("VmRSS") || cost.atEnd;
    if (cost.atTenth === 0 && bytesRead > fileLength / 10) cost.atTenth = cost.atEnd;
  } catch {
    // What was seen last stands.
  }
}

/** What one kind of traffic took. */
export interface ReadSpeed {
  traffic: string;
  packets: number;
  /** By program: what each run cost, the first beside the first of the others. */
  costs: Map<string, Cost[]>;
}

/** How to measure. */
export interface ReadSpeedOptions {
  /** Runs `read`. */
  command: readonly string[];
  /** For the captures. */
  folder: string;
  /** Bytes of a capture; one is longer. */
  fileLength: number;
  /** Runs of each program; of the slow ones one. */
  rounds: number;
}

/** Measures every program on every kind of traffic, each round in turn. */
export async function measureReadSpeed(
  { command, folder, fileLength, rounds }: ReadSpeedOptions,
): Promise<ReadSpeed[]> {
  const compared = programs(command);
  const results: ReadSpeed[] = [];
  for (const traffic of TRAFFIC) {
    const path = `${folder}/capture.pcap`;
    const length = fileLength * (traffic.times ?? 1);
    const packets = writeCapture(path, traffic, length);
    const costs = new Map(compared.map(({ name }): [string, Cost[]] => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const { name, command, slow } of compared) {
        if (slow && (round > 0 || traffic.times !== undefined)) continue;
        costs.get(name)!.push(await measure(command(path), length));
      }
    }
    await Deno.remove(path);
    results.push({ traffic: traffic.name, packets, costs });
  }
  return results;
}
