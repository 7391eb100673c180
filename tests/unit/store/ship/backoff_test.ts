import { assert, assertEquals } from "@std/assert";
import { Backoff } from "../../../../src/store/ship/backoff.ts";

function waits(random: () => number, count: number): number[] {
  const backoff = new Backoff(random);
  return Array.from({ length: count }, () => backoff.next());
}

Deno.test("Backoff waits twice as long each time, half a minute at most", () => {
  assertEquals(waits(() => 1, 9), [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  assertEquals(waits(() => 0, 3), [250, 500, 1000]);
  assert(waits(() => 1, 5_000).every((ms) => ms <= 30_000));
});

Deno.test("Backoff spreads those who wait", () => {
  const first = new Set(Array.from({ length: 20 }, () => new Backoff().next()));
  assert(first.size > 10);
});

Deno.test("Backoff begins again after a success", () => {
  const backoff = new Backoff(() => 1);
  backoff.next();
  backoff.next();
  assertEquals(backoff.failures, 2);
  backoff.reset();
  assertEquals([backoff.failures, backoff.next()], [0, 500]);
});
