import { assert, assertEquals, assertRejects } from "@std/assert";
import { DecodingThread, type Thread } from "../../../src/pipeline/decoding_thread.ts";
import { PIECE_LENGTH } from "../../../src/pipeline/line_piece.ts";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { RecordReader } from "../../../src/record/record_reader.ts";
import { CONTEXT, HANDSHAKES } from "../record/sample_handshakes.ts";
import { type OpenedDecoding, openStepped, SteppedDecoding } from "./stepped_decoding.ts";

const encoder = new TextEncoder();
const LINES = HANDSHAKES.map((handshake) => encodeHandshake(handshake, CONTEXT));
/** A piece of whole lines, each another time. */
const PIECES = LINES.map((_, at) => [...LINES.slice(at), ...LINES.slice(0, at)].join(""));
const ALL = {
  wanted: { fields: undefined, filter: undefined },
  sample: new Uint8Array(0),
  isOver: () => false,
};

interface Fed extends OpenedDecoding {
  lines: string[];
  feed(text: string): void;
  end(): void;
}

async function begin(options = ALL): Promise<Fed> {
  const opened = await openStepped(options);
  const lines: string[] = [];
  const reader = new RecordReader(
    (handshake, context) => {
      lines.push(encodeHandshake(handshake, context));
    },
    undefined,
    undefined,
    opened.decoding,
  );
  return {
    ...opened,
    lines,
    feed: (text) => reader.feed(encoder.encode(text)),
    end: () => reader.end(),
  };
}

Deno.test("DecodingThread gives records in their order, whichever thread decoded them", async () => {
  const { thread, lines, feed, end } = await begin();
  for (const [at, piece] of PIECES.entries()) {
    feed(piece);
    // In time, too late, and in time again.
    if (at < 5 || at > 10) thread.step();
  }
  end();
  assertEquals(lines.join(""), PIECES.join(""));
  // Neither did all of it.
  assert(thread.decoded > 3 && thread.decoded < PIECES.length - 3, `${thread.decoded}`);
});

Deno.test("DecodingThread lets a few pieces wait, and then decodes them itself", async () => {
  const { thread, lines, feed, end } = await begin();
  const taken = PIECES.slice(0, 6).map((piece) => {
    feed(piece);
    return lines.length / LINES.length;
  });
  assertEquals(taken, [0, 0, 0, 1, 2, 3]);
  end();
  assertEquals([lines.length / LINES.length, thread.decoded], [6, 0]);
});

Deno.test("DecodingThread takes more bytes at once than a piece has", async () => {
  const { lines, feed, end } = await begin();
  const long = LINES[0].repeat(Math.ceil(PIECE_LENGTH / LINES[0].length));
  feed(LINES[1]);
  feed(long);
  feed(LINES[1]);
  end();
  assertEquals(lines.join(""), LINES[1] + long + LINES[1]);
});

for (const says of [true, false]) {
  const how = says ? "says why it ends" : "ends by an error";
  Deno.test(`DecodingThread does all of the work of one that ${how}`, async () => {
    const { thread, lines, ended, feed, end } = await begin();
    feed(PIECES[0]);
    thread.step();
    feed(PIECES[1]);
    // What it has begun is begun again.
    assert(thread.claim() !== undefined);
    feed(PIECES[2]);
    thread.fail("it was to end", says);
    assertEquals([ended, thread.hasEnded], [["it was to end"], true]);
    for (const piece of PIECES.slice(3)) feed(piece);
    end();
    assertEquals(lines.join(""), PIECES.join(""));
    assertEquals(ended.length, 1);
  });
}

Deno.test("DecodingThread does all of the work of one that fails in a piece, and says why", async () => {
  const { thread, lines, ended, feed, end } = await begin();
  feed(PIECES[0]);
  thread.claim()!.fail("no \u{1f980} memory".repeat(100));
  for (const piece of PIECES.slice(1)) feed(piece);
  end();
  assertEquals(lines.join(""), PIECES.join(""));
  assertEquals([ended.length, ended[0].slice(0, 12)], [1, "no \u{1f980} memory"]);
  assert(ended[0].length < 300);
});

Deno.test("DecodingThread gives up one that does not answer", async () => {
  const thread = new SteppedDecoding();
  const ended: string[] = [];
  const onEnd = (reason: string) => ended.push(reason);
  const decoding = await DecodingThread.open(thread, ALL, onEnd, 0);
  const lines: string[] = [];
  const take = (bytes: Uint8Array) => lines.push(new TextDecoder().decode(bytes.slice()));
  decoding.take(encoder.encode(PIECES[0]), take);
  assert(thread.claim() !== undefined);
  decoding.giveAll(take);
  assertEquals([lines, ended], [[PIECES[0]], ["it does not answer"]]);
  assert(thread.hasEnded);
});

Deno.test("DecodingThread gives nothing more back when it is over", async () => {
  let isOver = false;
  const { thread, lines, feed, end } = await begin({ ...ALL, isOver: () => isOver });
  for (const piece of PIECES.slice(0, 5)) feed(piece);
  thread.step();
  assertEquals(lines.length, 2 * LINES.length);
  isOver = true;
  for (const piece of PIECES.slice(5)) feed(piece);
  feed(LINES[0].repeat(PIECE_LENGTH / 100));
  end();
  assertEquals(lines.length, 2 * LINES.length);
});

Deno.test("DecodingThread.open says why a thread could not begin", async () => {
  for (const says of [true, false]) {
    const thread = new SteppedDecoding();
    thread.postMessage = () => thread.fail("no such module", says);
    await assertRejects(
      () => DecodingThread.open(thread as Thread, ALL, () => {}),
      Error,
      "no such module",
    );
  }
});
