import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { formatAddress } from "../../../src/wire/address.ts";
import {
  decodeFrame,
  decodePacket,
  FrameVerdict,
  frameVerdictNames,
  LinkType,
} from "../../../src/wire/frame.ts";
import { Segment, TcpFlag } from "../../../src/wire/segment.ts";
import {
  buildEthernet,
  buildIpv4,
  buildIpv6,
  buildLoopback,
  buildNflog,
  buildPppoe,
  buildSll,
  buildSll2,
  buildTags,
  buildTcp,
  concat,
  ipv6Extension,
  linuxSynOptions,
  tcpOption,
  u16,
} from "./build_frame.ts";
import { WRAPPINGS } from "./build_wrapping.ts";
import { decode, decodeNetwork, verdictOf } from "./decode.ts";
import { guardedView } from "./guarded_view.ts";
import { testWrappings } from "./test_wrappings.ts";

const linkTypes = Object.values(LinkType);

/** Every link type's way to carry an IP packet. */
function wrap(linkType: number, packet: Uint8Array): Uint8Array {
  switch (linkType) {
    case LinkType.ETHERNET:
      return buildEthernet({ payload: packet });
    case LinkType.LINUX_SLL:
      return buildSll({ payload: packet });
    case LinkType.LINUX_SLL2:
      return buildSll2({ payload: packet });
    case LinkType.NULL:
      return buildLoopback(packet[0] >>> 4 === 6 ? 30 : 2, true, packet);
    case LinkType.LOOP:
      return buildLoopback(packet[0] >>> 4 === 6 ? 24 : 2, false, packet);
    case LinkType.PPP:
    case LinkType.PPP_HDLC:
      return concat(u16(0xff03, packet[0] >>> 4 === 6 ? 0x57 : 0x21), packet);
    case LinkType.C_HDLC:
      return concat(u16(0x0f00, packet[0] >>> 4 === 6 ? 0x86dd : 0x0800), packet);
    case LinkType.PPP_ETHER:
      return buildPppoe(packet[0] >>> 4 === 6 ? 0x57 : 0x21, packet);
    case LinkType.NFLOG:
      return buildNflog(packet[0] >>> 4 === 6 ? 10 : 2, true, [9, packet]);
    default:
      return WRAPPINGS.find((each) => each.linkType === linkType)?.wrap(packet) ?? packet;
  }
}

/** The handshake of the documentation: one connection, x and y with their acknowledgments. */
const clientAddress = "192.168.100.191";
const serverAddress = "172.67.149.132";
const x = 0x4ce45750;
const y = 0xc112f693;

Deno.test("decodeFrame reads the worked example's three packets", () => {
  const fromClient = { source: clientAddress, destination: serverAddress };
  const fromServer = { source: serverAddress, destination: clientAddress };
  const clientPorts = { sourcePort: 52312, destinationPort: 443 };
  const serverPorts = { sourcePort: 443, destinationPort: 52312 };
  const packets = [
    buildIpv4({
      ...fromClient,
      payload: buildTcp({
        ...clientPorts,
        sequence: x,
        flags: TcpFlag.SYN,
        window: 64240,
        options: linuxSynOptions({ mss: 1460, windowScale: 7 }),
      }),
    }),
    buildIpv4({
      ...fromServer,
      payload: buildTcp({
        ...serverPorts,
        sequence: y,
        acknowledgment: 0x4ce45751,
        flags: TcpFlag.SYN | TcpFlag.ACK,
        window: 65535,
        options: concat(tcpOption(2, u16(1400)), tcpOption(4), tcpOption(3, [13])),
      }),
    }),
    buildIpv4({
      ...fromClient,
      payload: buildTcp({
        ...clientPorts,
        sequence: 0x4ce45751,
        acknowledgment: 0xc112f694,
        flags: TcpFlag.ACK,
        window: 502,
      }),
    }),
  ];
  const [syn, synAck, ack] = packets.map((payload) => {
    const { verdict, segment } = decode({ bytes: buildEthernet({ payload }) });
    assertEquals(verdict, FrameVerdict.Tcp);
    return segment;
  });

  assertEquals(formatAddress(syn.source), clientAddress);
  assertEquals(formatAddress(syn.destination), serverAddress);
  assertEquals([syn.sourcePort, syn.destinationPort], [52312, 443]);
  assertEquals(syn.sequence, 1290032976);
  assertEquals(syn.flags, TcpFlag.SYN);
  assertEquals(syn.window, 64240);
  assertEquals([syn.options.mss, syn.options.windowScale], [1460, 7]);
  assertEquals([syn.options.sackPermitted, syn.options.timestamps], [true, true]);

  assertEquals(formatAddress(synAck.source), serverAddress);
  assertEquals([synAck.sourcePort, synAck.destinationPort], [443, 52312]);
  assertEquals(synAck.sequence, 3239245459);
  assertEquals(synAck.acknowledgment, 0x4ce45751);
  assertEquals(synAck.flags, TcpFlag.SYN | TcpFlag.ACK);
  assertEquals([synAck.options.mss, synAck.options.windowScale], [1400, 13]);
  assertEquals([synAck.options.sackPermitted, synAck.options.timestamps], [true, false]);

  assertEquals([ack.sequence, ack.acknowledgment], [0x4ce45751, 0xc112f694]);
  assertEquals([ack.flags, ack.payloadLength, ack.vlan], [TcpFlag.ACK, 0, -1]);
});

