import { assertEquals } from "@std/assert";
import { concat } from "../wire/build_frame.ts";
import { PcapngBuilder } from "./build_capture.ts";
import { readCapture } from "./read_capture.ts";

const DATA = new Uint8Array([9, 8, 7, 6, 5]);
const US = 1_700_000_000_123_456n;

for (const littleEndian of [true, false]) {
  const order = littleEndian ? "little endian" : "big endian";
  const build = new PcapngBuilder(littleEndian);

  Deno.test(`PcapngParser reads enhanced, obsolete and simple packets, ${order}`, () => {
    const { packets, fault } = readCapture(concat(
      build.section(),
      build.interface({ linkType: 1, name: "eth0" }),
      build.interface({ linkType: 113, name: "any", resolution: 9 }),
      build.packet({ ticks: US, data: DATA, originalLength: 60 }),
      build.packet({ interfaceNumber: 1, ticks: US * 1_000n + 789n, data: DATA }),
      build.packet({ obsolete: true, ticks: US + 1n, data: DATA }),
      build.simplePacket(DATA),
    ));
    assertEquals(fault, undefined);
    const common = { data: DATA, interfaceIndex: 0, comments: [], outbound: false };
    const eth0 = { ...common, linkType: 1, interfaceNumber: 0, name: "eth0" };
    assertEquals(packets, [
      { ...eth0, unixNs: US * 1_000n, originalLength: 60 },
      {
        ...common,
        linkType: 113,
        interfaceNumber: 1,
        name: "any",
        unixNs: US * 1_000n + 789n,
        originalLength: 5,
      },
      { ...eth0, unixNs: US * 1_000n + 1_000n, originalLength: 5 },
      { ...eth0, unixNs: undefined, originalLength: 5 },
    ]);
  });

  Deno.test(`PcapngParser gives comments and direction of packets, ${order}`, () => {
    const { packets } = readCapture(concat(
      build.section({ options: build.comment("of the section, not of a packet") }),
      build.interface(),
      build.packet({
        data: DATA,
        options: [build.comment("first"), build.flags(2), build.comment("second, ü")],
      }),
      build.packet({ data: DATA, options: [build.flags(1)] }),
      build.packet({
        data: DATA,
        options: [build.comment(""), build.option(0, new Uint8Array(0))],
      }),
      build.packet({ obsolete: true, data: DATA, options: [build.comment("old")] }),
    ));
    assertEquals(packets.map(({ comments }) => comments), [
      ["first", "second, ü"],
      [],
      [""],
      ["old"],
    ]);
    assertEquals(packets.map(({ outbound }) => outbound), [true, false, false, false]);
  });
}

Deno.test("PcapngParser reads sections, each with its own byte order and interfaces", () => {
  const little = new PcapngBuilder(true);
  const big = new PcapngBuilder(false);
  const { packets, fault } = readCapture(concat(
    little.section(),
    little.interface({ name: "a" }),
    little.packet({ ticks: US }),
    big.section(),
    big.interface({ name: "b", linkType: 276 }),
    big.packet({ ticks: US + 1n }),
    little.section(),
    little.packet({ ticks: US + 2n }),
  ));
  assertEquals(packets.map(({ name, linkType }) => [name, linkType]), [["a", 1], ["b", 276]]);
  assertEquals(fault?.reason, "a packet is of interface 0, but 0 are described");
});

Deno.test("PcapngParser skips blocks of other kinds", () => {
  const build = new PcapngBuilder();
  const { packets, fault } = readCapture(
    concat(
      build.section(),
      build.block(4, new Uint8Array(20)),
      build.interface(),
      build.block(0x0bad, new Uint8Array(0)),
      build.packet({ ticks: US }),
      build.block(0x80000001, new Uint8Array(3_000_000)),
      build.block(10, new Uint8Array(8)),
      build.packet({ ticks: US }),
    ),
    [100, 1_000_000],
  );
  assertEquals(fault, undefined);
  assertEquals(packets.length, 2);
});

