import { assertEquals } from "@std/assert";
import { decodeFrame, FrameVerdict, LinkType } from "../../../src/wire/frame.ts";
import { HandshakeGate } from "../../../src/wire/handshake_gate.ts";
import { Segment, TcpFlag } from "../../../src/wire/segment.ts";
import * as build from "./build_frame.ts";

const { SYN, ACK, RST, FIN, PSH } = TcpFlag;
const CLIENT = { source: "192.0.2.1", destination: "198.51.100.2" };
const CLIENT6 = { source: "2001:db8::1", destination: "2001:db8::2" };

type Link = "ethernet" | "sll" | "sll2" | "raw";
const LINKS: Record<Link, { linkType: number; build: (payload: Uint8Array) => Uint8Array }> = {
  ethernet: {
    linkType: LinkType.ETHERNET,
    build: (payload) => build.buildEthernet({ payload }),
  },
  sll: { linkType: LinkType.LINUX_SLL, build: (payload) => build.buildSll({ payload }) },
  sll2: { linkType: LinkType.LINUX_SLL2, build: (payload) => build.buildSll2({ payload }) },
  raw: { linkType: LinkType.RAW, build: (payload) => payload },
};

/** A packet between client and server: x is 1000, y is 5000. */
function packet(version: 4 | 6, fromClient: boolean, fields: build.TcpFields): Uint8Array {
  const tcp = build.buildTcp({
    sourcePort: fromClient ? 40_000 : 443,
    destinationPort: fromClient ? 443 : 40_000,
    ...fields,
  });
  const { source, destination } = version === 4 ? CLIENT : CLIENT6;
  const ends = fromClient ? { source, destination } : { source: destination, destination: source };
  return version === 4
    ? build.buildIpv4({ ...ends, payload: tcp })
    : build.buildIpv6({ ...ends, payload: tcp });
}

const SYN_ACK = { flags: SYN | ACK, sequence: 5_000, acknowledgment: 1_001 };
const THIRD = { flags: ACK, sequence: 1_001, acknowledgment: 5_001 };

/** A gate and the frames of one link. */
function gateOn(link: Link, seed = 1) {
  const gate = new HandshakeGate(seed);
  const { linkType, build: wrap } = LINKS[link];
  const passes = (ip: Uint8Array, timeNs = 0) => {
    const frame = wrap(ip);
    gate.nowNs = timeNs;
    return gate.passes(new DataView(frame.buffer), 0, frame.length, linkType);
  };
  const decode = (ip: Uint8Array, timeNs: number) => {
    const frame = wrap(ip);
    const segment = new Segment();
    const view = new DataView(frame.buffer);
    assertEquals(
      decodeFrame(view, 0, frame.length, frame.length, linkType, segment),
      FrameVerdict.Tcp,
    );
    gate.nowNs = timeNs;
    return segment;
  };
  const open = (ip: Uint8Array, timeNs = 0) => gate.open(decode(ip, timeNs));
  const close = (ip: Uint8Array, timeNs = 0) => gate.close(decode(ip, timeNs));
  return { passes, open, close };
}

for (const link of Object.keys(LINKS) as Link[]) {
  for (const version of [4, 6] as const) {
    Deno.test(`HandshakeGate passes handshakes and no data, IPv${version} on ${link}`, () => {
      const { passes, open, close } = gateOn(link);
      assertEquals(passes(packet(version, true, THIRD)), false);
      for (const flags of [SYN, SYN | ACK, RST, RST | ACK, SYN | FIN]) {
        assertEquals(passes(packet(version, true, { flags })), true);
      }
      for (const flags of [ACK, PSH | ACK, FIN | ACK, 0]) {
        assertEquals(passes(packet(version, true, { flags })), false);
      }
      open(packet(version, false, SYN_ACK));
      // What the server sends may be what is acknowledged; another number is of a wrong third packet.
      assertEquals(passes(packet(version, false, { flags: ACK, sequence: 5_001 })), true);
      assertEquals(passes(packet(version, true, { ...THIRD, acknowledgment: 5_002 })), true);
      assertEquals(passes(packet(version, true, { ...THIRD, sequence: 1_002 })), true);
      assertEquals(passes(packet(version, true, { ...THIRD, flags: 0 })), true);
      assertEquals(passes(packet(version, true, { ...THIRD, sourcePort: 40_001 })), false);
      // Seen alone it closes nothing: the host may throw it away.
      assertEquals(passes(packet(version, true, THIRD)), true);
      close(packet(version, true, { ...THIRD, acknowledgment: 5_002 }));
      close(packet(version, false, THIRD));
      assertEquals(passes(packet(version, true, THIRD)), true);
      close(packet(version, true, THIRD));
      assertEquals(passes(packet(version, true, THIRD)), false);
    });
  }
}

