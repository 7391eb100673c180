import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodePacket, FrameVerdict, LinkType } from "../../../src/wire/frame.ts";
import { FragmentAssembler } from "../../../src/wire/fragment_assembler.ts";
import { Checksum, ipChecksum, tcpChecksum } from "../../../src/wire/checksum.ts";
import { Segment } from "../../../src/wire/segment.ts";
import {
  buildIpv4,
  buildIpv6,
  buildTcp,
  finished,
  type Ipv4Fields,
  ipv6Extension,
  ipv6Fragment,
  linuxSynOptions,
} from "./build_frame.ts";
import { decode } from "./decode.ts";
import { guardedView } from "./guarded_view.ts";

const SYN = finished(buildIpv4({ payload: buildTcp({ sequence: 77, options: linuxSynOptions() }) }))
  .subarray(20);
const SYN6 = finished(
  buildIpv6({ payload: buildTcp({ sequence: 78, options: linuxSynOptions() }) }),
)
  .subarray(40);

/** Cuts a packet's data at these bytes. */
function parts(data: Uint8Array, cuts: readonly number[], fields: Ipv4Fields = {}): Uint8Array[] {
  const ends = [...cuts, data.length];
  return ends.map((end, index) => {
    const begin = index === 0 ? 0 : ends[index - 1];
    return buildIpv4({
      identification: 9,
      ...fields,
      fragmentOffset: begin / 8,
      moreFragments: end < data.length,
      payload: data.subarray(begin, end),
    });
  });
}

/** Hands fragments over. @returns The segments of the packets that became whole. */
function take(
  assembler: FragmentAssembler,
  packets: readonly Uint8Array[],
  { place = 1, timeNs = 0, captured = Infinity } = {},
): Segment[] {
  const segments: Segment[] = [];
  for (const packet of packets) {
    const length = Math.min(packet.length, captured);
    const { verdict, segment } = decode({
      bytes: packet,
      linkType: LinkType.RAW,
      captured: length,
    });
    const isPart = verdict === FrameVerdict.FirstFragment || verdict === FrameVerdict.LaterFragment;
    assertEquals(isPart, true);
    const view = guardedView(packet.subarray(0, length), 32);
    const whole = assembler.take(view, segment, place, timeNs);
    if (whole === undefined) continue;
    const result = new Segment();
    const { view: bytes, capturedLength, originalLength } = whole;
    assertEquals(decodePacket(bytes, 0, capturedLength, originalLength, result), FrameVerdict.Tcp);
    if (originalLength === capturedLength) {
      assertEquals(ipChecksum(bytes, result), Checksum.RIGHT);
      assertEquals(tcpChecksum(bytes, result), Checksum.RIGHT);
    }
    segments.push(result);
  }
  return segments;
}

Deno.test("FragmentAssembler puts parts together in whatever order they come", () => {
  const cuts = fc.subarray([8, 16, 24, 32]);
  fc.assert(fc.property(
    cuts.chain((at) =>
      fc.tuple(
        fc.constant(at),
        fc.shuffledSubarray([...at.keys(), at.length], { minLength: at.length + 1 }),
        fc.nat({ max: 5 }),
      )
    ),
    ([at, order, repeated]) => {
      fc.pre(at.length > 0);
      const assembler = new FragmentAssembler();
      const all = parts(SYN, at);
      // One that comes once more is nothing new.
      const sent = order.flatMap((index, turn) =>
        turn === repeated ? [all[index], all[index]] : [all[index]]
      );
      const [segment, ...others] = take(assembler, sent);
      assertEquals([segment.sequence, segment.options.mss, others.length], [77, 1460, 0]);
      assertEquals(assembler.alone, repeated < order.length ? 1 : 0);
    },
  ));
});

Deno.test("FragmentAssembler puts parts of IPv6 together, behind other headers too", () => {
  const part = (begin: number, end: number, more: boolean) =>
    buildIpv6({
      extensions: [ipv6Extension(0), ipv6Fragment(begin / 8, more)],
      payload: SYN6.subarray(begin, end),
    });
  const assembler = new FragmentAssembler();
  const [segment] = take(assembler, [part(16, 40, false), part(0, 16, true)]);
  assertEquals([segment.ipVersion, segment.sequence], [6, 78]);
  assertEquals(assembler.alone, 0);
});