Deno.test("decodeFrame decodes both IP versions in every link type", () => {
  for (const linkType of linkTypes) {
    for (const [version, packet] of [[4, buildIpv4()], [6, buildIpv6()]] as const) {
      const { verdict, segment } = decode({ bytes: wrap(linkType, packet), linkType });
      const other = linkType === LinkType.IPV4 && version === 6 ||
        linkType === LinkType.IPV6 && version === 4;
      const expected = other ? "bad_ip_version" : "tcp";
      assertEquals(frameVerdictNames[verdict], expected, `link type ${linkType}, IPv${version}`);
      if (!other) assertEquals([segment.ipVersion, segment.sourcePort], [version, 40000]);
    }
  }
});

Deno.test("decodeFrame does not know other link types", () => {
  for (const linkType of [-1, 2, 107, 128, 277, 65535]) {
    assertEquals(verdictOf({ bytes: buildEthernet(), linkType }), "unknown_link");
  }
});

Deno.test("decodeFrame reads the options of segments without SYN too", () => {
  const payload = buildTcp({ flags: TcpFlag.ACK, options: linuxSynOptions({ timestampEcho: 77 }) });
  const { segment } = decode({ bytes: buildEthernet({ payload: buildIpv4({ payload }) }) });
  assertEquals([segment.options.timestamps, segment.options.timestampEcho], [true, 77]);
});

Deno.test("decodeFrame keeps to the view when the captured end lies behind it", () => {
  const frame = buildEthernet();
  for (let length = 0; length < frame.length; length++) {
    const view = new DataView(frame.buffer, 0, length);
    const verdict = decodeFrame(view, 0, 1000, 1000, LinkType.ETHERNET, new Segment());
    assert(frameVerdictNames[verdict].startsWith("truncated_"), `${length}`);
  }
});

Deno.test("decodeFrame round-trips arbitrary fields through every link type", () => {
  const u32 = fc.nat({ max: 0xffffffff });
  const port = fc.nat({ max: 0xffff });
  const words = fc.array(u32, { minLength: 4, maxLength: 4 }).map((list) => new Uint32Array(list));
  const mapped = u32.map((last) => new Uint32Array([0, 0, 0xffff, last]));
  fc.assert(fc.property(
    fc.constantFrom(...linkTypes),
    fc.oneof(fc.tuple(fc.constant(4), mapped, mapped), fc.tuple(fc.constant(6), words, words)),
    fc.record({
      sourcePort: port,
      destinationPort: port,
      sequence: u32,
      acknowledgment: u32,
      flags: fc.nat({ max: 0x1ff }),
      window: port,
    }),
    fc.uint8Array({ maxLength: 20 }),
    fc.uint8Array({ maxLength: 8 }),
    (linkType, [version, source, destination], fields, payload, trailer) => {
      fc.pre(linkType !== LinkType.IPV4 || version === 4);
      fc.pre(linkType !== LinkType.IPV6 || version === 6);
      const build = version === 4 ? buildIpv4 : buildIpv6;
      const tcp = buildTcp({ ...fields, options: linuxSynOptions(), payload });
      const packet = build({ source, destination, payload: tcp });
      const bytes = concat(wrap(linkType, packet), trailer);
      const { verdict, segment } = decode({ bytes, linkType });
      assertEquals(verdict, FrameVerdict.Tcp);
      const { source: from, destination: to, ipVersion, payloadLength } = segment;
      assertEquals({ from, to, ipVersion, payloadLength }, {
        from: source,
        to: destination,
        ipVersion: version as 4 | 6,
        payloadLength: payload.length,
      });
      for (const [name, value] of Object.entries(fields)) {
        assertEquals(segment[name as keyof typeof fields], value, name);
      }
    },
  ));
});

Deno.test("guardedView refuses the reads that the tests of decoders forbid", () => {
  const view = guardedView(new Uint8Array([1, 2, 3, 4]), 8);
  assertEquals([view.getUint8(11), view.getUint16(10), view.getUint32(8)], [4, 0x304, 0x1020304]);
  assertThrows(() => view.getUint8(7), RangeError);
  assertThrows(() => view.getUint8(12), RangeError);
  assertThrows(() => view.getUint16(11), RangeError);
  assertThrows(() => view.getUint32(9), RangeError);
});

