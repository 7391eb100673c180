import { assertEquals } from "@std/assert";
import { decodeEthernet } from "../../../src/wire/ethernet.ts";
import { Segment } from "../../../src/wire/segment.ts";
import { FrameVerdict } from "../../../src/wire/verdict.ts";
import {
  buildEthernet,
  buildIpv4,
  buildIpv6,
  buildTcp,
  concat,
  type LinkFields,
} from "./build_frame.ts";
import { decode, verdictOf, verdictsByLength } from "./decode.ts";
import { guardedView } from "./guarded_view.ts";

Deno.test("decodeEthernet decodes IP frames and refuses others", () => {
  const cases: { input: LinkFields; expected: string }[] = [
    { input: { payload: buildIpv4() }, expected: "tcp" },
    { input: { payload: buildIpv6() }, expected: "tcp" },
    { input: { etherType: 0x0806 }, expected: "not_ip" },
    { input: { etherType: 40 }, expected: "not_ip" },
    { input: { etherType: 0x05ff }, expected: "not_ip" },
    { input: { tags: [{ etherType: 0x8100, tci: 1 }], etherType: 40 }, expected: "not_ip" },
    { input: { etherType: 0xffff }, expected: "not_ip" },
  ];
  for (const { input, expected } of cases) {
    assertEquals(verdictOf({ bytes: buildEthernet(input) }), expected, `${input.etherType}`);
  }
});

Deno.test("decodeEthernet reads the outermost VLAN id", () => {
  const tags = [{ etherType: 0x88a8, tci: 0x2064 }, { etherType: 0x8100, tci: 200 }];
  assertEquals(decode({ bytes: buildEthernet() }).segment.vlan, -1);
  assertEquals(decode({ bytes: buildEthernet({ tags }) }).segment.vlan, 100);
});

Deno.test("decodeEthernet names the header in which the capture ends", () => {
  const tags = [{ etherType: 0x8100, tci: 1 }];
  assertEquals(verdictsByLength(buildEthernet({ tags })), [
    [0, "truncated_ethernet"],
    [14, "truncated_vlan_tag"],
    [18, "truncated_ipv4"],
    [38, "truncated_tcp"],
    [58, "tcp"],
  ]);
});

Deno.test("decodeEthernet counts no padding and no trailer as payload", () => {
  const padded = concat(buildEthernet(), new Uint8Array(6).fill(0xee));
  assertEquals(decode({ bytes: padded }).segment.payloadLength, 0);
});

Deno.test("decodeEthernet measures a packet of IP length 0 by the frame's original end", () => {
  const payload = buildIpv4({ totalLength: 0, payload: buildTcp({ payload: new Uint8Array(3) }) });
  const bytes = buildEthernet({ payload });
  const segment = new Segment();
  const at = 5;
  const end = at + bytes.length;
  const verdict = decodeEthernet(guardedView(bytes, at), at, end, end + 70_000, segment);
  assertEquals(verdict, FrameVerdict.Tcp);
  assertEquals(segment.payloadLength, 70_003);
});
