import { assertEquals, assertThrows } from "@std/assert";
import { ZstdFrameWalker } from "../../../src/io/zstd_frames.ts";
import { concat } from "../wire/build_frame.ts";

const MAGIC = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd]);

/** A block header: 21 bits of size, 2 of type, 1 for the last (RFC 8878 §3.1.1.2). */
function block(type: number, size: number, last: boolean, body: number): Uint8Array {
  const header = size << 3 | type << 1 | (last ? 1 : 0);
  return concat(new Uint8Array([header, header >> 8, header >> 16]), new Uint8Array(body));
}

/** A frame: descriptor, the bytes of the header behind it, blocks, checksum. */
function frame(descriptor: number, header: number, blocks: Uint8Array[], checksum = 0) {
  const begin = concat(MAGIC, new Uint8Array([descriptor]), new Uint8Array(header));
  return concat(begin, ...blocks, new Uint8Array(checksum));
}

const RAW = block(0, 5, true, 5);
const FRAMES: { name: string; bytes: Uint8Array }[] = [
  { name: "a window descriptor", bytes: frame(0x00, 1, [RAW]) },
  { name: "a single segment of a byte", bytes: frame(0x20, 1, [RAW]) },
  { name: "a content size of 8 bytes", bytes: frame(0xc0, 9, [RAW]) },
  { name: "a single segment of 4 bytes", bytes: frame(0xa0, 4, [RAW]) },
  { name: "a dictionary of 4 bytes", bytes: frame(0x03, 5, [RAW]) },
  { name: "a checksum", bytes: frame(0x04, 1, [RAW], 4) },
  {
    name: "several blocks",
    bytes: frame(0, 1, [
      block(2, 300, false, 300),
      block(1, 70_000, false, 1),
      block(0, 0, true, 0),
    ]),
  },
  {
    name: "nothing but something to skip",
    bytes: new Uint8Array([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9]),
  },
];

for (const { name, bytes } of FRAMES) {
  Deno.test(`ZstdFrameWalker finds the end of a frame with ${name}`, () => {
    const two = concat(bytes, bytes, new Uint8Array(3));
    const walker = new ZstdFrameWalker();
    assertEquals(walker.walk(two, 0), bytes.length);
    assertEquals(walker.walk(two, bytes.length), 2 * bytes.length);
    for (let cut = 0; cut < bytes.length; cut++) {
      const pieces = new ZstdFrameWalker();
      assertEquals(pieces.walk(bytes.subarray(0, cut), 0), -1);
      assertEquals(pieces.walk(bytes.subarray(cut), 0), bytes.length - cut);
    }
  });
}

Deno.test("ZstdFrameWalker refuses what is no frame, and a block of no type", () => {
  const walk = (bytes: Uint8Array) => new ZstdFrameWalker().walk(bytes, 0);
  assertThrows(() => walk(new Uint8Array(4)), Error, "no zstd frame begins where one ends");
  assertThrows(() => walk(frame(0, 1, [block(3, 1, true, 1)])), Error, "a block has no known type");
});
