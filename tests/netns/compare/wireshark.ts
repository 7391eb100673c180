/**
 * What Wireshark, by its tshark, says of the conversations in a capture.
 *
 * @module
 */
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";

/** A packet as tshark has it. */
export interface WirePacket {
  /** Since the capture's first packet. */
  readonly timeNs: number;
  readonly source: string;
  readonly destination: string;
  readonly kind: "SYN" | "SYN-ACK" | "RST" | "FIN" | "data" | "ACK" | "none";
  readonly sequence: number;
}

/** One `tcp.stream`. */
export interface Conversation {
  readonly packets: readonly WirePacket[];
  /** `tcp.analysis.initial_rtt`. */
  readonly initialRttNs: number | undefined;
  /** `tcp.completeness`, see {@linkcode Completeness}. */
  readonly completeness: number;
}

/** Bits of `tcp.completeness`. */
export const Completeness = { SYN: 1, SYN_ACK: 2, ACK: 4, DATA: 8, FIN: 16, RST: 32 } as const;

/** A message of ICMP holds the header of the segment that it is about. */
const NO_ERRORS = "tcp and not icmp and not icmpv6";

const FIELDS = [
  ...["tcp.stream", "frame.time_relative", "ip.src", "ipv6.src", "tcp.srcport", "ip.dst"],
  ...["ipv6.dst", "tcp.dstport", "tcp.flags", "tcp.seq_raw", "tcp.len"],
  ...["tcp.analysis.initial_rtt", "tcp.completeness"],
];

/** Runs tshark on a file, twice through it as Wireshark does. */
export async function conversationsOf(file: string): Promise<Conversation[]> {
  const { success, stdout, stderr } = await new Deno.Command("tshark", {
    args: ["-2", "-r", file, "-Y", NO_ERRORS, "-T", "fields", "-E", "separator=|"]
      .concat(FIELDS.flatMap((field) => ["-e", field])),
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot read "${file}": ${new TextDecoder().decode(stderr)}`);
  const streams: { packets: WirePacket[]; initialRttNs?: number; completeness: number }[] = [];
  for (const line of new TextDecoder().decode(stdout).trim().split("\n")) {
    if (line === "") continue;
    const [stream, time, source4, source6, sourcePort, to4, to6, toPort, flags, sequence, length] =
      line.split("|");
    const [initialRtt, completeness] = line.split("|").slice(-2);
    const conversation = streams[Number(stream)] ??= { packets: [], completeness: 0 };
    conversation.packets.push({
      timeNs: nanoseconds(time),
      source: `${source4 || source6}:${sourcePort}`,
      destination: `${to4 || to6}:${toPort}`,
      kind: kindOf(Number(flags), Number(length)),
      sequence: Number(sequence),
    });
    if (initialRtt !== "") conversation.initialRttNs ??= nanoseconds(initialRtt);
    if (completeness !== "") conversation.completeness = Number(completeness);
  }
  return streams.map((stream) => ({ initialRttNs: undefined, ...stream }));
}

function kindOf(flags: number, length: number): WirePacket["kind"] {
  if ((flags & TcpFlag.RST) !== 0) return "RST";
  if ((flags & TcpFlag.SYN) !== 0) return (flags & TcpFlag.ACK) !== 0 ? "SYN-ACK" : "SYN";
  if ((flags & TcpFlag.FIN) !== 0) return "FIN";
  if (length > 0) return "data";
  return (flags & TcpFlag.ACK) !== 0 ? "ACK" : "none";
}

/** `1.000000001` in whole nanoseconds. */
function nanoseconds(seconds: string): number {
  return Math.round(Number(seconds) * 1e9);
}