Deno.test("decodeFrame takes any bytes without throwing or reading outside", () => {
  const good = [
    buildIpv4({ options: new Uint8Array(4), payload: buildTcp({ options: linuxSynOptions() }) }),
    buildIpv6({ extensions: [ipv6Extension(0), ipv6Extension(60, 2)] }),
  ];
  // Random bytes end at the first header; a good frame with some bytes changed gets deeper.
  const mutated = fc.tuple(
    fc.constantFrom(...good),
    fc.array(fc.tuple(fc.nat({ max: 100 }), fc.nat({ max: 255 })), { maxLength: 5 }),
  );
  const frame = fc.constantFrom(...linkTypes).chain((linkType) =>
    fc.record({
      linkType: fc.constant(linkType as number),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 120 }),
        mutated.map(([packet, changes]) => {
          const bytes = wrap(linkType, packet).slice();
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          return bytes;
        }),
      ),
      cut: fc.nat({ max: 40 }),
      originalLength: fc.nat({ max: 100_000 }),
    })
  );
  fc.assert(
    fc.property(frame, ({ linkType, bytes, cut, originalLength }) => {
      const captured = Math.max(bytes.length - cut, 0);
      const { verdict, segment } = decode({ bytes, linkType, captured, originalLength });
      assert(frameVerdictNames[verdict] !== undefined);
      if (verdict !== FrameVerdict.Tcp) return;
      assert(segment.payloadLength >= 0);
      assert(segment.optionsLength >= 0 && segment.optionsLength <= 40);
      assert(segment.vlan >= -1 && segment.vlan <= 4095);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("decodePacket takes the protocol from the hint or from the packet", () => {
  const ipv4 = buildIpv4();
  const ipv6 = buildIpv6();
  const cases: { input: Uint8Array; hint?: number; expected: string }[] = [
    { input: ipv4, expected: "tcp" },
    { input: ipv6, expected: "tcp" },
    { input: ipv4, hint: 0, expected: "tcp" },
    { input: ipv4, hint: 0x0800, expected: "tcp" },
    { input: ipv6, hint: 0x86dd, expected: "tcp" },
    { input: ipv6, hint: 0x0800, expected: "bad_ip_version" },
    { input: ipv4, hint: 0x0806, expected: "not_ip" },
    { input: new Uint8Array(28), expected: "not_ip" },
    { input: new Uint8Array(0), expected: "truncated_ip" },
    { input: new Uint8Array(0), hint: 0x0800, expected: "truncated_ipv4" },
  ];
  for (const { input, hint, expected } of cases) {
    assertEquals(frameVerdictNames[decodeNetwork(input, hint).verdict], expected);
  }
});

Deno.test("decodePacket skips inner VLAN tags that the hint announces", () => {
  const inner = [{ etherType: 0x8100, tci: 0x2014 }, { etherType: 0x8100, tci: 30 }];
  for (const hint of [0x8100, 0x88a8, 0x9100]) {
    for (const tags of [inner.slice(0, 1), inner]) {
      const { verdict, segment } = decodeNetwork(buildTags({ tags }), hint);
      assertEquals(verdict, FrameVerdict.Tcp);
      assertEquals([segment.vlan, segment.destinationPort], [20, 443]);
    }
  }
});

Deno.test("decodePacket names the header in which the capture ends, at every length", () => {
  const bytes = buildTags({ tags: [{ etherType: 0x8100, tci: 1 }] });
  for (let captured = 0; captured <= bytes.length; captured++) {
    const expected = captured < 4
      ? "truncated_vlan_tag"
      : captured < 24
      ? "truncated_ipv4"
      : captured < 44
      ? "truncated_tcp"
      : "tcp";
    const { verdict } = decodeNetwork(bytes, 0x8100, captured);
    assertEquals(frameVerdictNames[verdict], expected, `${captured}`);
  }
});

Deno.test("decodePacket resets the VLAN id of the packet before", () => {
  const segment = new Segment();
  segment.vlan = 5;
  const bytes = buildIpv4();
  const view = guardedView(bytes, 0);
  decodePacket(view, 0, bytes.length, bytes.length, segment, 0x0800);
  assertEquals(segment.vlan, -1);
});

Deno.test("decodePacket takes any bytes under any hint without throwing or reading outside", () => {
  const hint = fc.constantFrom(0, 0x0800, 0x86dd, 0x8100, 0x88a8, 0x9100, 0x8864, 0x0806);
  fc.assert(
    fc.property(hint, fc.uint8Array({ maxLength: 120 }), (protocolHint, bytes) => {
      assert(frameVerdictNames[decodeNetwork(bytes, protocolHint).verdict] !== undefined);
    }),
    { numRuns: 3000 },
  );
});

testWrappings("frame", []);
