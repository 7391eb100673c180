import { assertEquals } from "@std/assert";
import { LineCount } from "../../../src/kernel/line_count.ts";

const MS = 1_000_000;

function take(lines: LineCount, count: number, cpu = 0): void {
  for (let line = 0; line < count; line++) lines.take({ type: "record", record: undefined, cpu });
}

/** Looks every 20 ms from one moment until another. @returns What the last look said, in ms. */
function look(lines: LineCount, fromMs: number, untilMs: number, ...written: number[]): number {
  let completeNs = NaN;
  for (let atMs = fromMs; atMs <= untilMs; atMs += 20) {
    completeNs = lines.completeUntil(atMs * MS, written);
  }
  return completeNs / MS;
}

Deno.test("LineCount counts what was told to be lost, and what did not come of what was written", () => {
  const lines = new LineCount();
  take(lines, 3);
  assertEquals(lines.lost, 0);
  lines.take({ type: "lost", count: 2 });
  // A comm may say so too: it counts behind the end alone.
  lines.take({ type: "written", count: 9 });
  assertEquals(lines.lost, 2);
  lines.take({ type: "end" });
  lines.take({ type: "written", count: 9 });
  assertEquals(lines.lost, 6);
});

Deno.test("LineCount is complete up to when as many have come as were written then", () => {
  const lines = new LineCount();
  assertEquals(look(lines, 0, 80, 5), -Infinity);
  take(lines, 4);
  assertEquals(look(lines, 100, 1_000, 7), -Infinity);
  take(lines, 1);
  assertEquals(look(lines, 1_020, 1_020, 7), 80, "until more were written");
  take(lines, 2);
  assertEquals(look(lines, 1_040, 1_040, 7), 940, "no later than is usual");
});

Deno.test("LineCount waits for a line of one CPU, however many come that another wrote later", () => {
  const lines = new LineCount();
  take(lines, 4, 0);
  assertEquals(look(lines, 0, 100, 5, 1), -Infinity);
  take(lines, 50, 1);
  assertEquals(look(lines, 120, 1_000, 5, 50), -Infinity);
  take(lines, 1, 0);
  assertEquals(look(lines, 1_020, 1_020, 5, 50), 920);
});

Deno.test("LineCount goes by the usual time where it does not know how many there are", () => {
  const lines = new LineCount();
  assertEquals(lines.completeUntil(500 * MS, undefined), 400 * MS);
});

Deno.test("LineCount takes for lost what does not come in two seconds, once", () => {
  const lines = new LineCount();
  take(lines, 2);
  assertEquals(look(lines, 0, 1_980, 5), -Infinity);
  assertEquals(look(lines, 2_000, 2_200, 5), 2_100);
  // Those three are not waited for again, others are.
  assertEquals(look(lines, 2_220, 3_000, 6), 2_200);
  take(lines, 1);
  assertEquals(look(lines, 3_020, 3_200, 6), 3_100);
  // They come after all: what is lacking from now on is another one.
  take(lines, 3);
  assertEquals(look(lines, 3_220, 3_220, 6), 3_120);
  assertEquals(look(lines, 3_240, 4_000, 7), 3_220);
});

Deno.test("LineCount knows of what was lost by what bpftrace says of it", () => {
  const lines = new LineCount();
  take(lines, 2);
  lines.take({ type: "lost", count: 3 });
  assertEquals(look(lines, 0, 200, 5), 100);
});

Deno.test("LineCount gives whoever was stopped for long the time to read what came meanwhile", () => {
  const lines = new LineCount();
  take(lines, 2);
  look(lines, 0, 60, 5);
  assertEquals(look(lines, 10_000, 10_100, 9), -Infinity);
  take(lines, 7);
  assertEquals(look(lines, 10_120, 10_120, 9), 10_020);
});

Deno.test("LineCount goes on where the clock was set", () => {
  const lines = new LineCount();
  take(lines, 5);
  assertEquals(look(lines, 100_000, 100_200, 5), 100_100);
  assertEquals(look(lines, 0, 200, 5), 100, "back");
  assertEquals(look(lines, 300_000, 300_200, 5), 300_100, "ahead");
});
