import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { FrequentNames } from "../../../../src/output/statistics/frequent_names.ts";

function taken(names: Iterable<string>, max: number) {
  const frequent = new FrequentNames<string, { name: string; weight: number }>(max);
  for (const name of names) frequent.take(name, () => ({ name, weight: 0 }));
  return frequent;
}

Deno.test("FrequentNames keeps everything for as many names as it has room for", () => {
  const frequent = taken("abcab", 3);
  assertEquals([...frequent.values()].map(({ name, weight }) => `${name}${weight}`), [
    "a2",
    "b2",
    "c1",
  ]);
  assertEquals([frequent.size, frequent.missedMax], [3, 0]);
});

Deno.test("FrequentNames keeps what comes often among any number that come once", () => {
  const names = Array.from({ length: 10_000 }, (_, at) => at % 4 === 0 ? "often" : `once ${at}`);
  const frequent = taken(names, 16);
  assertLessOrEqual(frequent.size, 16);
  const often = [...frequent.values()].find(({ name }) => name === "often");
  assertGreaterOrEqual(often?.weight ?? 0, 2_500 - frequent.missedMax);
});

Deno.test("FrequentNames begins anew with a name that was deleted", () => {
  const frequent = taken("aab", 3);
  frequent.delete("a");
  assertEquals(frequent.take("a", () => ({ name: "a", weight: 0 })).weight, 1);
});
