/**
 * Captures of handshakes to explain, and what becomes of them on the way from the file to the story.
 *
 * @module
 */
import { HandshakePick } from "../../../src/explain/pick.ts";
import { copyPacket, type SeenPacket } from "../../../src/explain/seen_packet.ts";
import type { Story } from "../../../src/explain/story.ts";
import { decodeFrame, FrameVerdict, LinkType } from "../../../src/wire/frame.ts";
import { parseAddress } from "../../../src/wire/address.ts";
import { Segment, TcpFlag } from "../../../src/wire/segment.ts";
import { sourceInto } from "../pipeline/read_files.ts";
import { PcapngBuilder } from "../pcap/build_capture.ts";
import {
  buildEthernet,
  buildIpv4,
  buildTcp,
  concat,
  linuxSynOptions,
  type TcpFields,
  tcpOption,
  u16,
  u32,
} from "../wire/build_frame.ts";

const { SYN, ACK, RST } = TcpFlag;
/** IANA protocol number of TCP, and where its checksum stands. */
const TCP = 6;
const CHECKSUM = 16;

/** A packet of a conversation. */
export interface Said extends TcpFields {
  /** Nanoseconds after the start. */
  atNs: number;
  by: "client" | "server";
  /** Number of the interface, in the order of `interfaces`. */
  on?: number;
  /** Addresses and ports where they were translated; absent: those of the conversation. */
  ends?: Pick<Conversation, "client" | "server">;
}

/** A client and a server, and what they say. */
export interface Conversation {
  client?: { address: string; port: number };
  server?: { address: string; port: number };
  /** Names of the interfaces. */
  interfaces?: readonly string[];
  packets: readonly Said[];
}

/** The ports and addresses of a conversation that names none. */
export const CLIENT = { address: "192.0.2.1", port: 40_000 };
export const SERVER = { address: "198.51.100.2", port: 443 };

/** The handshake that the project's design works through: 2026-11-23T01:02:03.123456789Z, from curl. */
export const WORKED_EXAMPLE: Conversation = {
  client: { address: "192.168.100.191", port: 52_312 },
  server: { address: "172.67.149.132", port: 443 },
  packets: [
    {
      atNs: 0,
      by: "client",
      flags: SYN,
      sequence: 0x4ce45750,
      window: 64_240,
      options: concat(
        tcpOption(2, u16(1460)),
        tcpOption(4),
        tcpOption(8, u32(2_104_511_786, 0)),
        new Uint8Array([1]),
        tcpOption(3, [7]),
        tcpOption(34),
        new Uint8Array([1, 1]),
      ),
    },
    {
      atNs: 10_231_000,
      by: "server",
      flags: SYN | ACK,
      sequence: 0xc112f693,
      acknowledgment: 0x4ce45751,
      window: 65_535,
      options: concat(
        tcpOption(2, u16(1400)),
        new Uint8Array([1, 1]),
        tcpOption(4),
        new Uint8Array([1]),
        tcpOption(3, [13]),
      ),
    },
    {
      atNs: 10_272_000,
      by: "client",
      flags: ACK,
      sequence: 0x4ce45751,
      acknowledgment: 0xc112f694,
      window: 502,
    },
  ],
};

