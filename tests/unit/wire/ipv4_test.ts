import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatAddress } from "../../../src/wire/address.ts";
import { LinkType } from "../../../src/wire/frame.ts";
import { decodeIpv4 } from "../../../src/wire/ipv4.ts";
import { Segment } from "../../../src/wire/segment.ts";
import { frameVerdictNames } from "../../../src/wire/verdict.ts";
import {
  buildIpv4,
  buildTcp,
  concat,
  type Ipv4Fields,
  linuxSynOptions,
  u32,
} from "./build_frame.ts";
import { decode, verdictOf, verdictsByLength } from "./decode.ts";
import { guardedView } from "./guarded_view.ts";
import { overIp, testWrappings } from "./test_wrappings.ts";

const linkType = LinkType.IPV4;

Deno.test("decodeIpv4 reads addresses as v4-mapped", () => {
  const bytes = buildIpv4({ source: "192.168.100.191", destination: "172.67.149.132" });
  const { segment } = decode({ bytes, linkType });
  assertEquals(segment.ipVersion, 4);
  assertEquals(segment.source, new Uint32Array([0, 0, 0xffff, 0xc0a864bf]));
  assertEquals(formatAddress(segment.destination), "172.67.149.132");
});

Deno.test("decodeIpv4 reads TCP behind IPv4 options of every length", () => {
  for (let length = 0; length <= 40; length += 4) {
    const bytes = buildIpv4({ options: new Uint8Array(length).fill(1) });
    const { verdict, segment } = decode({ bytes, linkType });
    assertEquals(frameVerdictNames[verdict], "tcp");
    assertEquals(segment.destinationPort, 443);
    assertEquals(segment.payloadLength, 0);
  }
});

Deno.test("decodeIpv4 names why a packet holds no TCP header", () => {
  const cases: { input: Ipv4Fields; expected: string }[] = [
    { input: { version: 6 }, expected: "bad_ip_version" },
    { input: { version: 0 }, expected: "bad_ip_version" },
    { input: { headerLength: 4 }, expected: "bad_header_length" },
    { input: { headerLength: 0 }, expected: "bad_header_length" },
    { input: { headerLength: 15 }, expected: "bad_header_length" },
    { input: { totalLength: 19 }, expected: "bad_header_length" },
    { input: { totalLength: 1 }, expected: "bad_header_length" },
    { input: { options: new Uint8Array(4), totalLength: 23 }, expected: "bad_header_length" },
    { input: { totalLength: 39 }, expected: "bad_header_length" },
    { input: { totalLength: 40 }, expected: "tcp" },
    { input: { protocol: 17 }, expected: "not_tcp" },
    { input: { protocol: 17, fragmentOffset: 1 }, expected: "not_tcp" },
    { input: { fragmentOffset: 1 }, expected: "later_fragment" },
    { input: { fragmentOffset: 0x1fff, moreFragments: true }, expected: "later_fragment" },
    { input: { moreFragments: true }, expected: "first_fragment" },
    {
      input: { moreFragments: true, payload: buildTcp().subarray(0, 8) },
      expected: "first_fragment",
    },
    { input: { totalLength: 41 }, expected: "ip_length_beyond_packet" },
    { input: { totalLength: 41, protocol: 17 }, expected: "ip_length_beyond_packet" },
  ];
  for (const { input, expected } of cases) {
    const bytes = buildIpv4(input);
    assertEquals(verdictOf({ bytes, linkType }), expected, JSON.stringify(input));
  }
});

Deno.test("decodeIpv4 names the header in which the capture ends", () => {
  const tcp = buildTcp({ options: linuxSynOptions(), payload: new Uint8Array(5) });
  const bytes = buildIpv4({ options: new Uint8Array(8), payload: tcp });
  assertEquals(verdictsByLength(bytes, linkType), [
    [0, "truncated_ipv4"],
    [28, "truncated_tcp"],
    [48, "tcp"],
  ]);
});

