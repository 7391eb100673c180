/**
 * A small capture with every outcome that packets alone tell of, and what `read` writes of it.
 *
 * @module
 */
import { type Lines, toBytes } from "../../src/files/stream_output.ts";
import { type TextFormat, TextSink } from "../../src/output/text_sink.ts";
import { TcpFlag } from "../../src/wire/segment.ts";
import { buildPcap, type PcapRecord } from "../unit/pcap/build_capture.ts";
import { readInto } from "../unit/pipeline/read_files.ts";
import { buildEthernet, buildIpv4, buildIpv6, buildTcp } from "../unit/wire/build_frame.ts";

const { SYN, ACK, RST } = TcpFlag;
const SECONDS = 1_790_000_000;
const WEB = "203.0.113.80";
const WEB_6 = "2001:db8:0:1:2:3:4:80";

/** A packet after some microseconds: of the client where it has no `A` or is one alone. */
type Step = [microseconds: number, packet: "S" | "SA" | "A" | "R" | "RA"];

const WHOLE = (clientRtt: number, serverRtt: number): Step[] => [
  [0, "S"],
  [clientRtt, "SA"],
  [clientRtt + serverRtt, "A"],
];

const TRAFFIC: { client: string; server: string; port: number; steps: Step[] }[] = [
  ...[181, 190, 204, 198, 240, 1_250, 311].map((rtt, at) => ({
    client: `192.0.2.${10 + at % 3}`,
    server: WEB,
    port: 443,
    steps: WHOLE(rtt, 20 + at),
  })),
  ...[40_100, 41_000, 44_750].map((rtt) => ({
    client: "2001:db8:ffff:ffff:ffff:ffff:ffff:7",
    server: WEB_6,
    port: 443,
    steps: WHOLE(rtt, 61),
  })),
  { client: "192.0.2.10", server: WEB, port: 80, steps: [[0, "S"], [95, "RA"]] },
  // The first SYN got lost, or its answer.
  {
    client: "192.0.2.11",
    server: WEB,
    port: 443,
    steps: [[0, "S"], [1_020_000, "S"], [1_020_210, "SA"], [1_020_240, "A"]],
  },
  // A scan: nobody completes what was answered, twice.
  {
    client: "198.51.100.66",
    server: WEB,
    port: 22,
    steps: [[0, "S"], [150, "SA"], [1_000_150, "SA"]],
  },
  { client: "198.51.100.66", server: WEB, port: 23, steps: [[0, "S"], [130, "SA"], [210, "R"]] },
  { client: "192.0.2.12", server: "198.51.100.1", port: 9, steps: [[0, "S"], [3_000_000, "S"]] },
];

function recordsOf({ client, server, port, steps }: typeof TRAFFIC[number], at: number) {
  return steps.map(([microseconds, packet]): PcapRecord => {
    const fromServer = packet === "SA" || packet === "RA";
    const [source, destination] = fromServer ? [server, client] : [client, server];
    const numbers = {
      S: { flags: SYN, sequence: 1_000 },
      SA: { flags: SYN | ACK, sequence: 5_000, acknowledgment: 1_001 },
      A: { flags: ACK, sequence: 1_001, acknowledgment: 5_001 },
      R: { flags: RST, sequence: 1_001 },
      RA: { flags: RST | ACK, sequence: 0, acknowledgment: 1_001 },
    }[packet];
    const [sourcePort, destinationPort] = fromServer ? [port, 40_000 + at] : [40_000 + at, port];
    const payload = buildTcp({ sourcePort, destinationPort, ...numbers });
    return {
      seconds: SECONDS + 5 * at + Math.floor(microseconds / 1e6),
      fraction: microseconds % 1e6,
      data: buildEthernet(
        source.includes(":")
          ? { etherType: 0x86dd, payload: buildIpv6({ source, destination, payload }) }
          : { payload: buildIpv4({ source, destination, payload }) },
      ),
    };
  });
}

/** Five seconds a handshake: none is under way when the next begins. */
export const CAPTURE = buildPcap({ records: TRAFFIC.flatMap(recordsOf) });

/** What `read` writes of the capture to standard output. */
export function readSample(format: TextFormat): string {
  let text = "";
  const write = (lines: Lines) => text += new TextDecoder().decode(toBytes(lines));
  const output = { lost: 0, write, flush: () => Promise.resolve() };
  readInto([new TextSink(output, format, "lines")], [CAPTURE]);
  return text;
}
