import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { KEPT_LENGTH_MAX, type KeptPacket, KeptPackets } from "../../../src/pcap/kept_packets.ts";

function packetOf(bytes: Uint8Array<ArrayBuffer>, timeNs: number): KeptPacket {
  return {
    view: new DataView(bytes.buffer),
    start: 0,
    end: bytes.length,
    originalLength: bytes.length + 1,
    linkType: 101,
    timeNs,
    place: 7,
    direction: 2,
  };
}

function timesOf(kept: KeptPackets, row: number): number[] {
  return kept.packetsOf(row).packets.map(({ timeNs }) => timeNs);
}

Deno.test("KeptPackets gives back what was kept, cut to the bytes that hold headers", () => {
  const kept = new KeptPackets(4, 8);
  const bytes = Uint8Array.from({ length: 300 }, (_, index) => index);
  kept.begin(2);
  kept.keep(2, packetOf(bytes.slice(0, 60), 5));
  kept.keep(2, packetOf(bytes, 9));
  const { packets, complete } = kept.packetsOf(2);
  assertEquals(complete, true);
  assertEquals(
    packets.map(({ view, start, end }) => new Uint8Array(view.buffer, start, end - start)),
    [
      bytes.slice(0, 60),
      bytes.slice(0, KEPT_LENGTH_MAX),
    ],
  );
  const meta = packets.map(({ originalLength, linkType, timeNs, place, direction }) => [
    originalLength,
    linkType,
    timeNs,
    place,
    direction,
  ]);
  assertEquals(meta, [[61, 101, 5, 7, 2], [301, 101, 9, 7, 2]]);
});

Deno.test("KeptPackets.begin forgets the handshake that had the row before", () => {
  const kept = new KeptPackets(1, 8);
  kept.keep(0, packetOf(new Uint8Array(1), 1));
  kept.begin(0);
  assertEquals(kept.packetsOf(0), { packets: [], complete: true });
  kept.keep(0, packetOf(new Uint8Array(1), 2));
  assertEquals(timesOf(kept, 0), [2]);
});

Deno.test("KeptPackets.join puts the packets of two rows in their order", () => {
  const kept = new KeptPackets(2, 8);
  for (const [row, timeNs] of [[0, 1], [1, 2], [0, 3], [1, 4]]) {
    kept.keep(row, packetOf(new Uint8Array(1), timeNs));
  }
  kept.join(1, 0);
  assertEquals(timesOf(kept, 0), [1, 2, 3, 4]);
  assertEquals(timesOf(kept, 1), []);
});

Deno.test("KeptPackets holds the newest packets of every row and says where some are missing", () => {
  const ROWS = 3;
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 9 }),
    fc.array(fc.integer({ min: 0, max: ROWS - 1 }), { maxLength: 40 }),
    (capacity, rows) => {
      const kept = new KeptPackets(ROWS, capacity);
      rows.forEach((row, index) => kept.keep(row, packetOf(new Uint8Array(1), index)));
      for (let row = 0; row < ROWS; row++) {
        const all = rows.flatMap((each, index) => each === row ? [index] : []);
        const held = all.filter((index) => index >= rows.length - capacity);
        assertEquals(timesOf(kept, row), held);
        assertEquals(kept.packetsOf(row).complete, held.length === all.length);
      }
    },
  ));
});
