import { assertEquals } from "@std/assert";
import { RingTotals } from "../../../../src/linux/capture/ring_counts.ts";

/** A ring that counts how often it was asked. */
function ringOf(givenUp: number | undefined) {
  const counts = { packets: 0, drops: 0, freezes: 0 };
  let asked = 0;
  const ring = {
    statistics: () => {
      asked++;
      return counts;
    },
    filterGivenUp: givenUp,
  };
  return { ring, counts, asked: () => asked };
}

Deno.test("RingTotals samples one ring a time, and sums what was sampled", () => {
  const rings = [ringOf(undefined), ringOf(2), ringOf(3)];
  const totals = new RingTotals();
  assertEquals(totals.sampled, { packets: 0, drops: 0, filterHalfOpen: undefined });
  rings.forEach(({ counts }, at) => {
    counts.packets = 10 ** at;
    counts.drops = at;
  });
  totals.sample([], 0);
  totals.sample(rings, 0);
  // Not so soon again.
  totals.sample(rings, 99);
  assertEquals(totals.sampled, { packets: 1, drops: 0, filterHalfOpen: undefined });
  totals.sample(rings, 100);
  totals.sample(rings, 200);
  assertEquals(totals.sampled, { packets: 111, drops: 3, filterHalfOpen: 5 });
  assertEquals(rings.map(({ asked }) => asked()), [1, 1, 1]);
  rings[0].counts.packets = 5;
  // Not before its turn.
  assertEquals(totals.sampled.packets, 111);
  assertEquals(totals.read(rings).packets, 115);
  totals.sample(rings, 300);
  assertEquals(totals.sampled.packets, 115);
});

Deno.test("RingTotals counts rings once that are closed, sampled before or not", () => {
  const [one, other, open] = [ringOf(1), ringOf(1), ringOf(undefined)];
  const totals = new RingTotals();
  for (const { counts } of [one, other, open]) counts.packets = 7;
  totals.sample([one], 0);
  one.counts.packets = 8;
  totals.close(one);
  totals.close(other);
  assertEquals(totals.sampled, { packets: 15, drops: 0, filterHalfOpen: 2 });
  assertEquals(totals.read([open]), { packets: 22, drops: 0, filterHalfOpen: 2 });
});
