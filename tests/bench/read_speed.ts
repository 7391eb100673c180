/**
 * How fast `read` is against tcpdump's SYN and RST filter on the same file, and against tshark and
 * tcptrace where they are installed.
 *
 * Makes the captures itself and removes them. Each round runs every program once,
 * in turn, and is compared with its own run of tcpdump, so that a machine whose speed drifts still
 * gives a ratio. Whole processes are measured, with their start.
 *
 * @module
 */
import { findExecutable } from "../../src/io/packages.ts";
import { buildEthernet, buildIpv4, buildTcp, linuxSynOptions } from "../unit/wire/build_frame.ts";

const ROUNDS = 5;
const FILE_LENGTH = 300_000_000;
const WRITE_LENGTH = 4 << 20;
const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

const SYN = 0x02;
const ACK = 0x10;

/** A kind of traffic. */
interface Traffic {
  name: string;
  /** Bytes of data in a packet, and such packets in a connection. */
  dataLength: number;
  dataPackets: number;
}

const TRAFFIC: readonly Traffic[] = [
  { name: "short packets", dataLength: 94, dataPackets: 57 },
  { name: "full packets", dataLength: 1_448, dataPackets: 57 },
];

/** Writes a capture of connections, one after another, 10 µs between packets. @returns Packets. */
function writeCapture(path: string, traffic: Traffic, fileLength: number): number {
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
  for (let connection = 0; written + at < fileLength; connection++) {
    for (const { bytes, fromClient } of frames) {
      const time = packets++ * 10;
      view.setUint32(at, 1_600_000_000 + Math.floor(time / 1e6), true);
      view.setUint32(at + 4, time % 1e6, true);
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

const SLOW: ReadonlySet<string> = new Set(["tcptrace", "tshark"]);

/** A program that reads a capture. */
interface Program {
  name: string;
  command(path: string): string[];
}

function programs(): Program[] {
  const found = (name: string, args: (path: string) => string[]): Program[] => {
    const executable = findExecutable(name);
    return executable === undefined
      ? []
      : [{ name, command: (path) => [executable, ...args(path)] }];
  };
  const filter = "tcp[tcpflags] & (tcp-syn|tcp-rst) != 0";
  return [
    ...found("tcpdump", (path) => ["-nn", "-r", path, "-w", "/dev/null", filter]),
    {
      name: "synsnoop read",
      command: (path) => [Deno.execPath(), "run", "-A", "--quiet", MAIN, "read", path],
    },
    ...found("tcptrace", (path) => ["-nlr", path]),
    ...found("tshark", (path) => ["-nr", path, "-Y", "tcp.flags.syn==1", "-w", "/dev/null"]),
  ];
}

/** Wall seconds of a whole process and its greatest memory in MB. */
async function measure(command: readonly string[]): Promise<[seconds: number, megabytes: number]> {
  const child = new Deno.Command(command[0], {
    args: command.slice(1),
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  });
  const begin = performance.now();
  const process = child.spawn();
  let peak = 0;
  const watch = setInterval(() => peak = Math.max(peak, peakMemory(process.pid)), 5);
  const { success, stderr } = await process.output();
  clearInterval(watch);
  const seconds = (performance.now() - begin) / 1_000;
  if (!success) throw new Error(`${command[0]}: ${new TextDecoder().decode(stderr)}`);
  return [seconds, peak];
}

/** VmHWM of a process in MB, 0 where it has ended. */
function peakMemory(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}

/** How long one program took to read a file. */
export interface ProgramSpeed {
  name: string;
  /** Wall seconds of the whole process, one a run. */
  seconds: number[];
  /** The same as a multiple of the run of tcpdump in the same round. */
  againstTcpdump: number[];
  /** Its greatest memory in any run, MB. */
  megabytes: number;
}

/** What one kind of traffic took. */
export interface ReadSpeed {
  traffic: string;
  packets: number;
  bytes: number;
  programs: ProgramSpeed[];
}

/**
 * Measures every program on every kind of traffic, each round in turn.
 *
 * @param folder For the captures. @param rounds How often; the slow programs once.
 * @param fileLength Bytes of a capture at least.
 */
export async function measureReadSpeed(
  folder: string,
  rounds: number = ROUNDS,
  fileLength: number = FILE_LENGTH,
): Promise<ReadSpeed[]> {
  const compared = programs();
  if (compared[0].name !== "tcpdump") throw new Error("tcpdump is not installed");
  const results: ReadSpeed[] = [];
  for (const traffic of TRAFFIC) {
    const path = `${folder}/capture.pcap`;
    const packets = writeCapture(path, traffic, fileLength);
    const speeds = compared.map(({ name }): ProgramSpeed => ({
      name,
      seconds: [],
      againstTcpdump: [],
      megabytes: 0,
    }));
    for (let round = 0; round < rounds; round++) {
      for (const [index, { command, name }] of compared.entries()) {
        // The slow ones once: they are far away.
        if (round > 0 && SLOW.has(name)) continue;
        const [seconds, megabytes] = await measure(command(path));
        const speed = speeds[index];
        speed.seconds.push(seconds);
        speed.againstTcpdump.push(seconds / speeds[0].seconds[round]);
        speed.megabytes = Math.max(speed.megabytes, megabytes);
      }
    }
    results.push({
      traffic: traffic.name,
      packets,
      bytes: Deno.statSync(path).size,
      programs: speeds,
    });
    await Deno.remove(path);
  }
  return results;
}