Deno.test("PcapngParser reads blocks whose length leaves out the padding", () => {
  const build = new PcapngBuilder();
  const body = concat(new Uint8Array(20), new Uint8Array([1, 2, 3]));
  const { packets, fault } = readCapture(concat(
    build.section(),
    build.interface(),
    build.block(0x0bad, body, 12 + body.length),
    build.packet(),
  ));
  assertEquals([packets.length, fault], [1, undefined]);
});

Deno.test("PcapngParser cuts a simple packet at the snapshot length", () => {
  const build = new PcapngBuilder();
  const { packets } = readCapture(concat(
    build.section(),
    build.interface({ snapLength: 3 }),
    build.simplePacket(new Uint8Array([1, 2, 3, 0]), 60),
  ));
  assertEquals(packets[0].data, new Uint8Array([1, 2, 3]));
  assertEquals(packets[0].originalLength, 60);
});

Deno.test("PcapngParser counts what the capturing host dropped once, though the file repeats it", () => {
  const build = new PcapngBuilder();
  const { dropped, fault } = readCapture(concat(
    build.section(),
    build.interface(),
    build.interface(),
    build.statistics(0, 5n),
    build.statistics(1, 1n, 2n),
    build.statistics(0, 5n),
    build.statistics(0, 9n, 1n),
    build.statistics(7, 100n),
    build.statistics(1, 0xffff_ffff_ffff_ffffn),
  ));
  assertEquals([dropped, fault], [13, undefined]);
});

const build = new PcapngBuilder();
const BEGIN = concat(build.section(), build.interface());
const FAULTS: { name: string; block: Uint8Array; says: string }[] = [
  {
    name: "an unknown interface",
    block: build.packet({ interfaceNumber: 1 }),
    says: "a packet is of interface 1, but 1 are described",
  },
  {
    name: "a packet longer than its block",
    block: build.packet({ data: DATA, capturedLength: 9 }),
    says: "a packet of 9 bytes stands in a block of 40",
  },
  {
    name: "a packet of the greatest length",
    block: build.packet({ data: DATA, capturedLength: 0xffffffff }),
    says: "a packet of 4294967295 bytes stands in a block of 40",
  },
  {
    name: "two lengths of one block",
    block: build.block(6, new Uint8Array(28), 40, 44),
    says: "a block is 40 bytes by its start and 44 by its end",
  },
  {
    name: "a block too short for its kind",
    block: build.block(6, new Uint8Array(16)),
    says: "a block of 28 bytes is shorter than 32",
  },
  {
    name: "a block shorter than any",
    block: build.block(99, new Uint8Array(0), 8),
    says: "a block of 8 bytes is shorter than 12",
  },
  {
    name: "a block longer than any",
    block: build.block(99, new Uint8Array(0), 0xfffffffc),
    says: "a block of 4294967292 bytes is longer than 135266304",
  },
  {
    name: "another version",
    block: build.section({ major: 2 }),
    says: "its pcapng version is 2.0, only version 1 can be read",
  },
  {
    name: "a section of no byte order",
    block: build.section({ byteOrder: 0x01020304 }),
    says: "a section's byte order cannot be told from 0x04030201",
  },
];

for (const { name, block, says } of FAULTS) {
  Deno.test(`PcapngParser ends at ${name}, behind what came before`, () => {
    const { packets, fault } = readCapture(
      concat(BEGIN, build.packet(), block, build.packet(), build.packet()),
    );
    assertEquals(packets.length, 1);
    assertEquals(fault, { byteOffset: BEGIN.length + 36, reason: says });
  });
}

Deno.test("PcapngParser takes 4096 interfaces a section and no more", () => {
  const many = (count: number) => new Array<Uint8Array>(count).fill(build.interface());
  assertEquals(readCapture(concat(build.section(), ...many(4_096))).fault, undefined);
  const { fault } = readCapture(concat(build.section(), ...many(4_097)));
  assertEquals(fault?.reason, "a section describes more than 4096 interfaces");
});

Deno.test("PcapngParser keeps 256 characters of an interface's name", () => {
  const { packets } = readCapture(concat(
    build.section(),
    build.interface({ name: "x".repeat(60_000) }),
    build.packet(),
  ));
  assertEquals(packets[0].name, "x".repeat(256));
});
