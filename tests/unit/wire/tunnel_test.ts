import { assertEquals } from "@std/assert";
import { decodeFrame, FrameVerdict, LinkType } from "../../../src/wire/frame.ts";
import { Segment } from "../../../src/wire/segment.ts";
import { buildEthernet, buildIpv4, buildIpv6, buildTcp, concat, u16 } from "./build_frame.ts";
import { type TunnelName, tunnelNames } from "../../../src/wire/tunnel.ts";
import { guardedView } from "./guarded_view.ts";

const INNER4 = buildIpv4({ source: "10.1.1.1", payload: buildTcp({ sequence: 77 }) });
const INNER6 = buildIpv6({ payload: buildTcp({ sequence: 77 }) });
const INNER_ETHERNET = buildEthernet({ payload: INNER4 });

function udp(port: number, payload: Uint8Array): Uint8Array {
  return concat(u16(50_000, port, payload.length + 8, 0), payload);
}

function vxlan(payload: Uint8Array, flags = 8): Uint8Array {
  return concat(new Uint8Array([flags, 0, 0, 0, 0, 0, 5, 0]), payload);
}

/** VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe). */
function gpe(next: number, payload: Uint8Array, flags = 0x0c): Uint8Array {
  return udp(4790, concat(new Uint8Array([flags, 0, 0, next, 0, 0, 5, 0]), payload));
}

function geneve(type: number, payload: Uint8Array, optionWords = 0, version = 0): Uint8Array {
  const head = concat(new Uint8Array([version << 6 | optionWords, 0]), u16(type));
  return concat(head, new Uint8Array(4 + 4 * optionWords), payload);
}

function gre(flags: number, type: number, fields: number, payload: Uint8Array): Uint8Array {
  return concat(u16(flags, type), new Uint8Array(4 * fields), payload);
}

function decode(packet: Uint8Array): [FrameVerdict, Segment] {
  const segment = new Segment();
  const view = guardedView(packet, 2);
  const end = 2 + packet.length;
  return [decodeFrame(view, 2, end, packet.length, LinkType.RAW, segment), segment];
}

const TUNNELS: {
  name: string;
  protocol: number;
  payload: Uint8Array;
  tunnel: TunnelName;
  over6?: TunnelName;
}[] = [
  { name: "IPv4 in IP", protocol: 4, payload: INNER4, tunnel: "ipip" },
  { name: "IPv6 in IP", protocol: 41, payload: INNER6, tunnel: "6in4", over6: "ipip" },
  { name: "GRE with IPv4", protocol: 47, payload: gre(0, 0x0800, 0, INNER4), tunnel: "gre" },
  { name: "GRE with IPv6", protocol: 47, payload: gre(0, 0x86dd, 0, INNER6), tunnel: "gre" },
  { name: "GRE with a key", protocol: 47, payload: gre(0x2000, 0x0800, 1, INNER4), tunnel: "gre" },
  {
    name: "GRE with all fields",
    protocol: 47,
    payload: gre(0xb000, 0x6558, 3, INNER_ETHERNET),
    tunnel: "gre",
  },
  { name: "VXLAN", protocol: 17, payload: udp(4789, vxlan(INNER_ETHERNET)), tunnel: "vxlan" },
  {
    name: "VXLAN on Linux' own port",
    protocol: 17,
    payload: udp(8472, vxlan(INNER_ETHERNET)),
    tunnel: "vxlan",
  },
  { name: "VXLAN-GPE with IPv4", protocol: 17, payload: gpe(1, INNER4), tunnel: "vxlan_gpe" },
  { name: "VXLAN-GPE with IPv6", protocol: 17, payload: gpe(2, INNER6), tunnel: "vxlan_gpe" },
  {
    name: "VXLAN-GPE with Ethernet",
    protocol: 17,
    payload: gpe(3, INNER_ETHERNET),
    tunnel: "vxlan_gpe",
  },
  {
    name: "VXLAN-GPE that names no next protocol",
    protocol: 17,
    payload: gpe(0, INNER_ETHERNET, 0x08),
    tunnel: "vxlan_gpe",
  },
  {
    name: "Geneve",
    protocol: 17,
    payload: udp(6081, geneve(0x6558, INNER_ETHERNET)),
    tunnel: "geneve",
  },
  {
    name: "Geneve with options",
    protocol: 17,
    payload: udp(6081, geneve(0x0800, INNER4, 3)),
    tunnel: "geneve",
  },
];

