import { assertEquals } from "@std/assert";
import { NdjsonFormat, TextSink } from "../../../src/output/text_sink.ts";
import { LinkType } from "../../../src/wire/frame.ts";
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { buildPcap } from "../pcap/build_capture.ts";
import {
  buildEthernet,
  buildIpv4,
  buildIpv6,
  buildLoopback,
  buildSll,
  buildSll2,
  buildTcp,
  ipv6Extension,
  linuxSynOptions,
} from "../wire/build_frame.ts";
import { readInto } from "./read_files.ts";
import { KeptText } from "./stand_ins.ts";

const { SYN, ACK } = TcpFlag;
/** Beyond the first 64 packets of a file not all are decoded. */
const HANDSHAKES = 40;
const OPTIONS = linuxSynOptions({ mss: 1_400, windowScale: 9 });
const TCP_LENGTH = 20;
/** Bytes of the option area up to the end of MSS, and of the window scale. */
const MSS_END = 4;
const SCALE_END = 20;

const V4 = ["192.0.2.1", "198.51.100.2"];
const V6 = ["2001:db8::1", "2001:db8::2"];

/** The ways to an IP packet, of which no byte may hide a loss. */
const WAYS: {
  name: string;
  linkType: number;
  isIpv6?: boolean;
  wrap: (packet: Uint8Array) => Uint8Array;
}[] = [
  { name: "Ethernet", linkType: LinkType.ETHERNET, wrap: (payload) => buildEthernet({ payload }) },
  {
    name: "Ethernet and IPv6 with an extension header",
    linkType: LinkType.ETHERNET,
    isIpv6: true,
    wrap: (payload) => buildEthernet({ payload }),
  },
  {
    name: "two VLAN tags",
    linkType: LinkType.ETHERNET,
    wrap: (payload) =>
      buildEthernet({
        tags: [{ etherType: 0x88a8, tci: 5 }, { etherType: 0x8100, tci: 6 }],
        payload,
      }),
  },
  { name: "SLL", linkType: LinkType.LINUX_SLL, wrap: (payload) => buildSll({ payload }) },
  { name: "SLL2", linkType: LinkType.LINUX_SLL2, wrap: (payload) => buildSll2({ payload }) },
  { name: "NULL", linkType: LinkType.NULL, wrap: (packet) => buildLoopback(2, true, packet) },
  { name: "RAW", linkType: LinkType.RAW, wrap: (packet) => packet },
  { name: "RAW with IPv6", linkType: LinkType.RAW, isIpv6: true, wrap: (packet) => packet },
];

function handshake(port: number, isIpv6: boolean): Uint8Array[] {
  const steps = [
    { flags: SYN, sequence: 1_000, options: OPTIONS },
    { flags: SYN | ACK, sequence: 5_000, acknowledgment: 1_001, options: OPTIONS },
    { flags: ACK, sequence: 1_001, acknowledgment: 5_001 },
  ];
  return steps.map((step, index) => {
    const [sourcePort, destinationPort] = index === 1 ? [443, port] : [port, 443];
    const payload = buildTcp({ sourcePort, destinationPort, ...step });
    const ends = isIpv6 ? V6 : V4;
    const [source, destination] = index === 1 ? ends.toReversed() : ends;
    return isIpv6
      ? buildIpv6({ source, destination, payload, extensions: [ipv6Extension(0)] })
      : buildIpv4({ source, destination, payload });
  });
}

for (const { name, linkType, isIpv6 = false, wrap } of WAYS) {
  Deno.test(`FileSource tells every handshake of a capture cut anywhere, or counts each packet: ${name}`, () => {
    const frames = Array.from(
      { length: HANDSHAKES },
      (_, number) => handshake(1_000 + number, isIpv6).map(wrap),
    ).flat();
    const headers = frames[2].length - TCP_LENGTH;
    for (let captured = 0; captured <= frames[0].length; captured++) {
      const records = frames.map((frame, index) => ({
        seconds: 1_700_000_000 + Math.floor(index / 3),
        fraction: index % 3 * 10,
        data: frame.subarray(0, captured),
        originalLength: frame.length,
      }));
      const output = new KeptText();
      const sink = new TextSink(output, new NdjsonFormat(), "lines");
      const { source } = readInto([sink], [buildPcap({ linkType, records })]);
      const lines = output.text.trimEnd().split("\n").map((line) => JSON.parse(line));
      const told = lines.filter(({ event }) => event === "handshake");
      const { undecoded_packets: undecoded } = source.counters().losses;
      const isThere = captured >= headers + TCP_LENGTH;
      assertEquals(
        [told.length, undecoded],
        isThere ? [HANDSHAKES, 0] : [0, frames.length],
        `${captured} bytes`,
      );
      const options = captured - headers - TCP_LENGTH;
      for (const { outcome, client, server } of told) {
        assertEquals(
          [outcome, client.isn, server.isn, client.mss, server.window_scale],
          [
            "established",
            1_000,
            5_000,
            options < MSS_END ? undefined : 1_400,
            options < SCALE_END ? undefined : 9,
          ],
          `${captured} bytes`,
        );
      }
    }
  });
}
