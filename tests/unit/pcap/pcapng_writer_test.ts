import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { KeptPacket } from "../../../src/pcap/kept_packets.ts";
import { CaptureAxis } from "../../../src/pcap/capture_axis.ts";
import { CaptureReader } from "../../../src/pcap/capture_reader.ts";
import { INTERFACE_COUNT_MAX } from "../../../src/pcap/limits.ts";
import { COMMENT_LENGTH_MAX, PcapngWriter } from "../../../src/pcap/pcapng_writer.ts";
import { concat } from "../wire/build_frame.ts";
import { readCapture } from "./read_capture.ts";

const EPOCH_SECONDS = 1_795_395_723;
const NAMES: (string | undefined)[] = [undefined, "lo", "eth0", "ünï", ""];

function writer(): PcapngWriter {
  return new PcapngWriter({
    epochSeconds: () => EPOCH_SECONDS,
    interfaceName: (place) => NAMES[place],
    hidesData: (place) => place % 2 === 1,
  });
}

function packetOf(fields: Partial<KeptPacket> & { data?: Uint8Array<ArrayBuffer> }): KeptPacket {
  const { data = new Uint8Array([1, 2, 3]), ...rest } = fields;
  return {
    view: new DataView(data.buffer, data.byteOffset, data.byteLength),
    start: 0,
    end: data.length,
    originalLength: data.length,
    linkType: 101,
    timeNs: 0,
    place: 1,
    direction: 0,
    ...rest,
  };
}

Deno.test("PcapngWriter writes what the reader reads back, whatever the packets", () => {
  const packets = fc.array(
    fc.record({
      data: fc.uint8Array({ maxLength: 256 }).map((bytes) => new Uint8Array(bytes)),
      originalLength: fc.nat(0xffffffff),
      linkType: fc.constantFrom(1, 101, 113, 276),
      timeNs: fc.nat(Number.MAX_SAFE_INTEGER),
      place: fc.nat(NAMES.length - 1),
      direction: fc.nat(2),
      comment: fc.option(fc.string(), { nil: undefined }),
    }),
    { maxLength: 30 },
  );
  fc.assert(fc.property(packets, (all) => {
    const writing = writer();
    const pieces: Uint8Array[] = [];
    all.forEach(({ comment, ...fields }, index) => {
      writing.packet(packetOf(fields), comment);
      if (index % 3 === 0) pieces.push(writing.take().slice());
    });
    pieces.push(writing.take().slice());
    const read = readCapture(concat(...pieces));
    assertEquals(read.fault, undefined);
    assertEquals(
      read.packets.map((packet) => ({ ...packet, interfaceNumber: 0 })),
      all.map(({ data, originalLength, linkType, timeNs, place, direction, comment }) => ({
        unixNs: BigInt(EPOCH_SECONDS) * 1_000_000_000n + BigInt(timeNs),
        data,
        originalLength,
        linkType,
        interfaceNumber: 0,
        // An empty name says nothing.
        name: NAMES[place] || undefined,
        interfaceIndex: 0,
        comments: comment === undefined ? [] : [`synsnoop: ${comment}`.replace(/\0+$/, "")],
        outbound: direction === 2,
      })),
    );
    const axis = new CaptureAxis();
    const hidden: boolean[] = [];
    new CaptureReader(axis, (packet) => hidden.push(packet.interface.hidesData))
      .feed(concat(...pieces));
    assertEquals(hidden, all.map(({ place }) => place % 2 === 1));
    const described = new Set(all.map(({ place, linkType }) => `${place} ${linkType}`));
    assertEquals(new Set(read.packets.map((each) => each.interfaceNumber)).size, described.size);
  }));
});

Deno.test("PcapngWriter cuts a long comment at a whole character", () => {
  const writing = writer();
  writing.packet(packetOf({}), "→".repeat(COMMENT_LENGTH_MAX));
  const [comment] = readCapture(writing.take()).packets[0].comments;
  const kept = Math.floor((COMMENT_LENGTH_MAX - "synsnoop: ".length) / 3);
  assertEquals(comment, `synsnoop: ${"→".repeat(kept)}`);
});

Deno.test("PcapngWriter tells what was dropped once, and until when was captured", () => {
  const writing = writer();
  writing.packet(packetOf({ place: 1 }));
  writing.packet(packetOf({ place: 2 }));
  writing.statistics(0, 9e9, 2 ** 32 + 5);
  const { dropped, capturedUntilNs, fault } = readCapture(writing.take());
  assertEquals([dropped, capturedUntilNs, fault], [2 ** 32 + 5, 9e9, undefined]);
});

Deno.test("PcapngWriter without packets is a file too", () => {
  const writing = writer();
  writing.statistics(0, 1, 3);
  assertEquals(readCapture(writing.take()), {
    packets: [],
    fault: undefined,
    dropped: 0,
    capturedUntilNs: -Infinity,
  });
});

Deno.test("PcapngWriter describes interfaces again in a new section", () => {
  const writing = writer();
  writing.packet(packetOf({ timeNs: 1 }));
  // Lost.
  writing.take();
  writing.beginSection();
  writing.packet(packetOf({ timeNs: 2 }));
  const read = readCapture(writing.take());
  assertEquals([read.packets.map(({ name }) => name), read.fault], [["lo"], undefined]);
});

Deno.test("PcapngWriter describes no more interfaces in a section than a reader takes", () => {
  const writing = writer();
  const places = INTERFACE_COUNT_MAX + 3;
  for (let place = 0; place < places; place++) writing.packet(packetOf({ place: place + 10 }));
  const { packets, fault } = readCapture(writing.take());
  assertEquals([packets.length, packets.at(-1)?.interfaceNumber, fault], [places, 2, undefined]);
});