/** Handshakes that fail, or that a lesson has more to say of than of a usual one. */
export const CONVERSATIONS = {
  refused: {
    packets: [
      { atNs: 0, by: "client", flags: SYN, sequence: 0x1a2b3c4d },
      { atNs: 200_000, by: "server", flags: RST | ACK, sequence: 0, acknowledgment: 0x77 },
      { atNs: 412_000, by: "server", flags: RST | ACK, sequence: 0, acknowledgment: 0x1a2b3c4e },
    ],
  },
  wrongNumbers: {
    packets: [
      { atNs: 0, by: "client", flags: SYN, sequence: 0x1a2b3c4d },
      {
        atNs: 300_000,
        by: "server",
        flags: SYN | ACK,
        sequence: 0x99,
        acknowledgment: 0x09080706,
      },
      { atNs: 310_000, by: "client", flags: RST, sequence: 0x09080706 },
      {
        atNs: 5_000_000,
        by: "server",
        flags: SYN | ACK,
        sequence: 0x5e5e0000,
        acknowledgment: 0x1a2b3c4e,
      },
      {
        atNs: 5_100_000,
        by: "client",
        flags: ACK,
        sequence: 0x1a2b3c4e,
        acknowledgment: 0x5e5e0bad,
      },
    ],
  },
  ambiguous: {
    packets: [
      { atNs: 0, by: "client", flags: SYN, sequence: 0xffffffff },
      { atNs: 1_000_000_000, by: "client", flags: SYN, sequence: 0xffffffff },
      {
        atNs: 1_005_000_000,
        by: "server",
        flags: SYN | ACK,
        sequence: 0xc112f693,
        acknowledgment: 0,
      },
      { atNs: 1_005_040_000, by: "client", flags: ACK, sequence: 0, acknowledgment: 0xc112f694 },
    ],
  },
  fastOpen: {
    packets: [
      {
        atNs: 0,
        by: "client",
        flags: SYN,
        sequence: 0xfffffff0,
        options: tcpOption(34, [1, 2, 3, 4, 5, 6, 7, 8]),
        payload: new Uint8Array(500),
      },
      { atNs: 200, by: "server", flags: SYN | ACK, sequence: 5_000, acknowledgment: 0x1e5 },
      { atNs: 300, by: "client", flags: ACK, sequence: 0x1e5, acknowledgment: 5_101 },
    ],
  },
  simultaneous: {
    packets: [
      { atNs: 0, by: "client", flags: SYN, sequence: 1_000 },
      { atNs: 100, by: "server", flags: SYN, sequence: 5_000 },
      { atNs: 200, by: "client", flags: SYN | ACK, sequence: 1_000, acknowledgment: 5_001 },
      { atNs: 300, by: "server", flags: SYN | ACK, sequence: 5_000, acknowledgment: 1_001 },
    ],
  },
  oneSided: {
    packets: [
      { atNs: 0, by: "server", flags: SYN | ACK, sequence: 5_000, acknowledgment: 1_001 },
      { atNs: 50, by: "client", flags: ACK, sequence: 1_001, acknowledgment: 5_001 },
    ],
  },
  twoPlaces: {
    interfaces: ["eth0", "docker0"],
    packets: [
      { atNs: 0, by: "client", flags: SYN, sequence: 1_000 },
      { atNs: 10, by: "client", flags: SYN, sequence: 1_000, on: 1 },
      {
        atNs: 90,
        by: "server",
        flags: SYN | ACK,
        sequence: 5_000,
        acknowledgment: 1_001,
        on: 1,
      },
      { atNs: 100, by: "server", flags: SYN | ACK, sequence: 5_000, acknowledgment: 1_001 },
      { atNs: 150, by: "client", flags: ACK, sequence: 1_001, acknowledgment: 5_001 },
    ],
  },
  translated: {
    interfaces: ["veth1", "eth0"],
    packets: [
      { atNs: 0, by: "client", flags: SYN, sequence: 1_000, options: linuxSynOptions() },
      {
        atNs: 10,
        by: "client",
        flags: SYN,
        sequence: 1_000,
        options: linuxSynOptions(),
        on: 1,
        ends: { client: { address: "203.0.113.9", port: 61_000 } },
      },
      {
        atNs: 90,
        by: "server",
        flags: SYN | ACK,
        sequence: 5_000,
        acknowledgment: 1_001,
        on: 1,
        ends: { client: { address: "203.0.113.9", port: 61_000 } },
      },
      { atNs: 100, by: "server", flags: SYN | ACK, sequence: 5_000, acknowledgment: 1_001 },
      { atNs: 150, by: "client", flags: ACK, sequence: 1_001, acknowledgment: 5_001 },
    ],
  },
} as const satisfies Record<string, Conversation>;

const START_NS = 1_795_395_723_123_456_789n;

/** Writes a conversation as a capture file whose times count nanoseconds. */
export function buildConversation(conversation: Conversation): Uint8Array {
  const builder = new PcapngBuilder();
  const names = conversation.interfaces ?? ["eth0"];
  return concat(
    builder.section(),
    ...names.map((name) => builder.interface({ name, resolution: 9 })),
    ...conversation.packets.map((said) =>
      builder.packet({
        interfaceNumber: said.on ?? 0,
        ticks: START_NS + BigInt(said.atNs),
        data: buildFrame(conversation, said),
      })
    ),
  );
}

/** A packet of a conversation as an Ethernet frame, its TCP checksum right. */
function buildFrame(conversation: Conversation, { by, ends: own, ...tcp }: Said): Uint8Array {
  const { client, server } = own ?? conversation;
  const ends = [client ?? CLIENT, server ?? SERVER];
  const [from, to] = by === "client" ? ends : ends.toReversed();
  const segment = buildTcp({ sourcePort: from.port, destinationPort: to.port, ...tcp });
  const pseudoHeader = concat(
    u32(parseAddress(from.address)![3], parseAddress(to.address)![3]),
    u16(TCP, segment.length),
  );
  new DataView(segment.buffer).setUint16(CHECKSUM, checksum(concat(pseudoHeader, segment)));
  return buildEthernet({
    payload: buildIpv4({ source: from.address, destination: to.address, payload: segment }),
  });
}

/**
 * The packets of a conversation, decoded.
 *
 * @param startNs When it began, nanoseconds on the axis. @param place Number of its first interface.
 */
export function seenPackets(conversation: Conversation, startNs = 0, place = 1): SeenPacket[] {
  return conversation.packets.map((said) => {
    const frame = buildFrame(conversation, said);
    const view = new DataView(frame.buffer as ArrayBuffer);
    const { length } = frame;
    const segment = new Segment();
    const verdict = decodeFrame(view, 0, length, length, LinkType.ETHERNET, segment);
    if (verdict !== FrameVerdict.Tcp) throw new Error(`Cannot decode a packet: verdict ${verdict}`);
    return copyPacket(segment, view, startNs + said.atNs, place + (said.on ?? 0));
  });
}

/** The Internet checksum (RFC 1071). */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  bytes.forEach((byte, index) => sum += index % 2 === 0 ? byte << 8 : byte);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Reads a capture as the command does. @returns The pick, whose story is that of the Nth handshake. */
export function pickFrom(file: Uint8Array, index = 1): HandshakePick {
  const pick: HandshakePick = new HandshakePick({
    filter: {},
    index,
    onPicked: () => read.source.done = true,
  }, 4_096);
  const read = sourceInto([pick]);
  const reader = read.source.beginFile();
  reader.feed(file);
  reader.end();
  read.end();
  return pick;
}

/** The story of a conversation's first handshake, or another. */
export function storyOf(conversation: Conversation, index = 1): Story {
  const { story } = pickFrom(buildConversation(conversation), index);
  if (story === undefined) throw new Error("Cannot tell a story: no handshake came");
  return story;
}
