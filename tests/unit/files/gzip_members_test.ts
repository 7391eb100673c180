// Covers src/files/decompress.ts: what of a gzip file is handed out, however it is cut or damaged.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import { decompressGzip } from "../../../src/files/decompress.ts";
import { InputError } from "../../../src/files/input_error.ts";
import { expectPadding, gzipCut, gzipFault } from "../../../src/files/gzip_members.ts";
import { concat } from "../wire/build_frame.ts";

const TEXT = new TextEncoder().encode(
  Array.from({ length: 12 }, (_, at) => `${at}: ${Math.sin(at)}\n`).join(""),
);
/** Many chunks of the decompressor, from many parts. */
const LONG = new TextEncoder().encode(
  Array.from({ length: 60_000 }, (_, at) => `${at}: ${Math.sin(at)}\n`).join(""),
);
const BEHIND = "bytes that are no gzip follow its compressed data; all before them is read";
const CUT = "its compressed data is broken: unexpected end of file";

async function* piecesOf(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) {
    yield await Promise.resolve(bytes.subarray(at, at + length));
  }
}

/** All that comes of a file in pieces of a length, and what is said at its end. */
async function decompress(bytes: Uint8Array, length = bytes.length) {
  const chunks: Uint8Array[] = [];
  let says = "";
  try {
    for await (const chunk of decompressGzip(piecesOf(bytes, length))) {
      chunks.push(Uint8Array.from(chunk));
    }
  } catch (error) {
    assert(error instanceof InputError, String(error));
    says = error.message;
  }
  return { made: concat(...chunks), says };
}

/** A member with every field that its header may have (RFC 1952 §2.3). */
function fullMember(content: Uint8Array): Uint8Array {
  const fields = [0x1f, 0x8b, 8, 0b11110, 0, 0, 0, 0, 0, 3, 3, 0, 7, 0, 9, 97, 0, 98, 99, 0];
  const header = new Uint8Array(fields);
  const trailer = new Uint32Array([crc32(content), content.length]);
  const sum = new Uint8Array(new Uint16Array([crc32(header)]).buffer);
  return concat(header, sum, deflateRawSync(content), new Uint8Array(trailer.buffer));
}

const HALVES = [TEXT.subarray(0, 100), TEXT.subarray(100)];
const WHOLE: { name: string; bytes: Uint8Array; content: Uint8Array }[] = [
  { name: "one member", bytes: gzipSync(TEXT), content: TEXT },
  { name: "a member with all fields", bytes: fullMember(TEXT), content: TEXT },
  {
    name: "several members, one of them empty",
    bytes: concat(gzipSync(HALVES[0]), gzipSync(new Uint8Array(0)), fullMember(HALVES[1])),
    content: TEXT,
  },
  { name: "a member of stored blocks", bytes: gzipSync(TEXT, { level: 0 }), content: TEXT },
];
const BEHINDS: { name: string; bytes: number[]; says: string }[] = [
  { name: "nothing", bytes: [], says: "" },
  { name: "a zero", bytes: [0], says: "" },
  { name: "zeros", bytes: new Array(600).fill(0), says: "" },
  { name: "a line end", bytes: [10], says: BEHIND },
  { name: "a word", bytes: [...new TextEncoder().encode("garbage")], says: BEHIND },
  { name: "zeros and then more", bytes: [0, 0, 0, 1], says: BEHIND },
  { name: "zeros and then a member", bytes: [0, 0, ...gzipSync(TEXT)], says: BEHIND },
  { name: "half a header", bytes: [0x1f, 0x8b, 8], says: CUT },
  {
    name: "a header of an unknown method",
    bytes: [0x1f, 0x8b, 7, 0, 0, 0],
    says: "its compressed data is broken: unknown compression method",
  },
];

