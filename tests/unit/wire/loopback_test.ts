import { assertEquals } from "@std/assert";
import { LinkType } from "../../../src/wire/frame.ts";
import { decodeLoopback } from "../../../src/wire/loopback.ts";
import { Segment } from "../../../src/wire/segment.ts";
import { FrameVerdict } from "../../../src/wire/verdict.ts";
import { buildIpv4, buildIpv6, buildLoopback } from "./build_frame.ts";
import { verdictOf, verdictsByLength } from "./decode.ts";
import { guardedView } from "./guarded_view.ts";

Deno.test("decodeLoopback knows each system's families in both byte orders", () => {
  const ipv4 = buildIpv4();
  const ipv6 = buildIpv6();
  const cases: { family: number; payload: Uint8Array; expected: string }[] = [
    { family: 2, payload: ipv4, expected: "tcp" },
    { family: 10, payload: ipv6, expected: "tcp" },
    { family: 24, payload: ipv6, expected: "tcp" },
    { family: 28, payload: ipv6, expected: "tcp" },
    { family: 30, payload: ipv6, expected: "tcp" },
    { family: 2, payload: ipv6, expected: "bad_ip_version" },
    { family: 7, payload: ipv4, expected: "not_ip" },
    { family: 0, payload: ipv4, expected: "not_ip" },
    // IPX.
    { family: 23, payload: ipv6, expected: "not_ip" },
    { family: 0x02020202, payload: ipv4, expected: "not_ip" },
  ];
  for (const { family, payload, expected } of cases) {
    for (const littleEndian of [false, true]) {
      const bytes = buildLoopback(family, littleEndian, payload);
      for (const linkType of [LinkType.NULL, LinkType.LOOP]) {
        assertEquals(verdictOf({ bytes, linkType }), expected, `${family} ${littleEndian}`);
      }
    }
  }
});

Deno.test("decodeLoopback names the header in which the capture ends", () => {
  assertEquals(verdictsByLength(buildLoopback(2, true), LinkType.NULL), [
    [0, "truncated_loopback"],
    [4, "truncated_ipv4"],
    [24, "truncated_tcp"],
    [44, "tcp"],
  ]);
});

Deno.test("decodeLoopback starts at the offset given", () => {
  const bytes = buildLoopback(2, false);
  const end = 7 + bytes.length;
  const verdict = decodeLoopback(guardedView(bytes, 7), 7, end, end, new Segment());
  assertEquals(verdict, FrameVerdict.Tcp);
});
