import { assertEquals } from "@std/assert";
import type { KernelReset } from "../../../src/kernel/kernel_record.ts";
import { orderByTime } from "../../../src/kernel/order_by_time.ts";

const RESET: KernelReset = {
  kind: "reset",
  endNs: 0,
  source: new Uint32Array(4),
  destination: new Uint32Array(4),
  sourcePort: 0,
  destinationPort: 0,
  flags: 0,
  sequence: 0,
  acknowledgment: 0,
  reason: "",
};

/** The times in their order, each with its place before. */
function order(times: readonly number[]): number[][] {
  const records = times.map((endNs, sourcePort) => ({ ...RESET, endNs, sourcePort }));
  orderByTime(records);
  return records.map(({ endNs, sourcePort }) => [endNs, sourcePort]);
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