Deno.test("HandshakeGate passes the answer to a SYN-ACK that was not captured, and nothing else", () => {
  const { passes, open, close } = gateOn("ethernet");
  open(packet(4, true, { flags: SYN, sequence: 1_000 }));
  assertEquals(passes(packet(4, false, { flags: ACK, sequence: 5_001 })), false);
  assertEquals(passes(packet(4, true, { ...THIRD, sequence: 1_500 })), false);
  // Also one that is captured before the SYN-ACK, whose numbers are not known here.
  assertEquals(passes(packet(4, true, { ...THIRD, acknowledgment: 77 })), true);
  open(packet(4, true, { flags: SYN, sequence: 1_000 }));
  open(packet(4, false, SYN_ACK));
  open(packet(4, true, { flags: SYN, sequence: 1_000 }));
  assertEquals(passes(packet(4, true, THIRD)), true);
  close(packet(4, true, THIRD));
  assertEquals(passes(packet(4, true, THIRD)), false);
});

Deno.test("HandshakeGate knows both ends though their numbers are the same", () => {
  const { passes, open, close } = gateOn("ethernet");
  open(packet(4, true, { flags: SYN, sequence: 0 }));
  open(packet(4, false, { flags: SYN | ACK, sequence: 0, acknowledgment: 1 }));
  const next = { flags: ACK, sequence: 1, acknowledgment: 1 };
  close(packet(4, false, next));
  assertEquals([passes(packet(4, false, next)), passes(packet(4, true, next))], [true, true]);
  close(packet(4, true, next));
  assertEquals(passes(packet(4, true, next)), false);
});

Deno.test("HandshakeGate takes no two connections for one, whatever both their ports have in common", () => {
  const [client, server] = [40_000, 443];
  const others = [
    ...Array.from({ length: 16 }, (_, bit) => [client ^ 1 << bit, server ^ 1 << bit]),
    ...[1, 2, 100].map((step) => [client + step, server - step]),
    [server, client],
  ].map(([sourcePort, destinationPort]) =>
    packet(4, true, { ...THIRD, sourcePort, destinationPort })
  );
  // By chance, one of 2^32; where ends are only added up, each of the first sixteen for half of the seeds.
  for (let seed = 1; seed <= 64; seed++) {
    const { passes, open } = gateOn("ethernet", seed * 0x1234_5679);
    open(packet(4, false, SYN_ACK));
    assertEquals(others.map((other) => passes(other)), others.map(() => false));
    assertEquals(passes(packet(4, true, THIRD)), true);
  }
});

Deno.test("HandshakeGate passes all that may count where one tuple has several attempts", () => {
  const { passes, open } = gateOn("ethernet");
  const data = packet(4, true, { flags: ACK, sequence: 9_999, acknowledgment: 7 });
  open(packet(4, true, { flags: SYN, sequence: 1_000 }));
  open(packet(4, true, { flags: SYN, sequence: 2_000 }));
  assertEquals(passes(data), true);
  const early = gateOn("ethernet");
  early.open(packet(4, true, { flags: SYN, sequence: 1_000, payload: new Uint8Array(9) }));
  assertEquals(early.passes(data), true);
});

Deno.test("HandshakeGate lets go of a handshake that many packets did not complete", () => {
  const { passes, open } = gateOn("ethernet");
  open(packet(4, false, SYN_ACK));
  const data = packet(4, true, { ...THIRD, sequence: 1_500 });
  for (let count = 0; count < 4_097; count++) assertEquals(passes(data), true);
  assertEquals([passes(data), passes(packet(4, true, THIRD))], [false, false]);
});

