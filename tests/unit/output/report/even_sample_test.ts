import { assert, assertEquals } from "@std/assert";
import { EvenSample, spread } from "../../../../src/output/report/even_sample.ts";

function fill(max: number, numbers: readonly number[]): EvenSample<number> {
  const sample = new EvenSample<number>(max);
  for (const number of numbers) {
    if (!sample.leavesOut(spread(number))) sample.set(`${number}`, spread(number), number);
  }
  return sample;
}

const MANY = Array.from({ length: 10_000 }, (_, at) => at);

Deno.test("EvenSample keeps everything where there is room", () => {
  const sample = fill(3, [7, 8, 9]);
  assertEquals([...sample.values()], [7, 8, 9]);
  assertEquals([sample.size, sample.get("8"), sample.get("6")], [3, 8, undefined]);
});

Deno.test("EvenSample leaves out the same ones, in whatever order they come", () => {
  const [fewer, more] = [MANY, MANY.toReversed()]
    .map((numbers) => new Set(fill(100, numbers).values()))
    .sort((one, other) => one.size - other.size);
  assert(fewer.size > 25 && more.size <= 100, `${fewer.size} ${more.size}`);
  // In one of the orders it may have been thinned once more.
  assert(fewer.isSubsetOf(more));
});

Deno.test("EvenSample is bounded though all fall together", () => {
  const sample = new EvenSample<number>(10);
  for (const each of MANY) sample.set(`${each}`, 0, each);
  assert(sample.size <= 10);
});
