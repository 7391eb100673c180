import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { coarseStart, Histogram } from "../../../../src/pipeline/histogram.ts";
import { legsData, pack, PARTS, TextTable } from "../../../../src/output/report/page_data.ts";
import {
  addCells,
  quantileBucket,
  startOfBucket,
  unpack,
  unpackCells,
} from "../../../../src/output/report/page/unpack.js";

Deno.test("pack counts what is nothing, and unpack gives the same numbers again", () => {
  assertEquals(pack([0, 0, 3, 1, 0, 7]), [-2, 3, 1, -1, 7]);
  fc.assert(fc.property(fc.array(fc.nat({ max: 3 })), (numbers) => {
    assertEquals(unpack(pack(numbers)), numbers);
  }));
});

Deno.test("TextTable has each text once", () => {
  const table = new TextTable();
  assertEquals(["a", "b", "a"].map((text) => table.at(text)), [0, 1, 0]);
  assertEquals(table.texts, ["a", "b"]);
});

const names = { all: new Float64Array(1), failed: new Float64Array(1) };
const durations = fc.array(fc.nat({ max: 2 ** 40 }), { minLength: 1, maxLength: 30 });

Deno.test("legsData has the durations of each piece of time, from which a page finds quantiles", () => {
  fc.assert(
    fc.property(durations, durations, fc.constantFrom(0, 0.5, 0.99), (one, other, share) => {
      const [first, second, all] = [one, other, [...one, ...other]].map((values) => {
        const histogram = new Histogram();
        values.forEach((ns) => histogram.record(ns));
        return histogram;
      });
      const buckets = [{ kinds: [], legs: [first], names }, undefined, {
        kinds: [],
        legs: [second],
        names,
      }];
      const [leg, ...more] = legsData({ startMs: 0, widthMs: 1, buckets });
      assertEquals([more, leg.measured, leg.p50Ns], [[], all.count, all.quantile(0.5)!]);
      const counts = addCells(leg.cells.map(unpackCells));
      assertEquals([...counts].sort((a, b) => a[0] - b[0]), [...all.coarse(PARTS)]);
      const at = quantileBucket(counts, share)!;
      const exact = all.quantile(share)!;
      assertEquals(startOfBucket(at, PARTS) <= exact && exact < startOfBucket(at + 1, PARTS), true);
      assertEquals(startOfBucket(at, PARTS), coarseStart(at, PARTS));
    }),
  );
});

Deno.test("legsData has network before host time, and what was not measured not at all", () => {
  const histogram = new Histogram();
  histogram.record(5);
  const legs = [histogram, histogram, histogram, histogram, undefined, undefined, histogram];
  const titles = legsData({ startMs: 0, widthMs: 1, buckets: [{ kinds: [], legs, names }] })
    .map(({ title }) => title);
  assertEquals(titles, [
    "Network RTT, as the client",
    "Network RTT, as the server",
    "Seen on the way, client RTT",
    "Host time, as the client",
    "Host time, as the server",
  ]);
  assertEquals(legsData(undefined), []);
});
