import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatAddress } from "../../../src/wire/address.ts";
import { LinkType } from "../../../src/wire/frame.ts";
import { decodeIpv6 } from "../../../src/wire/ipv6.ts";
import { Segment } from "../../../src/wire/segment.ts";
import { frameVerdictNames } from "../../../src/wire/verdict.ts";
import {
  buildIpv6,
  buildTcp,
  concat,
  ipv6Authentication,
  type Ipv6Extension,
  ipv6Extension,
  type Ipv6Fields,
  ipv6Fragment,
  u32,
} from "./build_frame.ts";
import { decode, verdictOf, verdictsByLength } from "./decode.ts";
import { guardedView } from "./guarded_view.ts";

const linkType = LinkType.IPV6;
const HOP_BY_HOP = 0;
const ROUTING = 43;
const DESTINATION_OPTIONS = 60;
const UDP = 17;
const NO_NEXT_HEADER = 59;
const ESP = 50;

Deno.test("decodeIpv6 reads addresses and ports", () => {
  const bytes = buildIpv6({ source: "2001:db8::7", destination: "::ffff:10.0.0.1" });
  const { segment } = decode({ bytes, linkType });
  assertEquals(formatAddress(segment.source), "2001:db8::7");
  assertEquals(formatAddress(segment.destination), "10.0.0.1");
  assertEquals(segment.ipVersion, 6);
  assertEquals(segment.destinationPort, 443);
});

Deno.test("decodeIpv6 walks extension headers to TCP, or says why not", () => {
  const tcp = buildTcp({ payload: new Uint8Array(9) });
  const cases: { input: Ipv6Fields; expected: string }[] = [
    { input: { extensions: [ipv6Extension(HOP_BY_HOP)] }, expected: "tcp" },
    { input: { extensions: [ipv6Extension(ROUTING, 3)] }, expected: "tcp" },
    { input: { extensions: [ipv6Extension(DESTINATION_OPTIONS, 32)] }, expected: "tcp" },
    { input: { extensions: [ipv6Authentication()] }, expected: "tcp" },
    { input: { extensions: [ipv6Authentication(0)] }, expected: "tcp" },
    { input: { extensions: [ipv6Fragment(0, true)] }, expected: "first_fragment" },
    { input: { extensions: [ipv6Fragment(0, false)] }, expected: "tcp" },
    {
      input: {
        extensions: [
          ipv6Extension(HOP_BY_HOP),
          ipv6Extension(DESTINATION_OPTIONS),
          ipv6Extension(ROUTING),
          ipv6Fragment(0, false),
          ipv6Authentication(),
          ipv6Extension(DESTINATION_OPTIONS),
        ],
      },
      expected: "tcp",
    },
    {
      input: { extensions: new Array<Ipv6Extension>(8).fill(ipv6Extension(DESTINATION_OPTIONS)) },
      expected: "tcp",
    },
    {
      input: { extensions: new Array<Ipv6Extension>(9).fill(ipv6Extension(DESTINATION_OPTIONS)) },
      expected: "too_many_ipv6_extensions",
    },
    { input: { extensions: [ipv6Fragment(1, true)] }, expected: "later_fragment" },
    { input: { extensions: [ipv6Fragment(0x1fff, false)] }, expected: "later_fragment" },
    {
      input: { extensions: [ipv6Fragment(1, true)], protocol: DESTINATION_OPTIONS },
      expected: "later_fragment",
    },
    { input: { extensions: [ipv6Fragment(1, true)], protocol: UDP }, expected: "not_tcp" },
    { input: { protocol: UDP }, expected: "not_tcp" },
    { input: { protocol: NO_NEXT_HEADER }, expected: "not_tcp" },
    { input: { protocol: ESP }, expected: "not_tcp" },
    { input: { extensions: [ipv6Extension(HOP_BY_HOP)], protocol: UDP }, expected: "not_tcp" },
    { input: { version: 4 }, expected: "bad_ip_version" },
    { input: { payloadLength: 19 }, expected: "bad_header_length" },
    {
      input: { extensions: [ipv6Extension(HOP_BY_HOP)], payloadLength: 7 },
      expected: "bad_header_length",
    },
    {
      input: { extensions: [ipv6Extension(HOP_BY_HOP, 2)], payloadLength: 10 },
      expected: "bad_header_length",
    },
    {
      input: { extensions: [ipv6Fragment(0, true)], payload: tcp.subarray(0, 16) },
      expected: "first_fragment",
    },
    { input: { payloadLength: 60 }, expected: "ip_length_beyond_packet" },
  ];
  for (const { input, expected } of cases) {
    const { verdict, segment } = decode({ bytes: buildIpv6({ payload: tcp, ...input }), linkType });
    assertEquals(frameVerdictNames[verdict], expected, JSON.stringify(input));
    if (expected === "tcp") assertEquals(segment.payloadLength, 9);
  }
});

