import { assertEquals } from "@std/assert";
import { orderByTime } from "../../../src/kernel/order_by_time.ts";

function order(timesNs: readonly number[]): number[] {
  return [...orderByTime(new Float64Array(timesNs))];
}

Deno.test("orderByTime tells the places of times in their order, of equal ones as they were", () => {
  assertEquals(order([]), []);
  assertEquals(order([7]), [0]);
  assertEquals(order([5, 3, 5, -2, 3]), [3, 1, 4, 0, 2]);
});

Deno.test("orderByTime orders times as a comparison does, however far they are apart", () => {
  let seed = 1;
  const random = () => (seed = Math.imul(seed, 48271) >>> 0) / 2 ** 32;
  for (const widthNs of [10, 1e8, 1e13, 2 ** 53 - 1]) {
    for (const count of [1, 2, 17, 3_000]) {
      const times = Array.from({ length: count }, () => Math.floor(random() * widthNs));
      const expected = [...times.keys()].sort((a, b) => times[a] - times[b]);
      assertEquals(order(times), expected);
    }
  }
});
