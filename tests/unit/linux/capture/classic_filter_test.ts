import { assert, assertEquals } from "@std/assert";
import { classicFilter } from "../../../../src/linux/capture/classic_filter.ts";
import {
  ethernetFrame,
  EXTENSION,
  icmpPacket,
  ipPacket,
  type Segment,
  TCP,
} from "../../../netns/frame_sender.ts";

const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;
const ETH_P_8021Q = 0x8100;
const ETH_P_8021AD = 0x88a8;
const ETHERNET_HEADER_BYTES = 14;
const PACKET_HOST = 0;
const PACKET_OUTGOING = 4;

interface Metadata {
  protocol: number;
  packetType: number;
  interfaceIndex: number;
}

/**
 * Runs a classic BPF program as the kernel does (Documentation/networking/filter.rst): a load outside
 * the packet ends it with 0. Throws on an instruction it does not know.
 */
function run(program: Uint8Array, packet: Uint8Array, metadata: Metadata): number {
  const code = new DataView(program.buffer);
  const data = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const scratch = new Uint32Array(16);
  let a = 0;
  let x = 0;
  const load = (at: number, size: 1 | 2 | 4): number | undefined => {
    if (at === 0xfffff000) return metadata.protocol;
    if (at === 0xfffff004) return metadata.packetType;
    if (at === 0xfffff008) return metadata.interfaceIndex;
    if (at + size > data.byteLength) return undefined;
    return size === 1 ? data.getUint8(at) : size === 2 ? data.getUint16(at) : data.getUint32(at);
  };
  for (let pc = 0;; pc++) {
    const operation = code.getUint16(pc * 8, true);
    const [yes, no] = [code.getUint8(pc * 8 + 2), code.getUint8(pc * 8 + 3)];
    const k = code.getUint32(pc * 8 + 4, true);
    let loaded: number | undefined = 0;
    switch (operation) {
      case 0x20: // ld [k]
        a = loaded = load(k, 4)!;
        break;
      case 0x28: // ldh [k]
        a = loaded = load(k, 2)!;
        break;
      case 0x30: // ldb [k]
        a = loaded = load(k, 1)!;
        break;
      case 0x50: // ldb [x + k]
        a = loaded = load((x + k) >>> 0, 1)!;
        break;
      case 0xb1: // ldxb 4*([k]&0xf)
        loaded = load(k, 1);
        x = 4 * (loaded! & 0xf);
        break;
      case 0x60: // ld M[k]
        a = scratch[k];
        break;
      case 0x01: // ldx #k
        x = k;
        break;
      case 0x02: // st M[k]
        scratch[k] = a;
        break;
      case 0x04: // add #k
        a = (a + k) >>> 0;
        break;
      case 0x0c: // add x
        a = (a + x) >>> 0;
        break;
      case 0x1c: // sub x
        a = (a - x) >>> 0;
        break;
      case 0x54: // and #k
        a = (a & k) >>> 0;
        break;
      case 0x64: // lsh #k
        a = (a << k) >>> 0;
        break;
      case 0x74: // rsh #k
        a >>>= k;
        break;
      case 0x07: // tax
        x = a;
        break;
      case 0x05: // ja
        pc += k;
        break;
      case 0x15: // jeq #k
        pc += a === k ? yes : no;
        break;
      case 0x25: // jgt #k
        pc += a > k ? yes : no;
        break;
      case 0x45: // jset #k
        pc += (a & k) !== 0 ? yes : no;
        break;
      case 0x06: // ret #k
        return k;
      default:
        throw new Error(`Cannot run instruction ${pc}: code ${operation} is unknown`);
    }
    if (loaded === undefined) return 0;
  }
}

function verdict(segment: Segment, metadata: Partial<Metadata> = {}): number {
  return run(classicFilter(), ipPacket(segment), {
    protocol: segment.version === 6 ? ETH_P_IPV6 : ETH_P_IP,
    packetType: PACKET_HOST,
    interfaceIndex: 2,
    ...metadata,
  });
}

const PASS = 192;
const DROP = 0;