Deno.test("decodeIpv4 takes the payload length from the IP header", () => {
  const tcp = buildTcp({ payload: new Uint8Array(100) });
  const padding = new Uint8Array(6);
  const cases: {
    fields: Ipv4Fields;
    trailer?: Uint8Array;
    captured?: number;
    originalLength?: number;
    expected: number;
  }[] = [
    { fields: {}, expected: 100 },
    { fields: {}, trailer: padding, expected: 100 },
    { fields: {}, captured: 40, expected: 100 },
    { fields: { totalLength: 65535 }, captured: 60, originalLength: 65535, expected: 65495 },
    // Segmentation offload and BIG TCP: the frame's own length is all there is.
    { fields: { totalLength: 0 }, expected: 100 },
    { fields: { totalLength: 0 }, captured: 60, originalLength: 200_040, expected: 200_000 },
    // An original length below the captured one is a broken file's.
    { fields: { totalLength: 0 }, originalLength: 0, expected: 100 },
  ];
  for (const { fields, trailer = new Uint8Array(0), captured, originalLength, expected } of cases) {
    const bytes = concat(buildIpv4({ ...fields, payload: tcp }), trailer);
    const { verdict, segment } = decode({ bytes, linkType, captured, originalLength });
    assertEquals(frameVerdictNames[verdict], "tcp");
    assertEquals(segment.payloadLength, expected);
  }
});

Deno.test("decodeIpv4 names the end of a source route as the destination", () => {
  const route = (kind: number, pointer: number, ...addresses: number[]) =>
    concat(new Uint8Array([kind, 3 + 4 * addresses.length, pointer]), u32(...addresses));
  const end = [0, 0, 0xffff, 0x0a000009];
  const given = [0, 0, 0xffff, 0xc6336402];
  const cases: { options: Uint8Array; destination: number[]; sourceRoute: boolean }[] = [
    { options: route(131, 4, 0x0a000001, 0x0a000009), destination: end, sourceRoute: true },
    { options: route(137, 8, 0x0a000001, 0x0a000009), destination: end, sourceRoute: true },
    { options: route(131, 12, 0x0a000001, 0x0a000009), destination: given, sourceRoute: true },
    // Behind a no-operation and another option.
    {
      options: concat(new Uint8Array([1, 7, 3, 4]), route(131, 4, 0x0a000009)),
      destination: end,
      sourceRoute: true,
    },
    // No address in it; one that goes on behind the options; one behind their end; record route.
    { options: new Uint8Array([131, 3, 4, 0]), destination: given, sourceRoute: true },
    { options: new Uint8Array([131, 39, 4, 0]), destination: given, sourceRoute: false },
    { options: new Uint8Array([131, 1, 4, 0]), destination: given, sourceRoute: false },
    { options: new Uint8Array([1, 1, 1, 131]), destination: given, sourceRoute: false },
    {
      options: concat(new Uint8Array(1), route(131, 4, 9)),
      destination: given,
      sourceRoute: false,
    },
    { options: route(7, 4, 0x0a000009), destination: given, sourceRoute: false },
  ];
  for (const { options, destination, sourceRoute } of cases) {
    const { verdict, segment } = decode({ bytes: buildIpv4({ options }), linkType });
    assertEquals(frameVerdictNames[verdict], "tcp");
    assertEquals([...segment.destination], destination, `${options}`);
    assertEquals(segment.sourceRoute, sourceRoute, `${options}`);
  }
  // It is told anew for each packet.
  const { segment } = decode({ bytes: buildIpv4(), linkType });
  assertEquals(segment.sourceRoute, false);
});

Deno.test("decodeIpv4 does not read padding behind the packet as TCP", () => {
  const bytes = concat(buildIpv4({ payload: buildTcp().subarray(0, 12) }), new Uint8Array(14));
  assertEquals(verdictOf({ bytes, linkType }), "bad_header_length");
});

Deno.test("decodeIpv4 reads back arbitrary addresses at any offset", () => {
  const word = fc.nat({ max: 0xffffffff });
  fc.assert(fc.property(word, word, fc.nat({ max: 50 }), (source, destination, at) => {
    const words = (last: number) => new Uint32Array([0, 0, 0xffff, last]);
    const bytes = buildIpv4({ source: words(source), destination: words(destination) });
    const segment = new Segment();
    const end = at + bytes.length;
    assertEquals(decodeIpv4(guardedView(bytes, at), at, end, end, segment), 0);
    assertEquals(segment.source, words(source));
    assertEquals(segment.destination, words(destination));
  }));
});

testWrappings("ipv4", [
  {
    name: "an authentication header beyond its packet",
    frame: overIp(51, new Uint8Array([6, 4, 0, 0])),
    expected: "bad_header_length",
  },
]);