for (const { name, protocol, payload, tunnel, over6 } of TUNNELS) {
  Deno.test(`decodeTunnel finds the inner segment of ${name}`, () => {
    for (const outer of [buildIpv4({ protocol, payload }), buildIpv6({ protocol, payload })]) {
      const [verdict, segment] = decode(outer);
      assertEquals([verdict, segment.sequence], [FrameVerdict.Tcp, 77]);
      const isOver6 = outer[0] >>> 4 === 6;
      assertEquals(tunnelNames(segment.tunnels), [isOver6 ? over6 ?? tunnel : tunnel]);
      for (let length = 0; length < outer.length; length++) {
        assertEquals(decode(outer.subarray(0, length))[0] !== FrameVerdict.Tcp, true, `${length}`);
      }
    }
  });
}

Deno.test("decodeTunnel notes tunnels in tunnels, the outermost first, up to five", () => {
  let packet = INNER4;
  for (let depth = 1; depth <= 5; depth++) {
    packet = buildIpv4({ protocol: 4, payload: packet });
    const [verdict, segment] = decode(packet);
    assertEquals(verdict, FrameVerdict.Tcp);
    assertEquals(tunnelNames(segment.tunnels), Array(depth).fill("ipip"));
  }
  packet = buildIpv4({ protocol: 4, payload: packet });
  assertEquals(decode(packet)[0], FrameVerdict.TooManyTunnels);
  const mixed = udp(
    4789,
    vxlan(buildEthernet({
      payload: buildIpv6({ protocol: 47, payload: gre(0, 0x0800, 0, INNER4) }),
    })),
  );
  const [, segment] = decode(buildIpv4({ protocol: 17, payload: mixed }));
  assertEquals(tunnelNames(segment.tunnels), ["vxlan", "gre"]);
});

const OTHERS: { name: string; protocol: number; payload: Uint8Array; expected?: FrameVerdict }[] = [
  { name: "another UDP port", protocol: 17, payload: udp(53, vxlan(INNER_ETHERNET)) },
  { name: "VXLAN without its flag", protocol: 17, payload: udp(4789, vxlan(INNER_ETHERNET, 0)) },
  { name: "VXLAN-GPE without its flag", protocol: 17, payload: gpe(1, INNER4, 0x04) },
  { name: "VXLAN-GPE of another version", protocol: 17, payload: gpe(1, INNER4, 0x1c) },
  { name: "VXLAN-GPE for the tunnel itself", protocol: 17, payload: gpe(1, INNER4, 0x0d) },
  ...[0, 4, 6, 255].map((next) => ({
    name: `VXLAN-GPE with next protocol ${next}`,
    protocol: 17,
    payload: gpe(next, INNER4),
  })),
  { name: "another Geneve", protocol: 17, payload: udp(6081, geneve(0x0800, INNER4, 0, 1)) },
  { name: "GRE of PPTP", protocol: 47, payload: gre(0x3001, 0x880b, 2, INNER4) },
  { name: "GRE with routing", protocol: 47, payload: gre(0x4000, 0x0800, 1, INNER4) },
  { name: "ICMP", protocol: 1, payload: INNER4 },
  {
    name: "GRE with ARP",
    protocol: 47,
    payload: gre(0, 0x0806, 0, INNER4),
    expected: FrameVerdict.NotIp,
  },
];

for (const { name, protocol, payload, expected } of OTHERS) {
  Deno.test(`decodeTunnel gives a reason for ${name}`, () => {
    const [verdict] = decode(buildIpv4({ protocol, payload }));
    assertEquals(verdict, expected ?? FrameVerdict.NotTcp);
  });
}

Deno.test("decodeTunnel leaves fragments of a tunnel's packet alone", () => {
  for (const fields of [{ moreFragments: true }, { fragmentOffset: 5 }]) {
    const [verdict] = decode(buildIpv4({ protocol: 4, payload: INNER4, ...fields }));
    assertEquals(verdict, FrameVerdict.NotTcp);
  }
});

Deno.test("decodeTunnel reads a tunnel's header whole, and says that nothing stands behind it", () => {
  const empty = new Uint8Array(0);
  const ofEthernet = [udp(4789, vxlan(empty)), gpe(3, empty), udp(6081, geneve(0x6558, empty))];
  for (const payload of ofEthernet) {
    const [verdict] = decode(buildIpv4({ protocol: 17, payload }));
    assertEquals(verdict, FrameVerdict.TruncatedEthernet);
  }
});
