import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { CaptureAxis } from "../../../src/pcap/capture_axis.ts";
import { CaptureReader, READ_LENGTH } from "../../../src/pcap/capture_reader.ts";
import { concat } from "../wire/build_frame.ts";
import { buildPcap, PcapMagic, PcapngBuilder } from "./build_capture.ts";
import { readCapture } from "./read_capture.ts";

/** Mutated files a run; by hand 100,000. */
const MUTATIONS = 2_000;

const DATA = new Uint8Array(40).map((_, index) => index);
const RECORDS = [
  { fraction: 1, data: DATA },
  { fraction: 2, data: DATA.subarray(0, 7) },
  { fraction: 3, data: new Uint8Array(0) },
];

function pcapng(littleEndian: boolean): Uint8Array {
  const build = new PcapngBuilder(littleEndian);
  return concat(
    build.section({ options: build.comment("section") }),
    build.interface({ name: "eth0", resolution: 9, offsetSeconds: 3n }),
    build.packet({ data: DATA, options: [build.comment("hello"), build.flags(2)] }),
    build.block(0x0bad, DATA),
    build.packet({ data: DATA.subarray(0, 7) }),
    build.packet({ obsolete: true, data: DATA }),
    build.simplePacket(DATA),
    build.statistics(0, 4n),
  );
}

const FILES: { name: string; file: Uint8Array; packets: number; unit: string }[] = [
  ...Object.entries(PcapMagic).map(([name, magic]) => ({
    name: `pcap ${name.toLowerCase()}`,
    file: buildPcap({ magic, records: RECORDS }),
    packets: 3,
    unit: "a packet",
  })),
  {
    name: "pcap big endian",
    file: buildPcap({ littleEndian: false, records: RECORDS }),
    packets: 3,
    unit: "a packet",
  },
  { name: "pcapng", file: pcapng(true), packets: 4, unit: "a block" },
  { name: "pcapng big endian", file: pcapng(false), packets: 4, unit: "a block" },
];

for (const { name, file, packets, unit } of FILES) {
  Deno.test(`CaptureReader reads ${name} the same in any pieces`, () => {
    const whole = readCapture(file);
    assertEquals([whole.packets.length, whole.fault], [packets, undefined]);
    for (let cut = 0; cut <= file.length; cut++) assertEquals(readCapture(file, [cut]), whole);
    const single = Array.from({ length: file.length }, (_, index) => index);
    assertEquals(readCapture(file, single), whole);
    fc.assert(
      fc.property(fc.array(fc.nat(file.length)), (cuts) => {
        assertEquals(readCapture(file, cuts.toSorted((a, b) => a - b)), whole);
      }),
      { numRuns: 20 },
    );
  });

  Deno.test(`CaptureReader delivers what comes before the end of ${name} cut anywhere`, () => {
    const whole = readCapture(file);
    let wholeAt: number[] = [];
    for (let length = 0; length < file.length; length++) {
      const { packets: read, fault } = readCapture(file.subarray(0, length));
      assertEquals(read, whole.packets.slice(0, read.length));
      if (fault === undefined) {
        // The cut is between two records, and no packet before it is missing.
        wholeAt = [...wholeAt, length];
        continue;
      }
      assertMatch(fault.reason, length === 0 ? /^it is empty$/ : /^it ends inside (its header|a )/);
      assert(fault.byteOffset <= length);
      if (wholeAt.length > 0) {
        assertEquals(fault, { byteOffset: wholeAt.at(-1)!, reason: `it ends inside ${unit}` });
      }
    }
    assert(wholeAt.length >= packets - 1);
  });
}

Deno.test("CaptureReader says of another file what it begins with", () => {
  const cases = [
    ...[
      { begin: [0xfd, 0x37, 0x7a, 0x58], name: "xz", command: "xz -dc" },
      { begin: [0x42, 0x5a, 0x68, 0x39], name: "bzip2", command: "bzip2 -dc" },
      { begin: [0x04, 0x22, 0x4d, 0x18], name: "lz4", command: "lz4 -dc" },
      { begin: [0x1f, 0x9d, 0x90, 0xd4], name: "compress", command: "gzip -dc" },
      { begin: [0x50, 0x4b, 0x03, 0x04], name: "zip", command: "unzip -p" },
    ].map(({ begin, name, command }) => ({
      file: new Uint8Array(begin),
      says: `it is compressed by ${name}, only gzip and zstd are read; ` +
        `${command} FILE | synsnoop read - reads it`,
    })),
    { file: new TextEncoder().encode("hello"), says: "it begins with 0x68656c6c and is neither" },
    { file: new Uint8Array(100), says: "zeros follow: not all of it came to the disk" },
  ];
  for (const { file, says } of cases) {
    const { fault, packets } = readCapture(file);
    assertEquals([fault?.byteOffset, packets.length], [0, 0]);
    assertEquals(fault?.reason.slice(0, says.length), says);
  }
});

Deno.test("CaptureReader says where a long record ends too early", () => {
  const file = buildPcap({
    snapLength: 9_000_000,
    records: [{}, { data: DATA, capturedLength: 5_000_000 }],
  });
  const long = concat(file, new Uint8Array(2_000_000));
  const { packets, fault } = readCapture(long, [1_000, 1_200_000]);
  assertEquals(packets.length, 2);
  assertEquals(fault, { byteOffset: long.length, reason: "it ends inside a packet" });
});

Deno.test("CaptureReader always has room, and counts bytes also behind a fault", () => {
  const reader = new CaptureReader(new CaptureAxis(), () => {});
  const file = concat(buildPcap({ records: [{}, { capturedLength: 0xffffffff }] }), DATA);
  for (let round = 0; round < 3; round++) {
    assert(reader.room().length >= READ_LENGTH);
    reader.feed(file);
    assertEquals(reader.byteOffset, (round + 1) * file.length);
  }
  assertEquals(reader.fault?.byteOffset, 24 + 16 + 3);
});

Deno.test("CaptureReader survives files with anything wrong in them", () => {
  const mutation = fc.record({
    file: fc.constantFrom(...FILES.map(({ file }) => file)),
    changes: fc.array(
      fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255))),
      {
        minLength: 1,
        maxLength: 8,
      },
    ),
    cut: fc.nat(),
    length: fc.nat(),
  });
  fc.assert(
    fc.property(mutation, ({ file, changes, cut, length }) => {
      const mutated = file.slice(0, length % 2 === 0 ? file.length : length % (file.length + 1));
      for (const [at, value] of changes) mutated[at % mutated.length] = value;
      const read = readCapture(mutated, [cut % (mutated.length + 1)]);
      for (const { data } of read.packets) assert(data.length <= mutated.length);
      // A packet takes 12 bytes at least: there is no end to nothing.
      assert(read.packets.length <= mutated.length / 12);
      if (read.fault) assert(read.fault.byteOffset <= mutated.length);
    }),
    { numRuns: MUTATIONS },
  );
});