Deno.test("classicFilter passes handshake packets over IPv4 and IPv6 and drops others", () => {
  const cases: { input: Segment; expected: number }[] = [
    { input: { flags: TCP.syn, optionBytes: 40 }, expected: PASS },
    { input: { flags: TCP.syn, payloadBytes: 100 }, expected: PASS },
    { input: { flags: TCP.synAck, optionBytes: 20 }, expected: PASS },
    { input: { flags: TCP.rst }, expected: PASS },
    { input: { flags: TCP.rst | TCP.ack, payloadBytes: 9 }, expected: PASS },
    { input: { flags: TCP.ack }, expected: PASS },
    { input: { flags: TCP.ack, optionBytes: 12 }, expected: PASS },
    { input: { flags: TCP.ack | TCP.psh }, expected: PASS },
    { input: { flags: TCP.ack, payloadBytes: 1 }, expected: DROP },
    { input: { flags: TCP.ack, optionBytes: 12, payloadBytes: 1448 }, expected: DROP },
    { input: { flags: TCP.ack | TCP.fin }, expected: DROP },
    { input: { flags: 0 }, expected: DROP },
    { input: { flags: TCP.fin }, expected: DROP },
    { input: { flags: TCP.syn, protocol: 17 }, expected: DROP },
  ];
  for (const { input, expected } of cases) {
    for (const version of [4, 6] as const) {
      assertEquals(verdict({ ...input, version }), expected, JSON.stringify({ ...input, version }));
    }
  }
});

Deno.test("classicFilter follows header lengths, fragments and one extension header", () => {
  const { hopByHop, routing, fragment, destination } = EXTENSION;
  const ack = { flags: TCP.ack, version: 6 } as const;
  const cases: { input: Segment; expected: number }[] = [
    { input: { flags: TCP.syn, ipv4OptionBytes: 40 }, expected: PASS },
    { input: { flags: TCP.ack, ipv4OptionBytes: 24 }, expected: PASS },
    { input: { flags: TCP.ack, ipv4OptionBytes: 24, payloadBytes: 4 }, expected: DROP },
    { input: { fragmentOffset: 0x2000 }, expected: PASS }, // more fragments, the first one
    { input: { fragmentOffset: 0x4000 }, expected: PASS }, // don't fragment
    { input: { fragmentOffset: 0x2000, flags: TCP.psh, payloadBytes: 9 }, expected: PASS },
    { input: { fragmentOffset: 1 }, expected: PASS },
    { input: { fragmentOffset: 0x200f }, expected: PASS },
    { input: { fragmentOffset: 16 }, expected: DROP },
    { input: { fragmentOffset: 0x2100 }, expected: DROP },
    { input: { ...ack, extensions: [{ type: hopByHop }] }, expected: PASS },
    { input: { ...ack, extensions: [{ type: routing, bytes: 24 }] }, expected: PASS },
    { input: { ...ack, extensions: [{ type: destination, bytes: 32 }] }, expected: PASS },
    { input: { ...ack, extensions: [{ type: fragment }] }, expected: PASS },
    { input: { ...ack, extensions: [{ type: fragment, fragmentOffset: 1 }] }, expected: PASS },
    { input: { ...ack, extensions: [{ type: fragment, fragmentOffset: 16 }] }, expected: DROP },
    {
      input: { ...ack, extensions: [{ type: fragment, fragmentOffset: 1 }], protocol: 17 },
      expected: DROP,
    },
    { input: { ...ack, extensions: [{ type: routing }], payloadBytes: 1 }, expected: DROP },
    { input: { ...ack, extensions: [{ type: hopByHop }, { type: routing }] }, expected: DROP },
    { input: { ...ack, extensions: [{ type: 51 }] }, expected: DROP },
  ];
  for (const { input, expected } of cases) {
    assertEquals(verdict(input), expected, JSON.stringify(input));
  }
});

Deno.test("classicFilter passes ICMP errors about TCP alone", () => {
  const quote = (version: 4 | 6, protocol = 6) => ipPacket({ version, protocol });
  const cases: { version: 4 | 6; packet: Uint8Array; expected: number }[] = [
    { version: 4, packet: icmpPacket(4, 3, 1, quote(4)), expected: PASS },
    { version: 4, packet: icmpPacket(4, 11, 0, quote(4).subarray(0, 28)), expected: PASS },
    { version: 6, packet: icmpPacket(6, 1, 0, quote(6)), expected: PASS },
    { version: 6, packet: icmpPacket(6, 3, 0, quote(6).subarray(0, 48)), expected: PASS },
    { version: 4, packet: icmpPacket(4, 3, 3, quote(4, 17)), expected: DROP },
    { version: 6, packet: icmpPacket(6, 1, 4, quote(6, 17)), expected: DROP },
    { version: 4, packet: icmpPacket(4, 8, 0, quote(4)), expected: DROP },
    { version: 4, packet: icmpPacket(4, 5, 1, quote(4)), expected: DROP },
    { version: 6, packet: icmpPacket(6, 128, 0, quote(6)), expected: DROP },
  ];
  for (const { version, packet, expected } of cases) {
    const protocol = version === 4 ? ETH_P_IP : ETH_P_IPV6;
    const metadata = { protocol, packetType: PACKET_HOST, interfaceIndex: 2 };
    assertEquals(run(classicFilter(), packet, metadata), expected, `${version} ${packet}`);
  }
});

