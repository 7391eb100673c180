import { assertEquals } from "@std/assert";
import { RingFrame } from "../../../../src/linux/capture/ring_frame.ts";
import { PacketType } from "../../../../src/wire/passage.ts";
import { EtherType } from "../../../../src/wire/network.ts";

/** Offset of the packet behind `struct tpacket3_hdr` and `struct sockaddr_ll`, as the kernel aligns it. */
const PACKET = 80;

interface Written {
  packet: number[];
  protocol: number;
  status?: number;
  tci?: number;
  packetType?: number;
}

/** Writes a frame as the kernel does (linux/if_packet.h), on a host of low byte order. */
function write(view: DataView, at: number, frame: Written): void {
  const { packet, protocol, status = 0, tci = 0, packetType = PacketType.HOST } = frame;
  view.setUint32(at + 4, 1_700_000_000, true);
  view.setUint32(at + 8, 123_456_789, true);
  view.setUint32(at + 12, packet.length, true);
  view.setUint32(at + 16, 100 + packet.length, true);
  view.setUint32(at + 20, status, true);
  view.setUint16(at + 26, PACKET, true);
  view.setUint32(at + 32, tci, true);
  view.setUint16(at + 50, protocol);
  view.setInt32(at + 52, 7, true);
  view.setUint8(at + 58, packetType);
  packet.forEach((byte, index) => view.setUint8(at + PACKET + index, byte));
}

const USUAL = {
  networkOffset: PACKET,
  capturedEnd: PACKET + 5,
  originalLength: 105,
  protocol: EtherType.IPV4 as number,
  interfaceIndex: 7,
  packetType: PacketType.HOST as number,
  vlanId: -1,
  seconds: 1_700_000_000,
  nanoseconds: 123_456_789,
  mayJudgeChecksums: true,
};
const IPV4 = [0x45, 0, 0, 40, 1];
const IPV6 = [0x60, 0, 0, 0, 0];

const CASES: { name: string; frame: Written; expected: Partial<typeof USUAL> }[] = [
  { name: "IPv4", frame: { packet: IPV4, protocol: EtherType.IPV4 }, expected: {} },
  {
    name: "a packet that this host sent, its checksums not finished",
    frame: {
      packet: IPV6,
      protocol: EtherType.IPV6,
      status: 0x08,
      packetType: PacketType.OUTGOING,
    },
    expected: {
      protocol: EtherType.IPV6,
      packetType: PacketType.OUTGOING,
      mayJudgeChecksums: false,
    },
  },
  {
    name: "a tag that the kernel took off, and told as the protocol",
    frame: { packet: IPV4, protocol: EtherType.VLAN, status: 0x10, tci: 0xe007 },
    expected: { vlanId: 7 },
  },
  {
    name: "IPv6 behind a tag that was taken off",
    frame: { packet: IPV6, protocol: EtherType.SERVICE_VLAN, status: 0x10, tci: 9 },
    expected: { vlanId: 9, protocol: EtherType.IPV6 },
  },
  {
    name: "an inner tag that stands in the data",
    frame: {
      packet: [0, 5, 0x08, 0x00, ...IPV4],
      protocol: EtherType.IPV4,
      status: 0x10,
      tci: 9,
    },
    expected: {
      vlanId: 9,
      networkOffset: PACKET + 4,
      capturedEnd: PACKET + 9,
      originalLength: 105,
    },
  },
  {
    name: "a tag, and nothing captured behind it",
    frame: { packet: [], protocol: EtherType.VLAN },
    expected: { capturedEnd: PACKET, originalLength: 100 },
  },
];

for (const { name, frame: written, expected } of CASES) {
  Deno.test(`RingFrame reads ${name}`, () => {
    const memory = new ArrayBuffer(256);
    const frame = new RingFrame(memory);
    for (const at of [0, 128]) {
      write(frame.view, at, written);
      frame.fill(at);
      const { view: _view, ...read } = frame;
      const whole = { ...USUAL, ...expected };
      assertEquals(read, {
        ...whole,
        networkOffset: at + whole.networkOffset,
        capturedEnd: at + whole.capturedEnd,
      });
    }
  });
}
