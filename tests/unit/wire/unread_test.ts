import { assertEquals } from "@std/assert";
import { Segment } from "../../../src/wire/segment.ts";
import { UnreadKind, unreadName, VerdictCounts } from "../../../src/wire/unread.ts";
import { FrameVerdict } from "../../../src/wire/verdict.ts";
import { buildEthernet, buildIpv4, concat, u16 } from "./build_frame.ts";
import { bytes, ethernet8023 } from "./build_wrapping.ts";
import { decode } from "./decode.ts";

Deno.test("unreadName tells kind, number, and name where it is known", () => {
  const cases: [number, string][] = [
    [UnreadKind.ETHERTYPE | 0x88e5, "ethertype_0x88e5_macsec"],
    [UnreadKind.ETHERTYPE | 0x0999, "ethertype_0x0999"],
    [UnreadKind.IP_PROTOCOL | 50, "ip_protocol_50_esp"],
    [UnreadKind.LLC | 0x1234, "llc_0x1234"],
    [UnreadKind.PPP | 0x00fd, "ppp_0x00fd_compressed"],
    [UnreadKind.LINK_TYPE | 195, "link_type_195_ieee_802_15_4"],
  ];
  for (const [unread, expected] of cases) assertEquals(unreadName(unread), expected);
});

Deno.test("VerdictCounts tells unread protocols apart, and leaves the usual ones together", () => {
  const counts = new VerdictCounts();
  const frames = [
    { bytes: buildEthernet({ etherType: 0x88e5 }) },
    { bytes: buildEthernet({ etherType: 0x88e5 }) },
    { bytes: buildEthernet({ etherType: 0x0806 }) },
    { bytes: buildEthernet({ payload: buildIpv4({ protocol: 50 }) }) },
    { bytes: buildEthernet({ payload: buildIpv4({ protocol: 17, payload: u16(1, 53, 8, 0) }) }) },
    { bytes: buildEthernet({ payload: buildIpv4({ protocol: 1 }) }) },
    { bytes: ethernet8023(concat(bytes(0x42, 0x42, 3), new Uint8Array(35))) },
    { bytes: ethernet8023(concat(bytes(0x12, 0x34, 3), new Uint8Array(35))) },
    { bytes: buildEthernet(), linkType: 195 },
    { bytes: buildEthernet(), captured: 3 },
  ];
  for (const frame of frames) {
    const { verdict, segment } = decode(frame);
    counts.add(verdict, segment);
  }
  assertEquals(counts.byReason(), {
    not_ip: 2,
    not_tcp: 2,
    truncated_ethernet: 1,
    ethertype_0x88e5_macsec: 2,
    ip_protocol_50_esp: 1,
    llc_0x1234: 1,
    link_type_195_ieee_802_15_4: 1,
  });
});

Deno.test("VerdictCounts does not grow without end", () => {
  const counts = new VerdictCounts();
  const segment = new Segment();
  for (let type = 0x1000; type < 0x2000; type++) {
    segment.unread = UnreadKind.ETHERTYPE | type;
    counts.add(FrameVerdict.NotIp, segment);
  }
  const reasons = counts.byReason();
  assertEquals(Object.keys(reasons).length, 25);
  assertEquals(Object.values(reasons).reduce((sum, count) => sum + count, 0), 0x1000);
});
