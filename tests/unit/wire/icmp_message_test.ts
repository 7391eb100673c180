import { assertEquals } from "@std/assert";
import { formatAddress } from "../../../src/wire/address.ts";
import { IcmpError } from "../../../src/wire/icmp.ts";
import { readIcmpError } from "../../../src/wire/icmp_message.ts";
import { FrameVerdict, frameVerdictNames, LinkType } from "../../../src/wire/frame.ts";
import { TcpFlag } from "../../../src/wire/segment.ts";
import { tunnelNames } from "../../../src/wire/tunnel.ts";
import {
  buildEthernet,
  buildIcmp,
  buildIpv4,
  buildIpv6,
  buildTcp,
  concat,
  ipv6Authentication,
  ipv6Extension,
  ipv6Fragment,
} from "./build_frame.ts";
import { WRAPPINGS } from "./build_wrapping.ts";
import { decode } from "./decode.ts";
import { guardedView } from "./guarded_view.ts";

const SYN = buildTcp({ sourcePort: 40_000, destinationPort: 81, sequence: 77, window: 999 });
const ROUTER = "203.0.113.9";
const ROUTER6 = "2001:db8::9";

function overIpv4(type: number, code: number, quoted: Uint8Array, rest = 0): Uint8Array {
  return buildIpv4({ source: ROUTER, protocol: 1, payload: buildIcmp(type, code, quoted, rest) });
}

function overIpv6(type: number, code: number, quoted: Uint8Array, rest = 0): Uint8Array {
  return buildIpv6({ source: ROUTER6, protocol: 58, payload: buildIcmp(type, code, quoted, rest) });
}

/** Reads a frame's error; undefined where there is none that quotes TCP. */
function read(bytes: Uint8Array, linkType?: number, captured = bytes.length) {
  const { verdict, segment } = decode({ bytes, linkType, captured });
  if (verdict !== FrameVerdict.IcmpError) return undefined;
  const error = new IcmpError();
  // The place where decode() puts frames.
  const view = guardedView(bytes.subarray(0, captured), 32);
  return readIcmpError(view, segment, error) ? error : undefined;
}

Deno.test("readIcmpError reads who says what of which segment", () => {
  const quoted4 = buildIpv4({ payload: SYN });
  const quoted6 = buildIpv6({ payload: SYN });
  const cases = [
    { packet: overIpv4(3, 13, quoted4), version: 4, reporter: ROUTER, isIpv6: false },
    { packet: overIpv4(11, 0, quoted4), version: 4, reporter: ROUTER, isIpv6: false },
    { packet: overIpv6(1, 1, quoted6), version: 6, reporter: ROUTER6, isIpv6: true },
    { packet: overIpv6(3, 0, quoted6), version: 6, reporter: ROUTER6, isIpv6: true },
  ];
  for (const { packet, version, reporter, isIpv6 } of cases) {
    const error = read(buildEthernet({ payload: packet }))!;
    const { quoted } = error;
    assertEquals([error.isIpv6, formatAddress(error.reporter)], [isIpv6, reporter]);
    assertEquals(
      [quoted.ipVersion, quoted.sourcePort, quoted.destinationPort, quoted.sequence],
      [version, 40_000, 81, 77],
    );
    assertEquals([quoted.flags, quoted.window, quoted.acknowledgment], [TcpFlag.SYN, 999, 0]);
    const [source, destination] = version === 4
      ? ["192.0.2.1", "198.51.100.2"]
      : ["2001:db8::1", "2001:db8::2"];
    assertEquals(formatAddress(quoted.source), source);
    assertEquals(formatAddress(quoted.destination), destination);
  }
  const { type, code } = read(buildEthernet({ payload: overIpv4(3, 13, quoted4) }))!;
  assertEquals([type, code], [3, 13]);
});

Deno.test("readIcmpError takes 8 bytes of the segment, and knows no flags then", () => {
  for (const options of [new Uint8Array(0), new Uint8Array(8)]) {
    const whole = buildIpv4({ options, payload: SYN });
    const quoted = whole.subarray(0, whole.length - SYN.length + 8);
    const error = read(overIpv4(3, 1, quoted), LinkType.RAW)!;
    assertEquals([error.quoted.sequence, error.quoted.flags, error.quoted.window], [77, 0, 0]);
    assertEquals(read(overIpv4(3, 1, quoted.subarray(0, -1)), LinkType.RAW), undefined);
  }
});

