import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { TALLIES_MAX } from "../../../../src/output/limits.ts";
import { TopTallies } from "../../../../src/output/statistics/top_tallies.ts";
import { makeHandshake } from "../../record/sample_handshakes.ts";

const HANDSHAKE = makeHandshake({
  client: { address: "10.0.0.1" },
  server: { address: "10.0.0.2" },
});

function fill(names: Iterable<string>, max?: number): TopTallies {
  const tallies = new TopTallies(max);
  for (const name of names) tallies.record([name], HANDSHAKE);
  return tallies;
}

function listOf(tallies: TopTallies, most = Infinity) {
  return tallies.list(most).map(({ name, tally, missedMax }) => [
    name,
    tally.handshakes,
    missedMax,
  ]);
}

const CASES: { names: string; max: number; expected: ReturnType<typeof listOf>; known: boolean }[] =
  [
    { names: "", max: 2, expected: [], known: true },
    { names: "abbcbc", max: 3, expected: [["b", 3, 0], ["c", 2, 0], ["a", 1, 0]], known: true },
    // The first of equals comes first.
    { names: "baab", max: 2, expected: [["b", 2, 0], ["a", 2, 0]], known: true },
    // "d" makes "b" and "c" go; it may have come once before it is counted.
    { names: "aaabcd", max: 3, expected: [["a", 3, 0], ["d", 1, 1]], known: false },
    // One that comes again begins anew: it came at most once more than is counted.
    { names: "aaabcdb", max: 3, expected: [["a", 3, 0], ["d", 1, 1], ["b", 1, 1]], known: false },
  ];

for (const { names, max, expected, known } of CASES) {
  Deno.test(`TopTallies counts "${names}" with room for ${max}`, () => {
    const tallies = fill(names, max);
    assertEquals(listOf(tallies), expected);
    assertEquals(tallies.names, known ? new Set(names).size : undefined);
  });
}

Deno.test("TopTallies lists no more than asked for", () => {
  assertEquals(listOf(fill("abbccc", 9), 2), [["c", 3, 0], ["b", 2, 0]]);
});

Deno.test("TopTallies is exact for as many names as it has room for", () => {
  const names = Array.from({ length: TALLIES_MAX }, (_, at) => `${at}`);
  const tallies = fill([...names, ...names]);
  assertEquals(tallies.names, TALLIES_MAX);
  for (const [, handshakes, missedMax] of listOf(tallies)) {
    assertEquals([handshakes, missedMax], [2, 0]);
  }
});

Deno.test("TopTallies holds no more names than it has room for, and finds the frequent ones", () => {
  const tallies = new TopTallies();
  for (let at = 0; at < 100_000; at++) {
    tallies.record([`passing ${at}`], HANDSHAKE);
    if (at % 500 === 0) tallies.record(["staying"], HANDSHAKE);
  }
  assertLessOrEqual(tallies.list(Infinity).length, TALLIES_MAX);
  assertEquals(listOf(tallies, 1), [["staying", 200, 0]]);
});

Deno.test("TopTallies never counts too many, and at most so many too few as it says", () => {
  const name = fc.oneof(
    fc.constantFrom("a", "b", "c"),
    fc.nat({ max: 40 }).map(String),
  );
  const names = fc.array(name, { maxLength: 300 });
  fc.assert(
    fc.property(names, fc.integer({ min: 2, max: 12 }), (names, max) => {
      const tallies = fill(names, max);
      const counted = new Map(tallies.list(Infinity).map((each) => [each.name, each]));
      assertLessOrEqual(counted.size, max);
      const listed = tallies.list(max >> 1).reduce((sum, { tally }) => sum + tally.handshakes, 0);
      assertEquals(listed + tallies.others(max >> 1).handshakes, names.length);
      for (const name of new Set(names)) {
        const exact = names.filter((each) => each === name).length;
        const { tally, missedMax } = counted.get(name) ?? { tally: undefined, missedMax: 0 };
        // The promise of Misra and Gries: who is frequent is there.
        if (exact > names.length / (max / 2)) assert(tally !== undefined, name);
        if (tally === undefined) continue;
        assertLessOrEqual(tally.handshakes, exact);
        assertGreaterOrEqual(tally.handshakes + missedMax, exact);
      }
    }),
    { numRuns: 500 },
  );
});