Deno.test("decodeIpv6 refuses an extension header longer than the packet", () => {
  const bytes = buildIpv6({ extensions: [ipv6Extension(HOP_BY_HOP)] });
  bytes[41] = 255;
  assertEquals(verdictOf({ bytes, linkType }), "bad_header_length");
});

Deno.test("decodeIpv6 names the header in which the capture ends", () => {
  const bytes = buildIpv6({ extensions: [ipv6Extension(HOP_BY_HOP), ipv6Fragment(0, false)] });
  assertEquals(verdictsByLength(bytes, linkType), [
    [0, "truncated_ipv6"],
    [40, "truncated_ipv6_extension"],
    [56, "truncated_tcp"],
    [76, "tcp"],
  ]);
});

Deno.test("decodeIpv6 takes the payload length from the IP header", () => {
  const tcp = buildTcp({ payload: new Uint8Array(100) });
  const jumbo = ipv6Extension(HOP_BY_HOP);
  // Jumbo payload option, RFC 2675 §2.
  jumbo.body.set([0, 0xc2, 4, 0, 3, 0, 0]);
  const cases: { fields: Ipv6Fields; captured?: number; original?: number; expected: number }[] = [
    { fields: {}, expected: 100 },
    { fields: {}, captured: 60, expected: 100 },
    { fields: { payloadLength: 20 }, expected: 0 },
    { fields: { payloadLength: 65535 }, captured: 60, original: 65575, expected: 65515 },
    // BIG TCP without, jumbogram with the option.
    { fields: { payloadLength: 0 }, captured: 80, original: 200_060, expected: 200_000 },
    {
      fields: { payloadLength: 0, extensions: [jumbo] },
      captured: 90,
      original: 40 + 0x30000,
      expected: 0x30000 - 28,
    },
  ];
  for (const { fields, captured, original: originalLength, expected } of cases) {
    const bytes = buildIpv6({ payload: tcp, ...fields });
    const { verdict, segment } = decode({ bytes, linkType, captured, originalLength });
    assertEquals(frameVerdictNames[verdict], "tcp");
    assertEquals(segment.payloadLength, expected);
  }
});

Deno.test("decodeIpv6 does not read padding behind the packet as TCP", () => {
  const bytes = concat(buildIpv6({ payload: buildTcp().subarray(0, 12) }), new Uint8Array(14));
  assertEquals(verdictOf({ bytes, linkType }), "bad_header_length");
});

Deno.test("decodeIpv6 reads back arbitrary addresses at any offset", () => {
  const address = fc.array(fc.nat({ max: 0xffffffff }), { minLength: 4, maxLength: 4 })
    .map((words) => new Uint32Array(words));
  fc.assert(fc.property(address, address, fc.nat({ max: 50 }), (source, destination, at) => {
    const bytes = buildIpv6({ source, destination });
    const segment = new Segment();
    const end = at + bytes.length;
    assertEquals(decodeIpv6(guardedView(bytes, at), at, end, end, segment), 0);
    assertEquals(segment.source, source);
    assertEquals(segment.destination, destination);
  }));
});

Deno.test("decodeIpv6 names the end of a routing header as the destination", () => {
  const route = (type: number, left: number, ...lasts: number[]): Ipv6Extension => ({
    header: 43,
    body: concat(
      new Uint8Array([2 * lasts.length, type, left, 0, 0, 0, 0]),
      ...lasts.map((last) => u32(0x20010db8, 0, 0, last)),
    ),
  });
  const cases: { extension: Ipv6Extension; last: number }[] = [
    { extension: route(0, 1, 7, 9), last: 9 },
    { extension: route(2, 1, 9), last: 9 },
    { extension: route(4, 1, 9, 7), last: 9 },
    // Done, empty, and of a kind whose addresses are compressed.
    { extension: route(0, 0, 7, 9), last: 2 },
    { extension: route(0, 1), last: 2 },
    { extension: route(3, 1, 9), last: 2 },
  ];
  for (const { extension, last } of cases) {
    const { verdict, segment } = decode({
      bytes: buildIpv6({ extensions: [extension] }),
      linkType,
    });
    assertEquals(frameVerdictNames[verdict], "tcp");
    assertEquals(segment.destination[3], last);
  }
});
