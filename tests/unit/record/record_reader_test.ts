import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { type AheadDecoder, LINE_MAX, RecordReader } from "../../../src/record/record_reader.ts";
import { openStepped } from "../pipeline/stepped_decoding.ts";
import { CONTEXT, HANDSHAKES } from "./sample_handshakes.ts";

const LINES = HANDSHAKES.map((handshake) => encodeHandshake(handshake, CONTEXT));
const RECORD = LINES[0].trimEnd();

const encoder = new TextEncoder();

const { thread, decoding } = await openStepped();
let fed = 0;

/** Reads bytes in pieces of so many, and writes again what was read: alone and beside a thread, which is the same. */
function read(bytes: Uint8Array | string, pieceLength = Infinity) {
  const all = typeof bytes === "string" ? encoder.encode(bytes) : bytes;
  const alone = readPieces(all, pieceLength);
  const beside = readPieces(all, pieceLength, decoding);
  assertEquals(told(beside), told(alone));
  return alone;
}

function readPieces(all: Uint8Array, pieceLength: number, ahead?: AheadDecoder) {
  const lines: string[] = [];
  const reader = new RecordReader(
    (handshake, context) => {
      lines.push(encodeHandshake(handshake, context));
    },
    undefined,
    undefined,
    ahead,
  );
  for (let at = 0; at < all.length; at += pieceLength) {
    // What is fed may be overwritten afterwards.
    const piece = all.slice(at, at + pieceLength);
    reader.feed(piece);
    piece.fill(0x7b);
    // Some pieces it decodes at once, some together with others, and some not in time.
    for (let steps = fed++ % 4; ahead && steps > 0; steps--) thread.step();
  }
  reader.end();
  return { reader, lines };
}

function told({ lines, reader }: ReturnType<typeof readPieces>) {
  const { handshakes, hasEnded, refused, firstRefused, events, unknown, newerVersion } = reader;
  return {
    ...{ lines, handshakes, hasEnded, refused, firstRefused, newerVersion },
    events: [...events],
    unknown: [...unknown],
  };
}

Deno.test("RecordReader gives the records of a file, in whatever pieces it comes", () => {
  const text = LINES.join("");
  for (const pieceLength of [1, 7, 1_000, Infinity]) {
    const { reader, lines } = read(text, pieceLength);
    assertEquals(lines, LINES);
    assertEquals([reader.handshakes, reader.refusedCount], [LINES.length, 0]);
  }
});

Deno.test("RecordReader takes a last line without a newline, and lines that others end", () => {
  assertEquals(read(RECORD).lines, [LINES[0]]);
  assertEquals(read(`\r\n${RECORD}\r\n\n  \n${RECORD}`).lines, [LINES[0], LINES[0]]);
  assertEquals(read(`\r\n${RECORD}\r\n\n  \n${RECORD}`).reader.refusedCount, 0);
  assertEquals(read(`\ufeff${RECORD}\n`).lines, [LINES[0]]);
});

Deno.test("RecordReader counts other lines by their kind", () => {
  const { reader, lines } = read([
    '{"v":1,"event":"status"}',
    RECORD,
    '{"v":1,"event":"status"}',
    '{"v":1,"event":"summary"}',
    "# a comment",
    '{"a":1}',
    RECORD.slice(0, 100),
  ].join("\n"));
  assertEquals(lines, [LINES[0]]);
  assertEquals([...reader.events], [["status", 2], ["summary", 1]]);
  assertEquals(reader.refused, { too_long: 0, no_json: 2, no_record: 1 });
  assertEquals(reader.firstRefused, "line 5: it is no JSON");
});

Deno.test("RecordReader refuses bytes that are no UTF-8", () => {
  const bytes = encoder.encode(`${RECORD}\n${RECORD}\n`);
  bytes[20] = 0xff;
  const { reader, lines } = read(bytes);
  assertEquals(lines, [LINES[0]]);
  assertEquals(reader.refused, { too_long: 0, no_json: 1, no_record: 0 });
  assertEquals(reader.firstRefused, "line 1: it is no UTF-8");
});

