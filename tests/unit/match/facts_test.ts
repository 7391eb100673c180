import { assertEquals } from "@std/assert";
import { Mark, WireFact } from "../../../src/match/facts.ts";

for (const [name, bits] of Object.entries({ WireFact, Mark })) {
  Deno.test(`${name} has a bit for each, none twice, in what its column holds`, () => {
    const values = Object.values<number>(bits);
    const width = name === "Mark" ? 16 : 32;
    for (const value of values) assertEquals(Math.log2(value) % 1, 0);
    assertEquals(new Set(values).size, values.length);
    assertEquals(Math.max(...values) < 2 ** width, true);
  });
}