Deno.test("HandshakeGate forgets a SYN-ACK that stays unanswered, after 3 minutes", () => {
  const { passes, open } = gateOn("ethernet");
  open(packet(4, false, SYN_ACK), 0);
  assertEquals(passes(packet(4, true, { ...THIRD, sequence: 7 }), 180e9), true);
  assertEquals(passes(packet(4, true, THIRD), 181e9), false);
});

Deno.test("HandshakeGate passes all of handshakes that meet in a bucket", () => {
  const { passes, open } = gateOn("ethernet");
  // With more handshakes than buckets some must meet; whatever happens none is held back.
  const port = (index: number) => 1_024 + index % 60_000;
  const address = (index: number) => `10.0.0.${1 + Math.floor(index / 60_000)}`;
  const count = 150_000;
  const frame = (index: number, fromClient: boolean, fields: build.TcpFields) => {
    const client = address(index);
    return build.buildIpv4({
      source: fromClient ? client : "198.51.100.2",
      destination: fromClient ? "198.51.100.2" : client,
      payload: build.buildTcp({
        sourcePort: fromClient ? port(index) : 443,
        destinationPort: fromClient ? 443 : port(index),
        ...fields,
      }),
    });
  };
  for (let index = 0; index < count; index += 5) open(frame(index, false, SYN_ACK));
  for (let index = 0; index < count; index += 5) {
    if (!passes(frame(index, true, THIRD))) throw new Error(`third packet ${index} was held back`);
  }
});

Deno.test("HandshakeGate leaves to the decoder what it does not see at a glance", () => {
  const tcp = build.buildTcp(THIRD);
  const cases: { name: string; frame: Uint8Array; linkType?: number }[] = [
    {
      name: "a VLAN tag",
      frame: build.buildEthernet({ tags: [{ etherType: 0x8100, tci: 5 }] }),
    },
    { name: "ARP", frame: build.buildEthernet({ etherType: 0x0806, payload: new Uint8Array(60) }) },
    {
      name: "UDP",
      frame: build.buildEthernet({ payload: build.buildIpv4({ protocol: 17, payload: tcp }) }),
    },
    {
      name: "a fragment",
      frame: build.buildEthernet({
        payload: build.buildIpv4({ payload: tcp, moreFragments: true }),
      }),
    },
    {
      name: "a later fragment",
      frame: build.buildEthernet({ payload: build.buildIpv4({ payload: tcp, fragmentOffset: 3 }) }),
    },
    {
      name: "an extension header",
      frame: build.buildEthernet({
        payload: build.buildIpv6({ payload: tcp, extensions: [build.ipv6Extension(0)] }),
      }),
    },
    {
      name: "IPv4 options, which may be a route",
      frame: build.buildEthernet({
        payload: build.buildIpv4({ payload: tcp, options: new Uint8Array(8) }),
      }),
    },
    {
      name: "an impossible header length",
      frame: build.buildEthernet({ payload: build.buildIpv4({ payload: tcp, headerLength: 4 }) }),
    },
    { name: "another link type", frame: build.buildEthernet(), linkType: 105 },
    {
      name: "an EtherType that lies",
      frame: build.buildEthernet({
        etherType: 0x86dd,
        payload: build.buildIpv4({ payload: tcp }),
      }),
    },
  ];
  for (const { name, frame, linkType } of cases) {
    const view = new DataView(frame.buffer);
    const passes = new HandshakeGate().passes(view, 0, frame.length, linkType ?? 1);
    assertEquals(passes, true, name);
  }
});

Deno.test("HandshakeGate passes every frame that the capture cut before the end of TCP's header", () => {
  const frames = [
    build.buildEthernet({ payload: packet(4, true, THIRD) }),
    build.buildEthernet({ payload: packet(6, true, THIRD) }),
  ];
  for (const frame of frames) {
    const view = new DataView(frame.buffer);
    for (let end = 0; end < frame.length; end++) {
      assertEquals(new HandshakeGate().passes(view, 0, end, LinkType.ETHERNET), true, `${end}`);
    }
    assertEquals(new HandshakeGate().passes(view, 0, frame.length, LinkType.ETHERNET), false);
  }
});
