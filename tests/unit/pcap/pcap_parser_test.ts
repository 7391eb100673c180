import { assertEquals } from "@std/assert";
import { pcapVariant } from "../../../src/pcap/pcap_parser.ts";
import { concat } from "../wire/build_frame.ts";
import { buildPcap, type PcapFields, PcapMagic, type PcapRecord } from "./build_capture.ts";
import { readCapture, type ReadPacket } from "./read_capture.ts";

const DATA = new Uint8Array([9, 8, 7, 6, 5]);

const VARIANTS: { name: string; fields: PcapFields; unitNs: number; interfaceIndex: number }[] = [
  { name: "microseconds", magic: PcapMagic.MICROSECONDS, unitNs: 1_000, interfaceIndex: 0 },
  { name: "nanoseconds", magic: PcapMagic.NANOSECONDS, unitNs: 1, interfaceIndex: 0 },
  { name: "modified", magic: PcapMagic.MODIFIED, unitNs: 1_000, interfaceIndex: 7 },
].flatMap(({ name, magic, unitNs, interfaceIndex }) =>
  [true, false].map((littleEndian) => ({
    name: `${name}, ${littleEndian ? "little" : "big"} endian`,
    fields: { magic, littleEndian },
    unitNs,
    interfaceIndex,
  }))
);

for (const { name, fields, unitNs, interfaceIndex } of VARIANTS) {
  Deno.test(`PcapParser reads ${name}`, () => {
    const records: PcapRecord[] = [
      { seconds: 1_700_000_000, fraction: 999_999, data: DATA, interfaceIndex: 7 },
      { seconds: 0, fraction: 0, data: new Uint8Array(0), originalLength: 60, interfaceIndex: 7 },
      { seconds: 0xffffffff, fraction: 1, data: DATA, originalLength: 1_500, interfaceIndex: 7 },
    ];
    const { packets, fault } = readCapture(buildPcap({ ...fields, linkType: 113, records }));
    assertEquals(fault, undefined);
    const common = {
      linkType: 113,
      interfaceNumber: 0,
      name: undefined,
      interfaceIndex,
      comments: [],
      outbound: false,
    };
    const expected: ReadPacket[] = [
      {
        ...common,
        unixNs: 1_700_000_000_000_000_000n + BigInt(999_999 * unitNs),
        data: DATA,
        originalLength: 5,
      },
      { ...common, unixNs: 0n, data: new Uint8Array(0), originalLength: 60 },
      { ...common, unixNs: packets[2].unixNs, data: DATA, originalLength: 1_500 },
    ];
    assertEquals(packets, expected);
    assertEquals(packets[2].unixNs, 0xffffffffn * 1_000_000_000n + BigInt(unitNs));
  });
}

Deno.test("PcapParser places times exactly, however far they are apart", () => {
  const first = 1_700_000_000;
  for (const days of [0, 1, 50, 100, -100, 105, 30_000, -10_000]) {
    const records = [{ seconds: first }, { seconds: first + days * 86_400, fraction: 123_456_789 }];
    const { packets } = readCapture(buildPcap({ magic: PcapMagic.NANOSECONDS, records }));
    const exact = BigInt(first + days * 86_400) * 1_000_000_000n + 123_456_789n;
    assertEquals(packets[1].unixNs, exact);
  }
});

Deno.test("PcapParser marks a fraction of a second or more as no time", () => {
  const cases = [
    { magic: PcapMagic.MICROSECONDS, fraction: 999_999, timed: true },
    { magic: PcapMagic.MICROSECONDS, fraction: 1_000_000, timed: false },
    { magic: PcapMagic.MICROSECONDS, fraction: 0xffffffff, timed: false },
    { magic: PcapMagic.NANOSECONDS, fraction: 999_999_999, timed: true },
    { magic: PcapMagic.NANOSECONDS, fraction: 1_000_000_000, timed: false },
    { magic: PcapMagic.NANOSECONDS, fraction: 0x80000000, timed: false },
  ];
  for (const { magic, fraction, timed } of cases) {
    const { packets, fault } = readCapture(buildPcap({ magic, records: [{ fraction }] }));
    assertEquals(fault, undefined);
    assertEquals(packets.map(({ unixNs }) => unixNs !== undefined), [timed], `${fraction}`);
  }
});

