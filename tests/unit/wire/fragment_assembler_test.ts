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
  const [segment] = take(assembler, [part(24, 40, false), part(0, 24, true)]);
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

/** A part from one byte of the SYN to another, of either version of IP. */
function part(begin: number, end: number, isLast = false, isIpv6 = false): Uint8Array {
  const payload = (isIpv6 ? SYN6 : SYN).subarray(begin, end);
  return isIpv6
    ? buildIpv6({ payload, extensions: [ipv6Fragment(begin / 8, !isLast)] })
    : buildIpv4({ payload, fragmentOffset: begin / 8, moreFragments: !isLast, identification: 9 });
}

/** What the kernel makes of them, which netns/fragments_test.ts asks it: whether a SYN. */
const AS_THE_KERNEL: { name: string; parts: Uint8Array[]; isSyn: boolean }[] = [
  { name: "in order", parts: [part(0, 8), part(8, 24), part(24, 40, true)], isSyn: true },
  { name: "the last first", parts: [part(24, 40, true), part(8, 24), part(0, 8)], isSyn: true },
  {
    name: "a part of what came in order comes again",
    parts: [part(0, 8), part(8, 24), part(0, 16), part(24, 40, true)],
    isSyn: true,
  },
  {
    name: "what came out of order comes again as one",
    parts: [part(16, 24), part(8, 16), part(0, 8), part(8, 24), part(24, 40, true)],
    isSyn: false,
  },
  {
    name: "one that reaches beyond what came",
    parts: [part(0, 16), part(8, 24), part(24, 40, true)],
    isSyn: false,
  },
  {
    name: "the last ends before others, which are as long as it all",
    parts: [part(0, 16), part(32, 40), part(24, 32, true)],
    isSyn: false,
  },
  {
    name: "a second last that ends elsewhere",
    parts: [part(24, 40, true), part(16, 32, true), part(0, 24)],
    isSyn: false,
  },
  {
    name: "an empty one among them",
    parts: [part(0, 16), part(16, 16), part(16, 40, true)],
    isSyn: false,
  },
  {
    name: "a length of no eight bytes, cut to those",
    parts: [part(0, 21), part(16, 40, true)],
    isSyn: true,
  },
  {
    name: "the same over IPv6, refused",
    parts: [part(0, 29, false, true), part(24, 40, true, true)],
    isSyn: false,
  },
  {
    name: "half a header in the first part over IPv6",
    parts: [part(0, 16, false, true), part(16, 40, true, true)],
    isSyn: false,
  },
  {
    name: "a whole header in the first part over IPv6",
    parts: [part(0, 24, false, true), part(24, 40, true, true)],
    isSyn: true,
  },
];

for (const { name, parts, isSyn } of AS_THE_KERNEL) {
  Deno.test(`FragmentAssembler makes what the kernel makes of parts: ${name}`, () => {
    assertEquals(take(new FragmentAssembler(), parts).length, isSyn ? 1 : 0);
  });
}

Deno.test("FragmentAssembler counts parts of a length that cannot be", () => {
  const odd = buildIpv4({ moreFragments: true, payload: SYN.subarray(0, 7) });
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

Deno.test("FragmentAssembler does not grow: the oldest goes, and a packet has 16 runs of parts", () => {
  const assembler = new FragmentAssembler();
  const of = (identification: number) => parts(SYN, [16], { identification });
  for (let id = 0; id < 300; id++) take(assembler, [of(id)[0]], { timeNs: id });
  assertEquals(take(assembler, [of(299)[1]], { timeNs: 300 }).length, 1);
  assertEquals(take(assembler, [of(0)[1]], { timeNs: 300 }).length, 0);
  const syn = (length: number) => {
    const payload = buildTcp({ sequence: 77, payload: new Uint8Array(length - 20) });
    return finished(buildIpv4({ payload })).subarray(20);
  };
  const cuts = (count: number) => Array.from({ length: count }, (_, index) => 8 * (index + 1));
  const inOrder = parts(syn(8 * 64), cuts(63));
  assertEquals(take(new FragmentAssembler(), inOrder).length, 1);
  // Each second one first: so many holes.
  const withHoles = (count: number) => {
    const all = parts(syn(8 * count), cuts(count - 1));
    return [0, 1].flatMap((odd) => all.filter((_, index) => index % 2 === odd));
  };
  assertEquals(take(new FragmentAssembler(), withHoles(16)).length, 1);
  assertEquals(take(new FragmentAssembler(), withHoles(34)).length, 0);
});