Deno.test("FragmentAssembler keeps packets apart", () => {
  const assembler = new FragmentAssembler();
  const [first, second] = parts(SYN, [16]);
  assertEquals(take(assembler, [first]).length, 0);
  assertEquals(take(assembler, [parts(SYN, [16], { identification: 10 })[1]]).length, 0);
  assertEquals(take(assembler, [parts(SYN, [16], { source: "192.0.2.9" })[1]]).length, 0);
  assertEquals(take(assembler, [second], { place: 2 }).length, 0);
  assertEquals(assembler.alone, 4);
  assertEquals(take(assembler, [second]).length, 1);
  assertEquals(assembler.alone, 3);
});

Deno.test("FragmentAssembler forgets parts after 30 seconds", () => {
  const [first, second] = parts(SYN, [16]);
  const assembler = new FragmentAssembler();
  take(assembler, [first], { timeNs: 0 });
  assertEquals(take(assembler, [second], { timeNs: 30e9 + 1 }).length, 0);
  assertEquals(assembler.alone, 2);
  assertEquals(take(assembler, [first], { timeNs: 31e9 }).length, 1);
});

Deno.test("FragmentAssembler throws a packet away whose parts overlap or go beyond its end", () => {
  const overlapping = [
    parts(SYN, [24])[0],
    parts(SYN, [16])[1],
  ];
  const beyond = [
    parts(SYN.subarray(0, 24), [8])[1],
    parts(SYN, [24])[1],
  ];
  const [first, second] = parts(SYN, [16]);
  for (const spoiled of [overlapping, beyond]) {
    const assembler = new FragmentAssembler();
    assertEquals(take(assembler, spoiled).length, 0);
    assertEquals(assembler.alone, 2);
    // The next of the same number is another packet.
    assertEquals(take(assembler, [first, second]).length, 1);
  }
});

Deno.test("FragmentAssembler refuses parts of a length that cannot be", () => {
  const odd = buildIpv4({ moreFragments: true, payload: SYN.subarray(0, 15) });
  const empty = buildIpv4({ moreFragments: true, payload: new Uint8Array(0) });
  const far = buildIpv4({ fragmentOffset: 0x1fff, payload: SYN });
  const assembler = new FragmentAssembler();
  assertEquals(take(assembler, [odd, empty, far]).length, 0);
  assertEquals(assembler.alone, 3);
});

Deno.test("FragmentAssembler needs the first bytes captured, not the rest", () => {
  const data = new Uint8Array(400);
  data.set(SYN);
  const isWhole = (captured: number) =>
    take(new FragmentAssembler(), parts(data, [200]), { captured }).length;
  assertEquals(isWhole(Infinity), 1);
  assertEquals(isWhole(20 + 128), 1);
  assertEquals(isWhole(20 + 127), 0);
});

Deno.test("FragmentAssembler does not grow: the oldest goes, and a packet has 16 parts", () => {
  const assembler = new FragmentAssembler();
  const of = (identification: number) => parts(SYN, [16], { identification });
  for (let id = 0; id < 300; id++) take(assembler, [of(id)[0]], { timeNs: id });
  assertEquals(take(assembler, [of(299)[1]], { timeNs: 300 }).length, 1);
  assertEquals(take(assembler, [of(0)[1]], { timeNs: 300 }).length, 0);
  const syn = (length: number) => {
    const payload = buildTcp({ sequence: 77, payload: new Uint8Array(length - 20) });
    return finished(buildIpv4({ payload })).subarray(20);
  };
  const cuts = Array.from({ length: 16 }, (_, index) => 8 * (index + 1));
  assertEquals(take(new FragmentAssembler(), parts(syn(8 * 17), cuts)).length, 0);
  assertEquals(
    take(new FragmentAssembler(), parts(syn(8 * 16), cuts.slice(0, 15))).length,
    1,
  );
});
