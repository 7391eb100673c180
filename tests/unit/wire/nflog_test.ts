import { assertEquals } from "@std/assert";
import { decodeFrame, FrameVerdict, LinkType } from "../../../src/wire/frame.ts";
import { Segment } from "../../../src/wire/segment.ts";
import { buildIpv4, buildIpv6, buildNflog, buildTcp } from "./build_frame.ts";
import { guardedView } from "./guarded_view.ts";

function decode(frame: Uint8Array): [FrameVerdict, Segment] {
  const segment = new Segment();
  const view = guardedView(frame, 3);
  const end = 3 + frame.length;
  return [decodeFrame(view, 3, end, frame.length, LinkType.NFLOG, segment), segment];
}

const IPV4 = buildIpv4({ payload: buildTcp({ sequence: 77, payload: new Uint8Array(5) }) });
const PREFIX: [number, Uint8Array] = [10, new TextEncoder().encode("drop: \0")];

for (const littleEndian of [true, false]) {
  Deno.test(`decodeNflog finds the packet among the TLVs, little endian ${littleEndian}`, () => {
    const cases = [
      buildNflog(2, littleEndian, [9, IPV4]),
      buildNflog(2, littleEndian, [1, new Uint8Array(4)], PREFIX, [9, IPV4]),
      buildNflog(2, littleEndian, [9, IPV4], PREFIX),
    ];
    for (const frame of cases) {
      const [verdict, segment] = decode(frame);
      assertEquals([verdict, segment.sequence, segment.payloadLength], [FrameVerdict.Tcp, 77, 5]);
    }
    const ipv6 = buildIpv6({ payload: buildTcp({ sequence: 78 }) });
    const [verdict, segment] = decode(buildNflog(10, littleEndian, PREFIX, [9, ipv6]));
    assertEquals([verdict, segment.ipVersion, segment.sequence], [FrameVerdict.Tcp, 6, 78]);
  });
}

Deno.test("decodeNflog gives a reason for what holds no packet", () => {
  const payload = buildNflog(2, true, [9, IPV4]);
  const cases: { name: string; frame: Uint8Array; expected: FrameVerdict }[] = [
    { name: "no TLV", frame: buildNflog(2, true), expected: FrameVerdict.TruncatedNflog },
    { name: "another family", frame: buildNflog(7, true, [9, IPV4]), expected: FrameVerdict.NotIp },
    {
      name: "another version",
      frame: payload.with(1, 1),
      expected: FrameVerdict.NotIp,
    },
    {
      name: "a TLV shorter than its header",
      frame: payload.with(4, 3).with(5, 0),
      expected: FrameVerdict.BadHeaderLength,
    },
    {
      name: "too many TLVs",
      frame: buildNflog(2, true, ...new Array(70).fill([1, new Uint8Array(0)])),
      expected: FrameVerdict.NotIp,
    },
  ];
  for (const { name, frame, expected } of cases) assertEquals(decode(frame)[0], expected, name);
});

Deno.test("decodeNflog takes a frame cut anywhere", () => {
  const frame = buildNflog(2, true, PREFIX, [9, IPV4]);
  for (let length = 0; length < frame.length - 8; length++) {
    assertEquals(decode(frame.subarray(0, length))[0] !== FrameVerdict.Tcp, true, `${length}`);
  }
});
