/**
 * Capture files with everything in them that the formats have, to be damaged.
 *
 * @module
 */
import { gzipSync, zstdCompressSync } from "node:zlib";
import { LinkType } from "../../src/wire/frame.ts";
import { TcpFlag } from "../../src/wire/segment.ts";
import { buildPcap, PcapMagic, PcapngBuilder } from "../unit/pcap/build_capture.ts";
import {
  buildEthernet,
  buildIpv4,
  buildIpv6,
  buildLoopback,
  buildNflog,
  buildPppoe,
  buildSll,
  buildSll2,
  buildTcp,
  concat,
  ipv6Extension,
  linuxSynOptions,
  u16,
} from "../unit/wire/build_frame.ts";

/** A whole file and how many handshakes are in it. */
export interface SeedFile {
  name: string;
  bytes: Uint8Array;
  handshakes: number;
}

const { SYN, ACK } = TcpFlag;
const SECONDS = 1_700_000_000;

/** The three packets of a handshake, from their IP header on. */
function handshake(port: number, ipv6 = false): Uint8Array[] {
  const options = linuxSynOptions({ timestampValue: port });
  const steps = [
    { flags: SYN, sequence: 1_000, options },
    { flags: SYN | ACK, sequence: 5_000, acknowledgment: 1_001, options },
    { flags: ACK, sequence: 1_001, acknowledgment: 5_001 },
  ];
  return steps.map((step, index) => {
    const [sourcePort, destinationPort] = index === 1 ? [443, port] : [port, 443];
    const payload = buildTcp({ sourcePort, destinationPort, ...step });
    const ends = ipv6 ? ["2001:db8::1", "2001:db8::2"] : ["192.0.2.1", "198.51.100.2"];
    const [source, destination] = index === 1 ? ends.toReversed() : ends;
    return ipv6
      ? buildIpv6({ source, destination, payload, extensions: [ipv6Extension(0)] })
      : buildIpv4({ source, destination, payload });
  });
}

const VXLAN_HEADER = new Uint8Array([8, 0, 0, 0, 0, 0, 5, 0]);

function inVxlan(packet: Uint8Array): Uint8Array {
  const inner = concat(VXLAN_HEADER, buildEthernet({ payload: packet }));
  const udp = concat(u16(50_000, 4789, inner.length + 8, 0), inner);
  const tags = [{ etherType: 0x88a8, tci: 5 }, { etherType: 0x8100, tci: 6 }];
  return buildEthernet({ tags, payload: buildIpv4({ protocol: 17, payload: udp }) });
}

/** Each link type's way to carry an IPv4 packet. */
const LINKS: [linkType: number, wrap: (packet: Uint8Array) => Uint8Array][] = [
  [LinkType.ETHERNET, (packet) => buildEthernet({ payload: packet })],
  [LinkType.ETHERNET, inVxlan],
  [LinkType.RAW, (packet) => packet],
  [LinkType.LINUX_SLL, (packet) => buildSll({ payload: packet })],
  [LinkType.LINUX_SLL2, (packet) => buildSll2({ payload: packet })],
  [LinkType.NULL, (packet) => buildLoopback(2, true, packet)],
  [LinkType.NFLOG, (packet) => buildNflog(2, true, [9, packet])],
  [LinkType.PPP, (packet) => concat(u16(0xff03, 0x0021), packet)],
  [LinkType.PPP_ETHER, (packet) => buildPppoe(0x0021, packet)],
];

/** A section with an interface of each link type and a handshake on each, and every other block. */
function section(
  build: PcapngBuilder,
  resolution: number,
  ticksPerSecond: number,
  port: number,
): Uint8Array {
  const at = (index: number) => BigInt(SECONDS + index) * BigInt(ticksPerSecond);
  return concat(
    build.section({ options: build.comment("a section") }),
    ...LINKS.map(([linkType], index) =>
      build.interface({
        linkType,
        name: `eth${index}`,
        resolution,
        snapLength: 262_144,
        offsetSeconds: BigInt(index * 3_600),
      })
    ),
    // Name resolution, decryption secrets, systemd journal, and blocks of whoever likes.
    ...[4, 10, 9, 0xbad, 0x40000bad].map((type) => build.block(type, new Uint8Array(20).fill(65))),
    ...LINKS.flatMap(([, wrap], index) =>
      handshake(port + index).map((packet, step) =>
        build.packet({
          interfaceNumber: index,
          ticks: at(index * 10) + BigInt(step),
          data: wrap(packet),
          obsolete: index === 2,
          options: [
            build.comment(step === 0 ? `synsnoop: handshake ${index}` : "a packet"),
            build.flags(1 + step % 2),
            build.option(4, new Uint8Array(8)),
            build.option(0, new Uint8Array(0)),
          ],
        })
      )
    ),
    build.simplePacket(buildEthernet({ payload: buildIpv4({ payload: new Uint8Array(50) }) })),
    build.statistics(0, 4n, 5n),
  );
}

/** The files. */
export function seedFiles(): SeedFile[] {
  const [first, second] = [handshake(1), handshake(2, true)];
  const records = [...first, ...second].map((packet, index) => ({
    seconds: SECONDS + index,
    fraction: index,
    data: buildEthernet({ payload: packet }),
  }));
  const pcaps = Object.entries(PcapMagic).flatMap(([name, magic]) =>
    [true, false].map((littleEndian) => ({
      name: `pcap ${name}`,
      bytes: buildPcap({ magic, littleEndian, records }),
      handshakes: 2,
    }))
  );
  const pcapngs = [true, false].map((littleEndian) => {
    const build = new PcapngBuilder(littleEndian);
    return {
      name: `pcapng ${littleEndian}`,
      bytes: concat(
        section(build, 9, 1e9, 1_000),
        section(new PcapngBuilder(!littleEndian), 0x80 | 20, 2 ** 20, 2_000),
      ),
      handshakes: LINKS.length * 2,
    };
  });
  const plain = [...pcaps, ...pcapngs];
  return plain.flatMap((file) => [
    file,
    { ...file, name: `${file.name}, gzip`, bytes: gzipSync(file.bytes) },
    { ...file, name: `${file.name}, zstd`, bytes: zstdCompressSync(file.bytes) },
  ]);
}