Deno.test("readIcmpError reads behind the extension headers of what is quoted", () => {
  const chains = [
    [ipv6Extension(0), ipv6Extension(60, 2)],
    [ipv6Extension(43)],
    [ipv6Fragment(0, true)],
    [ipv6Authentication()],
  ];
  for (const extensions of chains) {
    const error = read(overIpv6(1, 0, buildIpv6({ extensions, payload: SYN })), LinkType.RAW);
    assertEquals(error?.quoted.sequence, 77);
  }
  const later = buildIpv6({ extensions: [ipv6Fragment(9, false)], payload: SYN });
  assertEquals(read(overIpv6(1, 0, later), LinkType.RAW), undefined);
  const endless = buildIpv6({ extensions: Array(9).fill(ipv6Extension(0)), payload: SYN });
  assertEquals(read(overIpv6(1, 0, endless), LinkType.RAW), undefined);
});

Deno.test("readIcmpError takes no ICMP extension for a part of what is quoted", () => {
  // The packet is filled up with zeros to 128 bytes; a version 2 extension follows (RFC 4884 §7).
  const extension = new Uint8Array([0x20, 0, 0, 0, 0, 8, 1, 1, 0, 0, 0x10, 1]);
  const short = buildIpv4({ payload: SYN }).subarray(0, 28);
  const filled = concat(short, new Uint8Array(128 - short.length), extension);
  const told = read(overIpv4(11, 0, filled, 32 << 16), LinkType.RAW)!;
  assertEquals([told.quoted.sequence, told.quoted.flags], [77, 0]);
  const whole = buildIpv6({ payload: SYN });
  const filled6 = concat(whole, new Uint8Array(128 - whole.length), extension);
  const told6 = read(overIpv6(3, 0, filled6, 16 << 24), LinkType.RAW)!;
  assertEquals([told6.quoted.sequence, told6.quoted.flags], [77, TcpFlag.SYN]);
  // One that says that it quotes less than it must.
  assertEquals(read(overIpv4(11, 0, filled, 6 << 16), LinkType.RAW), undefined);
});

Deno.test("readIcmpError reads an error cut after 8 bytes of the segment, and no shorter one", () => {
  for (
    const packet of [
      overIpv4(3, 0, buildIpv4({ payload: SYN })),
      overIpv6(1, 0, buildIpv6({ payload: SYN })),
    ]
  ) {
    const enough = packet.length - SYN.length + 8;
    for (let captured = 0; captured <= packet.length; captured++) {
      const error = read(packet, LinkType.RAW, captured);
      assertEquals(error !== undefined, captured >= enough, `${captured}`);
    }
  }
});

Deno.test("readIcmpError refuses what quotes no TCP segment", () => {
  const cases = [
    overIpv4(3, 3, buildIpv4({ protocol: 17, payload: SYN })),
    overIpv4(3, 3, buildIpv4({ fragmentOffset: 3, payload: SYN })),
    overIpv4(3, 3, buildIpv4({ headerLength: 4, payload: SYN })),
    overIpv4(3, 3, buildIpv6({ payload: SYN })),
    overIpv6(1, 3, buildIpv4({ payload: SYN })),
    overIpv6(1, 3, buildIpv6({ protocol: 17, payload: SYN })),
  ];
  for (const packet of cases) assertEquals(read(packet, LinkType.RAW), undefined);
});

Deno.test("decodeFrame finds ICMP errors in whatever wraps them", () => {
  const quoted = buildIpv4({ payload: SYN });
  for (const { name, linkType, wrap, tunnels } of WRAPPINGS) {
    if (name.includes("transport mode")) continue;
    const error = read(wrap(overIpv4(3, 1, quoted)), linkType);
    assertEquals(error?.quoted.sequence, 77, name);
    assertEquals(tunnelNames(error!.quoted.tunnels), tunnels, name);
  }
  const tags = [{ etherType: 0x8100, tci: 9 }];
  assertEquals(read(buildEthernet({ tags, payload: overIpv4(3, 1, quoted) }))?.quoted.vlan, 9);
});

Deno.test("decodeFrame leaves other ICMP alone", () => {
  for (const packet of [overIpv4(8, 0, SYN), overIpv4(5, 0, SYN), overIpv6(128, 0, SYN)]) {
    const { verdict } = decode({ bytes: packet, linkType: LinkType.RAW });
    assertEquals(frameVerdictNames[verdict], "not_tcp");
  }
});
