import { assertEquals } from "@std/assert";
import { encodeHandshake } from "../../../../src/record/ndjson.ts";
import { Batch } from "../../../../src/store/ship/batch.ts";
import { Cursor } from "../../../../src/store/ship/cursor.ts";
import { noCounts } from "../../../../src/store/ship/ship_counts.ts";
import { CONTEXT, HANDSHAKES } from "../../record/sample_handshakes.ts";

/** Milliseconds of the hour in the name: the first segment of its tracer. */
const FIRST = `2026-11-23T01.web1.4711-${Date.parse("2026-11-23T01:02:03Z")}.ndjson`;
const LATER = FIRST.replace("T01", "T05");
const LINE = encodeHandshake(HANDSHAKES[0], CONTEXT).trimEnd();
const WIDE = { rows: 1_000, bytes: 1e9 };

function status(written: number): string {
  const time = "2026-11-23T01:02:03.000000001Z";
  return JSON.stringify({ v: 1, event: "status", time, host: "web1", written });
}

Deno.test("Batch holds the rows of both tables, and how far the segments are with them", () => {
  const counts = noCounts();
  const before = new Cursor(new Map([[LATER, { bytes: 5, isDone: false }]]));
  const batch = new Batch(before, WIDE, counts);
  assertEquals([batch.isEmpty, batch.body("handshakes")], [true, undefined]);
  batch.take(FIRST, {
    lines: [LINE, status(1), "", "{torn", undefined, '{"v":1,"event":"x"}'],
    end: 77,
  });
  batch.finish(LATER);
  const text = (table: "handshakes" | "status") => new TextDecoder().decode(batch.body(table));
  assertEquals(text("handshakes").split("\n").length, 2);
  assertEquals(JSON.parse(text("status")).written, 1);
  assertEquals([counts.rows, counts.refused, counts.others, counts.missing], [2, 2, 1, 0]);
  assertEquals(batch.cursor.of(FIRST), { bytes: 77, isDone: false });
  assertEquals(batch.cursor.of(LATER), { bytes: 5, isDone: true });
  // Nobody has acknowledged anything.
  assertEquals([before.of(FIRST).bytes, before.of(LATER).isDone], [0, false]);
  assertEquals([batch.isEmpty, batch.rows], [false, 2]);
});

Deno.test("Batch is full by rows or by bytes", () => {
  const take = (limits: typeof WIDE, lines: number) => {
    const batch = new Batch(new Cursor(), limits, noCounts());
    batch.take(FIRST, { lines: Array(lines).fill(LINE), end: 1 });
    return batch.isFull;
  };
  assertEquals([take({ ...WIDE, rows: 3 }, 2), take({ ...WIDE, rows: 3 }, 3)], [false, true]);
  assertEquals([take({ ...WIDE, bytes: 1500 }, 1), take({ ...WIDE, bytes: 1500 }, 2)], [
    false,
    true,
  ]);
});

Deno.test("Batch tells what a tracer wrote and nobody could read, once", () => {
  const counts = noCounts();
  const batch = new Batch(new Cursor(), WIDE, counts);
  batch.take(FIRST, { lines: [LINE, LINE, status(2)], end: 1 });
  assertEquals(counts.missing, 0);
  // Hours in between were removed.
  batch.take(LATER, { lines: [LINE, status(10), LINE, status(11), status(12)], end: 1 });
  assertEquals(counts.missing, 8);
});

Deno.test("Batch claims no loss of a tracer that it met in the middle", () => {
  const counts = noCounts();
  const batch = new Batch(new Cursor(), WIDE, counts);
  batch.take(LATER, { lines: [LINE, status(1_000), LINE, status(1_001)], end: 1 });
  assertEquals(counts.missing, 0);
  batch.take(LATER, { lines: [status(1_005)], end: 2 });
  assertEquals(counts.missing, 4);
});

Deno.test("Batch knows what is gone of a tracer that began since, though none of its first hours is there", () => {
  const start = Date.parse("2026-11-23T01:02:03Z");
  for (const [sinceMs, missing] of [[start - 1, 400], [start, 400], [start + 1, 0]]) {
    const counts = noCounts();
    const batch = new Batch(new Cursor(undefined, undefined, sinceMs), WIDE, counts);
    batch.take(LATER, { lines: [LINE, status(401)], end: 1 });
    batch.take(LATER, { lines: [LINE, status(402)], end: 2 });
    assertEquals(counts.missing, missing);
  }
});
