import { assertEquals } from "@std/assert";
import {
  decodeSll,
  decodeSll2,
  TAGGED_SLL_LENGTH,
  writeTaggedSll,
} from "../../../src/wire/cooked.ts";
import { LinkType } from "../../../src/wire/frame.ts";
import { Passage } from "../../../src/wire/passage.ts";
import { Segment } from "../../../src/wire/segment.ts";
import { FrameVerdict } from "../../../src/wire/verdict.ts";
import { buildIpv6, buildSll, buildSll2, concat, type LinkFields, u16 } from "./build_frame.ts";
import { snap } from "./build_wrapping.ts";
import { decode, verdictOf, verdictsByLength } from "./decode.ts";
import { guardedView } from "./guarded_view.ts";

const versions = [
  { build: buildSll, decodeCooked: decodeSll, linkType: LinkType.LINUX_SLL, length: 16 },
  { build: buildSll2, decodeCooked: decodeSll2, linkType: LinkType.LINUX_SLL2, length: 20 },
];

Deno.test("decodeSll and decodeSll2 decode what the protocol field announces", () => {
  const cases: { input: LinkFields; expected: string }[] = [
    { input: {}, expected: "tcp" },
    { input: { payload: buildIpv6() }, expected: "tcp" },
    { input: { etherType: 0x0806 }, expected: "not_ip" },
    // ETH_P_802_3 and ETH_P_802_2 of linux/if_ether.h.
    { input: { etherType: 0x0001 }, expected: "not_ip" },
    { input: { etherType: 0x0004 }, expected: "not_ip" },
    { input: { etherType: 0x0004, payload: snap(buildIpv6()) }, expected: "tcp" },
    { input: { tags: [{ etherType: 0x8100, tci: 9 }] }, expected: "tcp" },
  ];
  for (const { build, linkType } of versions) {
    for (const { input, expected } of cases) {
      assertEquals(verdictOf({ bytes: build(input), linkType }), expected);
    }
  }
});

Deno.test("decodeSll and decodeSll2 read VLAN tags behind the header", () => {
  const tags = [{ etherType: 0x88a8, tci: 300 }, { etherType: 0x8100, tci: 9 }];
  for (const { build, linkType } of versions) {
    const { segment } = decode({ bytes: build({ tags }), linkType });
    assertEquals([segment.vlan, segment.destinationPort], [300, 443]);
  }
});

Deno.test("decodeSll2 tells how the packet passed its interface, decodeSll not which that was", () => {
  const OUTGOING = 4;
  const passages = versions.map(({ build, linkType }) => {
    const bytes = build();
    bytes[linkType === LinkType.LINUX_SLL2 ? 10 : 1] = OUTGOING;
    return decode({ bytes, linkType }).segment.passage;
  });
  assertEquals(passages, [Passage.UNKNOWN, Passage.SENT]);
});

Deno.test("decodeSll and decodeSll2 name the header in which the capture ends", () => {
  for (const { build, linkType, length } of versions) {
    assertEquals(verdictsByLength(build(), linkType), [
      [0, "truncated_cooked"],
      [length, "truncated_ipv4"],
      [length + 20, "truncated_tcp"],
      [length + 40, "tcp"],
    ]);
  }
});

Deno.test("decodeSll and decodeSll2 start at the offset given", () => {
  for (const { build, decodeCooked } of versions) {
    const bytes = build();
    const end = 3 + bytes.length;
    const verdict = decodeCooked(guardedView(bytes, 3), 3, end, end, new Segment());
    assertEquals(verdict, FrameVerdict.Tcp);
  }
});

Deno.test("writeTaggedSll writes what libpcap would, and decodeSll reads it", () => {
  const payload = buildIpv6();
  const bytes = new Uint8Array(TAGGED_SLL_LENGTH + payload.length).fill(0xff);
  writeTaggedSll(new DataView(bytes.buffer), 4, 300, 0x86dd);
  bytes.set(payload, TAGGED_SLL_LENGTH);
  const header = concat(u16(4, 1, 0), new Uint8Array(8), u16(0x8100), u16(300, 0x86dd));
  assertEquals(bytes, concat(header, payload));
  const { segment } = decode({ bytes, linkType: LinkType.LINUX_SLL });
  assertEquals([segment.vlan, segment.destinationPort], [300, 443]);
});