const FAULTS: { name: string; fields: PcapFields; delivered: number; at: number; says: string }[] =
  [
    {
      name: "another version",
      fields: { major: 3 },
      delivered: 0,
      at: 4,
      says: "its pcap version is 3, only version 2 can be read",
    },
    {
      name: "a packet longer than any",
      fields: { records: [{}, { capturedLength: 262_145 }, {}] },
      delivered: 1,
      at: 24 + 16 + 3,
      says: "a packet of 262145 bytes is longer than 262144",
    },
    {
      name: "a packet longer than the greater snapshot length",
      fields: { snapLength: 300_000, records: [{ capturedLength: 300_001 }] },
      delivered: 0,
      at: 24,
      says: "a packet of 300001 bytes is longer than 300000",
    },
    {
      name: "a length that nothing has",
      fields: { snapLength: 0xffffffff, records: [{ capturedLength: 0xffffffff }] },
      delivered: 0,
      at: 24,
      says: "a packet of 4294967295 bytes is longer than 134217728",
    },
  ];

for (const { name, fields, delivered, at, says } of FAULTS) {
  Deno.test(`PcapParser ends at ${name}`, () => {
    const { packets, fault } = readCapture(buildPcap(fields));
    assertEquals(packets.length, delivered);
    assertEquals(fault, { byteOffset: at, reason: says });
  });
}

Deno.test("PcapParser reads the lengths of versions before 2.4 in their order", () => {
  const data = new Uint8Array(20);
  const [whole, cut] = [{ data }, { data, originalLength: 1_500 }];
  const swapped = { data, capturedLength: 1_500, originalLength: 20 };
  const cases = [
    { minor: 2, records: [whole, swapped] },
    // Some writers of 2.3 swap them.
    { minor: 3, records: [whole, cut, swapped] },
    { minor: 4, records: [whole, cut] },
  ];
  for (const { minor, records } of cases) {
    const { packets, fault } = readCapture(buildPcap({ minor, records }));
    assertEquals(fault, undefined);
    assertEquals(
      packets.map(({ data, originalLength }) => [data.length, originalLength]),
      records.map((record) => [20, record === whole ? 20 : 1_500]),
      `2.${minor}`,
    );
  }
});

Deno.test("PcapParser reads files that were joined by cat, of any variant and in any pieces", () => {
  const variants = [
    { fields: { linkType: 1 }, ns: 5_000n },
    { fields: { magic: PcapMagic.NANOSECONDS, littleEndian: false, linkType: 101 }, ns: 5n },
    { fields: { magic: PcapMagic.MODIFIED, linkType: 113 }, ns: 5_000n },
    { fields: { linkType: 276, littleEndian: false }, ns: 5_000n },
  ];
  const files = variants.map(({ fields }) =>
    buildPcap({ ...fields, records: [{ fraction: 5, data: DATA }, { fraction: 5, data: DATA }] })
  );
  const file = concat(...files, buildPcap());
  const seconds = 1_700_000_000n * 1_000_000_000n;
  const expected = variants.flatMap(({ fields, ns }) => {
    const index = fields.magic === PcapMagic.MODIFIED ? 2 : 0;
    return Array(2).fill([fields.linkType, seconds + ns, index]);
  });
  for (const cuts of [[], Array.from({ length: file.length - 1 }, (_, index) => index + 1)]) {
    const { packets, fault } = readCapture(file, cuts);
    assertEquals(fault, undefined);
    assertEquals(
      packets.map(({ linkType, unixNs, interfaceIndex }) => [linkType, unixNs, interfaceIndex]),
      expected,
    );
  }
});

Deno.test("PcapParser ends where a file of another version was joined", () => {
  const [first, other] = [buildPcap({ records: [{ data: DATA }] }), buildPcap({ major: 3 })];
  const { packets, fault } = readCapture(concat(first, other));
  assertEquals([packets.length, fault?.byteOffset], [1, first.length + 4]);
});

Deno.test("PcapParser takes packets up to a great snapshot length, and their start beyond 1 MiB", () => {
  const data = new Uint8Array(3_000_000).map((_, index) => index % 251);
  const file = buildPcap({ snapLength: 4_000_000, records: [{ data }, { data: DATA }] });
  const { packets, fault } = readCapture(file, [1_000, 1_500_000, 2_999_999]);
  assertEquals(fault, undefined);
  assertEquals(packets.length, 2);
  const [long, short] = packets;
  assertEquals(long.data.length >= 1_000_000, true);
  assertEquals(long.data, data.subarray(0, long.data.length));
  assertEquals(long.originalLength, 3_000_000);
  assertEquals(short.data, DATA);
});

Deno.test("PcapParser keeps the link type without the bits of frame check sequences", () => {
  const file = buildPcap({ linkType: 0x9400_0001, records: [{}] });
  assertEquals(readCapture(file).packets[0].linkType, 1);
});

Deno.test("pcapVariant knows no other magic number", () => {
  const view = new DataView(new ArrayBuffer(4));
  for (const magic of [0, 0xffffffff, 0xa1b2c3d5, 0x0a0d0d0a]) {
    view.setUint32(0, magic);
    assertEquals(pcapVariant(view, 0), undefined);
  }
});
