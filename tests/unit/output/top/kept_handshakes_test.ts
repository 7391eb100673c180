import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Latest, Slowest } from "../../../../src/output/top/kept_handshakes.ts";

Deno.test("Latest keeps the last ones", () => {
  fc.assert(fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 9 }), (items, capacity) => {
    const latest = new Latest<number>(capacity);
    for (const item of items) latest.push(item);
    const wanted = items.slice(-capacity).reverse();
    assertEquals(latest.list(), wanted);
    assertEquals(latest.list(2), wanted.slice(0, 2));
  }));
});

Deno.test("Slowest keeps those with the longest durations, the first of equals first", () => {
  const durations = fc.array(fc.nat({ max: 50 }));
  fc.assert(fc.property(durations, fc.integer({ min: 1, max: 9 }), (durations, capacity) => {
    const slowest = new Slowest<number>(capacity);
    durations.forEach((ns, at) => slowest.offer(at, ns));
    const wanted = durations.map((ns, at) => ({ ns, at })).sort((one, two) => two.ns - one.ns)
      .slice(0, capacity).map(({ at }) => at);
    assertEquals(slowest.list(), wanted);
    assertEquals(slowest.list(1), wanted.slice(0, 1));
  }));
});