for (const { name, bytes, content } of WHOLE) {
  for (const behind of BEHINDS) {
    Deno.test(`decompressGzip reads ${name}, and ${behind.name} behind it`, async () => {
      const all = concat(bytes, new Uint8Array(behind.bytes));
      for (const length of [1, 2, 7, 100, bytes.length, bytes.length + 1, all.length]) {
        const { made, says } = await decompress(all, length);
        assertEquals(says, behind.says, `pieces of ${length}`);
        assertEquals(made, content, `pieces of ${length}`);
      }
    });
  }

  Deno.test(`decompressGzip gives all of ${name} up to each cut`, async () => {
    let before = 0;
    let wholes = 0;
    for (let cut = 4; cut < bytes.length; cut++) {
      const { made, says } = await decompress(bytes.subarray(0, cut));
      assertEquals(made, content.subarray(0, made.length));
      assert(made.length >= before, `${cut}`);
      before = made.length;
      // Between two members a file is whole; behind the first byte of the next no header is seen.
      if (says !== CUT) wholes++;
      if (says !== CUT && says !== BEHIND) assertEquals(says, "");
      assertEquals(await decompress(bytes.subarray(0, cut), 1), { made, says }, `${cut}`);
    }
    assertEquals(before, content.length);
    assertEquals(wholes, name.startsWith("several") ? 4 : 0);
  });
}

Deno.test("decompressGzip gives what stands before damage at any byte, in any pieces", async () => {
  for (const { bytes, content } of WHOLE) {
    for (let at = 10; at < bytes.length; at++) {
      const damaged = bytes.with(at, bytes[at] ^ 0x55);
      const whole = await decompress(damaged);
      assertEquals(await decompress(damaged, 1), whole, `byte ${at}`);
      // A cut before the damage shows what must be there.
      const { made } = await decompress(bytes.subarray(0, at));
      assert(whole.made.length >= made.length, `byte ${at}`);
      assertEquals(whole.made.subarray(0, made.length), content.subarray(0, made.length));
    }
  }
});

for (
  const { from, says } of [
    { from: -8, says: "its compressed data is broken: incorrect data check" },
    { from: -4, says: "its compressed data is broken: incorrect length check" },
  ]
) {
  Deno.test(`decompressGzip tells of "${says}" behind all content`, async () => {
    for (const content of [TEXT, LONG]) {
      const bytes = gzipSync(content);
      const at = bytes.length + from;
      const result = await decompress(bytes.with(at, bytes[at] ^ 1), 100_000);
      assertEquals(result.says, says);
      assertEquals(result.made.length, content.length);
      assert(result.made.every((byte, index) => byte === content[index]));
    }
  });
}

Deno.test("decompressGzip gives all of a long file before damage, and of a bomb", async () => {
  const bytes = gzipSync(LONG);
  const bomb = gzipSync(new Uint8Array(5_000_000));
  for (const [file, content] of [[bytes, LONG], [bomb, new Uint8Array(5_000_000)]] as const) {
    const garbage = concat(file, new TextEncoder().encode("garbage"));
    const { made, says } = await decompress(garbage, 256 * 1024);
    assertEquals(says, BEHIND);
    assertEquals(made.length, content.length);
    assert(made.every((byte, index) => byte === content[index]));
  }
});

Deno.test("gzipFault and gzipCut tell what follows the last member from what is damaged", () => {
  const noHeader = new Error("incorrect header check");
  assertEquals([gzipFault(noHeader).message, gzipCut(noHeader).message], [BEHIND, BEHIND]);
  assertMatch(gzipFault(new Error("invalid block type")).message, /broken: invalid block type$/);
  assertEquals(gzipCut(new Error("invalid block type")).message, CUT);
  assertEquals(gzipCut(undefined).message, CUT);
});

Deno.test("expectPadding takes zeros alone", () => {
  expectPadding(new Uint8Array(9));
  for (let at = 0; at < 9; at++) {
    let says = "";
    try {
      expectPadding(new Uint8Array(9).with(at, 1));
    } catch (error) {
      says = (error as Error).message;
    }
    assertEquals(says, BEHIND);
  }
});
