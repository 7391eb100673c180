import { assertEquals } from "@std/assert";
import type { KernelRecord } from "../../../src/kernel/kernel_record.ts";
import { orderByTime } from "../../../src/kernel/order_by_time.ts";
import { newEnd } from "../../../src/kernel/spare_records.ts";

/** Records of these times, told apart by their ports. */
function recordsOf(times: readonly number[]): KernelRecord[] {
  return times.map((endNs, localPort) => ({ ...newEnd(), endNs, localPort }));
}

function order(times: readonly number[]): number[][] {
  const records = recordsOf(times);
  orderByTime(records);
  return records.map((record) => [record.endNs, (record as { localPort: number }).localPort]);
}

Deno.test("orderByTime puts records in the order of their times, equal ones as they were", () => {
  assertEquals(order([]), []);
  assertEquals(order([7]), [[7, 0]]);
  assertEquals(order([5, 3, 5, -2, 3]), [[-2, 3], [3, 1], [3, 4], [5, 0], [5, 2]]);
});

Deno.test("orderByTime orders times as a comparison does, however far they are apart", () => {
  let seed = 1;
  const random = () => (seed = Math.imul(seed, 48271) >>> 0) / 2 ** 32;
  for (const widthNs of [10, 1e8, 1e13, 2 ** 53 - 1]) {
    for (const count of [1, 2, 17, 3_000]) {
      const times = Array.from({ length: count }, () => Math.floor(random() * widthNs));
      const expected = times.map((endNs, at) => [endNs, at]).sort((a, b) => a[0] - b[0]);
      assertEquals(order(times), expected);
    }
  }
});
