import { assertEquals } from "@std/assert";
import { decodeEtherType, decodeIp, EtherType } from "../../../src/wire/network.ts";
import { Segment } from "../../../src/wire/segment.ts";
import { frameVerdictNames } from "../../../src/wire/verdict.ts";
import {
  buildIpv4,
  buildIpv6,
  buildPppoe,
  buildTags,
  concat,
  u16,
  type VlanTag,
} from "./build_frame.ts";
import { guardedView } from "./guarded_view.ts";

const AT = 10;
const vlan = (etherType: number, tci: number): VlanTag => ({ etherType, tci });

function decode(bytes: Uint8Array, etherType?: number): { verdict: string; segment: Segment } {
  const segment = new Segment();
  const view = guardedView(bytes, AT);
  const end = AT + bytes.length;
  const verdict = etherType === undefined
    ? decodeIp(view, AT, end, end, segment)
    : decodeEtherType(view, AT, end, end, etherType, segment);
  return { verdict: frameVerdictNames[verdict], segment };
}

Deno.test("decodeEtherType decodes what the EtherType announces", () => {
  const ipv4 = buildIpv4();
  const ipv6 = buildIpv6();
  const cases: { etherType: number; input: Uint8Array; expected: string }[] = [
    { etherType: 0x0800, input: ipv4, expected: "tcp" },
    { etherType: 0x86dd, input: ipv6, expected: "tcp" },
    { etherType: 0x0800, input: ipv6, expected: "bad_ip_version" },
    { etherType: 0x86dd, input: concat(ipv4, ipv4), expected: "bad_ip_version" },
    { etherType: 0x8864, input: buildPppoe(0x0021, ipv4), expected: "tcp" },
    { etherType: 0x8864, input: buildPppoe(0x0057, ipv6), expected: "tcp" },
    { etherType: 0x8864, input: buildPppoe(0xc021, ipv4), expected: "not_ip" },
    { etherType: 0x8864, input: buildPppoe(0x0021, ipv4, 0xa7), expected: "not_ip" },
    { etherType: 0x0806, input: ipv4, expected: "not_ip" },
    { etherType: 0x05dc, input: ipv4, expected: "not_ip" },
    { etherType: 0, input: ipv4, expected: "not_ip" },
  ];
  for (const { etherType, input, expected } of cases) {
    assertEquals(decode(input, etherType).verdict, expected, etherType.toString(16));
  }
});

Deno.test("decodeEtherType skips VLAN tags and keeps the outermost id", () => {
  const tags = [vlan(0x88a8, 0x6064), vlan(0x9100, 0x0002), vlan(0x8100, 3), vlan(0x8100, 4)];
  const cases: { tags: VlanTag[]; expected: [string, number] }[] = [
    { tags: [vlan(EtherType.VLAN, 0xffff)], expected: ["tcp", 4095] },
    { tags: [vlan(EtherType.VLAN, 0xe000)], expected: ["tcp", 0] },
    { tags: [vlan(EtherType.OLD_QINQ, 7)], expected: ["tcp", 7] },
    { tags: tags.slice(0, 2), expected: ["tcp", 100] },
    { tags, expected: ["tcp", 100] },
    { tags: [...tags, vlan(0x8100, 5)], expected: ["too_many_vlan_tags", 100] },
  ];
  for (const { tags, expected } of cases) {
    const { verdict, segment } = decode(buildTags({ tags }), tags[0].etherType);
    assertEquals([verdict, segment.vlan], expected);
  }
});

Deno.test("decodeEtherType names the tag in which the capture ends", () => {
  const tagged = buildTags({ tags: [vlan(0x8100, 1), vlan(0x8100, 2)] });
  for (let length = 0; length < 8; length++) {
    const { verdict } = decode(tagged.subarray(0, length), EtherType.VLAN);
    assertEquals(verdict, "truncated_vlan_tag", `${length}`);
  }
  const pppoe = buildPppoe(0x0021, buildIpv4());
  for (let length = 0; length < 8; length++) {
    const { verdict } = decode(pppoe.subarray(0, length), EtherType.PPPOE_SESSION);
    assertEquals(verdict, length < 6 ? "truncated_pppoe" : "truncated_ppp", `${length}`);
  }
});

Deno.test("decodeIp takes the version from the packet", () => {
  const cases: { input: Uint8Array; expected: string }[] = [
    { input: buildIpv4(), expected: "tcp" },
    { input: buildIpv6(), expected: "tcp" },
    { input: new Uint8Array(0), expected: "truncated_ip" },
    { input: new Uint8Array([0x45]), expected: "truncated_ipv4" },
    { input: new Uint8Array([0x60]), expected: "truncated_ipv6" },
    { input: u16(0x5000), expected: "not_ip" },
  ];
  for (const { input, expected } of cases) assertEquals(decode(input).verdict, expected);
});
