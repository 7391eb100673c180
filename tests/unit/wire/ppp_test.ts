import { assertEquals } from "@std/assert";
import { LinkType } from "../../../src/wire/frame.ts";
import { buildIpv4, buildIpv6, buildPppoe, concat, u16 } from "./build_frame.ts";
import { decode, verdictOf, verdictsByLength } from "./decode.ts";
import { testWrappings } from "./test_wrappings.ts";

const IPV4 = buildIpv4();
const IPV6 = buildIpv6();

Deno.test("decodePppLink takes PPP with its framing, without it, with one byte of protocol", () => {
  const cases: { header: Uint8Array; payload: Uint8Array; expected: string }[] = [
    { header: u16(0xff03, 0x0021), payload: IPV4, expected: "tcp" },
    { header: u16(0xff03, 0x0057), payload: IPV6, expected: "tcp" },
    { header: u16(0x0021), payload: IPV4, expected: "tcp" },
    { header: new Uint8Array([0x21]), payload: IPV4, expected: "tcp" },
    { header: new Uint8Array([0xff, 0x03, 0x57]), payload: IPV6, expected: "tcp" },
    { header: u16(0xff03, 0xc021), payload: IPV4, expected: "not_ip" },
    { header: u16(0x0057), payload: IPV4, expected: "bad_ip_version" },
    { header: u16(0x0f00, 0x0800), payload: IPV4, expected: "tcp" },
    { header: u16(0x8f00, 0x86dd), payload: IPV6, expected: "tcp" },
    // The keepalive of Cisco's HDLC.
    { header: u16(0x8f00, 0x8035), payload: new Uint8Array(18), expected: "not_ip" },
  ];
  for (const { header, payload, expected } of cases) {
    const bytes = concat(header, payload);
    for (const linkType of [LinkType.PPP, LinkType.PPP_HDLC, LinkType.C_HDLC]) {
      assertEquals(verdictOf({ bytes, linkType }), expected, `${header}`);
    }
  }
});

Deno.test("decodePppoe takes session data from the PPPoE header on", () => {
  const { segment } = decode({ bytes: buildPppoe(0x0021, IPV4), linkType: LinkType.PPP_ETHER });
  assertEquals([segment.sourcePort, segment.destinationPort], [40_000, 443]);
  const discovery = buildPppoe(0x0021, IPV4, 0x09);
  assertEquals(verdictOf({ bytes: discovery, linkType: LinkType.PPP_ETHER }), "not_ip");
});

Deno.test("decodePppLink and decodePppoe name the header in which the capture ends", () => {
  const cases = [
    { bytes: u16(0xff03, 0x0021), linkType: LinkType.PPP, reasons: [[0, "truncated_ppp"]] },
    { bytes: u16(0x0f00, 0x0800), linkType: LinkType.PPP_HDLC, reasons: [[0, "truncated_ppp"]] },
    {
      bytes: buildPppoe(0x0021, new Uint8Array(0)),
      linkType: LinkType.PPP_ETHER,
      reasons: [[0, "truncated_pppoe"], [6, "truncated_ppp"]],
    },
  ];
  for (const { bytes, linkType, reasons } of cases) {
    assertEquals(verdictsByLength(concat(bytes, IPV4), linkType), [
      ...reasons,
      [bytes.length, "truncated_ipv4"],
      [bytes.length + 20, "truncated_tcp"],
      [bytes.length + 40, "tcp"],
    ] as ReturnType<typeof verdictsByLength>);
  }
});

testWrappings("ppp", []);