Deno.test("classicFilter looks behind one VLAN tag left in the data", () => {
  const outer = { tpid: ETH_P_8021AD, tci: 7 };
  for (const version of [4, 6] as const) {
    // 0x4000 and 0x6000 are priorities that look like an IP version.
    for (const tci of [5, 0x4005, 0x6005]) {
      for (
        const [flags, payloadBytes, expected] of [
          [TCP.syn, 0, PASS],
          [TCP.ack, 0, PASS],
          [TCP.ack, 1, DROP],
        ] as const
      ) {
        const frame = ethernetFrame(ipPacket({ version, flags, payloadBytes }), [
          outer,
          { tpid: ETH_P_8021Q, tci },
        ]);
        // As the kernel presents it: the outer tag taken out, the data starting with the inner one.
        const actual = run(classicFilter(), frame.slice(ETHERNET_HEADER_BYTES + 4), {
          protocol: ETH_P_8021Q,
          packetType: PACKET_HOST,
          interfaceIndex: 2,
        });
        assertEquals(actual, expected, JSON.stringify({ version, tci, flags, payloadBytes }));
      }
    }
    for (const protocol of [ETH_P_8021Q, ETH_P_8021AD]) {
      // As sent through a device that tags in software: the network header lies behind the tag.
      assertEquals(verdict({ version }, { protocol, packetType: PACKET_OUTGOING }), PASS);
    }
  }
});

Deno.test("classicFilter drops the sent copy on loopback and other protocols", () => {
  assertEquals(verdict({}, { interfaceIndex: 1, packetType: PACKET_OUTGOING }), DROP);
  assertEquals(verdict({}, { interfaceIndex: 1, packetType: PACKET_HOST }), PASS);
  assertEquals(verdict({}, { interfaceIndex: 2, packetType: PACKET_OUTGOING }), PASS);
  for (const protocol of [0x0806, 0x8864, 0x88cc]) assertEquals(verdict({}, { protocol }), DROP);
});

Deno.test("classicFilter drops a packet cut off before the end of its fixed headers", () => {
  for (const version of [4, 6] as const) {
    const whole = ipPacket({ version, flags: TCP.ack });
    const needed = whole.length - 6; // up to the flags
    for (let length = 0; length <= whole.length; length++) {
      const protocol = version === 4 ? ETH_P_IP : ETH_P_IPV6;
      const actual = run(classicFilter(), whole.slice(0, length), {
        protocol,
        packetType: PACKET_HOST,
        interfaceIndex: 2,
      });
      assertEquals(actual, length < needed ? DROP : PASS, `IPv${version}, ${length} bytes`);
    }
  }
});

Deno.test("classicFilter jumps only forward and inside the program, and ends in a return", () => {
  const program = classicFilter();
  const view = new DataView(program.buffer);
  const instructions = program.length / 8;
  assert(instructions <= 4096); // BPF_MAXINSNS
  for (let pc = 0; pc < instructions; pc++) {
    const code = view.getUint16(pc * 8, true);
    const farthest = code === 0x05
      ? view.getUint32(pc * 8 + 4, true)
      : Math.max(view.getUint8(pc * 8 + 2), view.getUint8(pc * 8 + 3));
    assert(pc + 1 + farthest < instructions || code === 0x06, `instruction ${pc}`);
  }
  assertEquals(view.getUint16((instructions - 1) * 8, true), 0x06);
});

Deno.test("classicFilter captures as many bytes as asked for", () => {
  const metadata = { protocol: ETH_P_IP, packetType: PACKET_HOST, interfaceIndex: 2 };
  assertEquals(run(classicFilter(96), ipPacket({}), metadata), 96);
});