Deno.test("RecordReader skips a line that is too long, and goes on behind it", () => {
  const padded = (length: number) => RECORD + " ".repeat(length - RECORD.length);
  for (const pieceLength of [4_096, Infinity]) {
    const { reader, lines } = read(
      [padded(LINE_MAX), padded(LINE_MAX + 1), "x".repeat(3 * LINE_MAX), RECORD].join("\n"),
      pieceLength,
    );
    assertEquals(lines, [LINES[0], LINES[0]]);
    assertEquals(reader.refused, { too_long: 2, no_json: 0, no_record: 0 });
    assertEquals(reader.firstRefused, `line 2: it has more than ${LINE_MAX} bytes`);
  }
  assertEquals(read("x".repeat(2 * LINE_MAX), 4_096).reader.refused.too_long, 1);
});

Deno.test("RecordReader tells what it does not know once, and never without bound", () => {
  const newer = RECORD.replace('"v":1', '"v":3,"colour":1');
  const { reader } = read([newer, newer, RECORD.replace('"v":1', '"v":2,"size":1')].join("\n"));
  assertEquals(reader.handshakes, 3);
  assertEquals([...reader.unknown], ["colour", "size"]);
  assertEquals(reader.newerVersion, 3);
  const many = Array.from(
    { length: 1_000 },
    (_, at) => RECORD.replace('"v":1', `"v":1,"n${at}":1`) + `\n{"v":1,"event":"e${at}"}`,
  );
  const { reader: busy } = read(many.join("\n"));
  assertEquals([busy.handshakes, busy.unknown.size, busy.newerVersion], [1_000, 16, undefined]);
  assertEquals([busy.events.size, busy.events.get("others")], [17, 984]);
});

Deno.test("RecordReader throws for no bytes, and counts each line once", () => {
  const pieces = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom("\n", RECORD, RECORD.slice(0, 90), '{"v":1,"event":"x"}\n')
        .map((text) => encoder.encode(text)),
    ),
    { maxLength: 12 },
  );
  fc.assert(fc.property(pieces, fc.integer({ min: 1, max: 200 }), (pieces, pieceLength) => {
    const bytes = new Uint8Array(pieces.flatMap((piece) => [...piece]));
    const { reader } = read(bytes, pieceLength);
    const { reader: whole } = read(bytes);
    const counts = ({ handshakes, refused, events }: RecordReader) => ({
      handshakes,
      refused,
      events: [...events],
    });
    assertEquals(counts(reader), counts(whole));
    const events = [...reader.events.values()].reduce((sum, count) => sum + count, 0);
    const lines = bytes.filter((byte) => byte === 0x0a).length + 1;
    assert(reader.handshakes + reader.refusedCount + events <= lines);
  }));
});

Deno.test("RecordReader judges lines alike whether their ends were looked for or not", () => {
  const change = fc.record({
    at: fc.nat(),
    removed: fc.nat(3),
    put: fc.constantFrom(
      ...['"', "\\", "{", "}", "]", ",", " ", "0", "null", "\r", "\n", "\\\n", "\ufeff", "é", ""],
    ),
  });
  const changedLine = fc.tuple(fc.constantFrom(...LINES), fc.array(change, { maxLength: 2 }));
  let refused = 0;
  fc.assert(
    fc.property(fc.array(changedLine, { maxLength: 5 }), fc.boolean(), (changed, isWhole) => {
      const text = changed.map(([line, changes]) =>
        changes.reduce((text, { at, removed, put }) => {
          const place = at % (text.length + 1);
          return text.slice(0, place) + put + text.slice(place + removed);
        }, line)
      ).join("");
      const bytes = encoder.encode(isWhole ? text : text.trimEnd());
      // In pieces of one byte every line is kept until its newline comes.
      const [whole, pieces] = [read(bytes), read(bytes, 1)];
      refused += whole.reader.refusedCount;
      assertEquals(told(whole), told(pieces));
    }),
    { numRuns: 200 },
  );
  assert(refused > 0);
});

Deno.test("RecordReader had a thread decode for it", () => {
  assert(thread.decoded > 1_000, `${thread.decoded}`);
});
