import { assert, assertEquals, assertRejects } from "@std/assert";
import { InputError } from "../../../src/files/input_error.ts";
import { cutZstdFrames, ZstdFrameWalker } from "../../../src/files/zstd_frames.ts";
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

/** More blocks than any of these frames has. */
const ALL_BLOCKS = 1_000;

for (const { name, bytes } of FRAMES) {
  Deno.test(`ZstdFrameWalker finds the end of a frame with ${name}`, () => {
    const two = concat(bytes, bytes, new Uint8Array(3));
    const walker = new ZstdFrameWalker();
    for (const end of [bytes.length, 2 * bytes.length]) {
      assertEquals(walker.walk(two, end - bytes.length, ALL_BLOCKS), end);
      assertEquals(walker.isBehindFrame, true);
    }
    for (let cut = 1; cut < bytes.length; cut++) {
      const pieces = new ZstdFrameWalker();
      assertEquals(pieces.walk(bytes.subarray(0, cut), 0, ALL_BLOCKS), cut);
      assertEquals(pieces.isBehindFrame, false);
      assertEquals(pieces.walk(bytes.subarray(cut), 0, ALL_BLOCKS), bytes.length - cut);
      assertEquals(pieces.isBehindFrame, true);
    }
  });
}

Deno.test("ZstdFrameWalker ends behind so many blocks", () => {
  const blocks = [1, 0, 1, 2, 1].map((type, at) => block(type, 9, at === 4, type === 1 ? 1 : 9));
  const bytes = frame(0, 1, blocks);
  const walker = new ZstdFrameWalker();
  const ends: number[] = [];
  for (let at = 0; !(at > 0 && walker.isBehindFrame);) {
    ends.push(at = walker.walk(bytes, at, 2));
  }
  assertEquals(ends, [6 + 4 + 12, 6 + 4 + 12 + 4 + 12, bytes.length]);
});

const NO_FRAMES: { name: string; bytes: Uint8Array; says: string }[] = [
  {
    name: "no magic",
    bytes: new Uint8Array(4),
    says: "its compressed data is broken: no zstd frame begins where one ends",
  },
  {
    name: "a block of no type",
    bytes: frame(0, 1, [block(3, 1, true, 1)]),
    says: "its compressed data is broken: a block has no known type",
  },
];

/** A frame whose window is told by its descriptor, or by the content's size. */
const windowed = (descriptor: number, ...header: number[]) =>
  concat(MAGIC, new Uint8Array([descriptor, ...header]), RAW);
const WINDOWS: { name: string; bytes: Uint8Array; fits: boolean }[] = [
  { name: "a window of 32 MiB", bytes: windowed(0, 15 << 3), fits: true },
  { name: "a window of 36 MiB", bytes: windowed(0, 15 << 3 | 1), fits: false },
  { name: "a window of 128 MiB", bytes: windowed(0, 17 << 3), fits: false },
  { name: "the largest window", bytes: windowed(0, 0xff), fits: false },
  { name: "a segment of 32 MiB", bytes: windowed(0xa0, 0, 0, 0, 2), fits: true },
  { name: "a segment of a byte more", bytes: windowed(0xa0, 1, 0, 0, 2), fits: false },
  { name: "the largest segment", bytes: windowed(0xe0, ...new Array(8).fill(0xff)), fits: false },
  { name: "a segment of 2 bytes for its size", bytes: windowed(0x60, 0xff, 0xff), fits: true },
];

for (const { name, bytes, fits } of WINDOWS) {
  Deno.test(`ZstdFrameWalker ${fits ? "takes" : "refuses"} ${name}`, () => {
    const walker = new ZstdFrameWalker();
    assertEquals(walker.walk(bytes, 0, ALL_BLOCKS) === bytes.length, fits);
    assertEquals(
      walker.fault?.message.includes("a zstd window of more than 32 MB"),
      fits ? undefined : true,
    );
  });
}

for (const { name, bytes, says } of NO_FRAMES) {
  Deno.test(`ZstdFrameWalker refuses ${name}`, () => {
    const walker = new ZstdFrameWalker();
    walker.walk(bytes, 0, ALL_BLOCKS);
    assertEquals(walker.fault?.message, says);
  });
}

async function* piecesOf(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) {
    yield await Promise.resolve(bytes.subarray(at, at + length));
  }
}

/** What is left of some bytes, given in pieces of a length. */
async function cut(bytes: Uint8Array, length: number, blocksMax = ALL_BLOCKS) {
  const parts: Uint8Array[] = [];
  for await (const cut of cutZstdFrames(piecesOf(bytes, length), blocksMax)) parts.push(...cut);
  return parts;
}

Deno.test("cutZstdFrames leaves out what is to be skipped, and ends a part with its frame", async () => {
  const skipped = FRAMES.at(-1)!.bytes;
  const short = frame(0x20, 1, [RAW]);
  const all = concat(skipped, short, skipped, skipped, short, skipped);
  assertEquals(await cut(all, all.length), [short, short]);
  // Of a magic that comes in two pieces nobody knows at its first half what it begins.
  for (let length = 1; length < all.length; length++) {
    const left = concat(...await cut(all, length));
    for (let at = 0; at < left.length;) {
      const one = [short, skipped].find((each) =>
        each.every((byte, index) => left[at + index] === byte)
      );
      assert(one !== undefined, `pieces of ${length}, ${at}`);
      at += one.length;
    }
  }
});

Deno.test("cutZstdFrames gives so many blocks at once", async () => {
  const blocks = Array.from({ length: 100 }, (_, at) => block(1, 131_072, at === 99, 1));
  const parts = await cut(frame(0, 1, blocks), 1_000, 16);
  assertEquals(parts.map(({ length }) => length), [6 + 16 * 4, 64, 64, 64, 64, 64, 16]);
});

Deno.test("cutZstdFrames tells of a frame that is cut short", async () => {
  const bytes = frame(0, 1, [RAW]);
  assertEquals(concat(...await cut(bytes, 3)), bytes);
  assertEquals(await cut(new Uint8Array(0), 1), []);
  for (const whole of [bytes, FRAMES.at(-1)!.bytes]) {
    for (let length = 1; length < whole.length; length++) {
      await assertRejects(
        () => cut(whole.subarray(0, length), 4),
        InputError,
        "unexpected end of file",
      );
    }
  }
});

Deno.test("cutZstdFrames gives what stands before a fault", async () => {
  const good = frame(0, 1, [block(0, 5, false, 5), block(0, 6, false, 6)]);
  for (const bad of [[block(3, 1, true, 1)], [block(0, 0, true, 0), new Uint8Array(4)]]) {
    const parts: Uint8Array[] = [];
    const bytes = concat(good, ...bad);
    await assertRejects(async () => {
      const cutting = cutZstdFrames(piecesOf(bytes, bytes.length), ALL_BLOCKS);
      for await (const cut of cutting) {
        for (const part of cut) parts.push(part);
      }
    }, InputError);
    const given = concat(...parts);
    assertEquals(given.subarray(0, good.length), good);
    assert(given.length <= good.length + 3);
  }
});
