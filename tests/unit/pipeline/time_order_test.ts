import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ORDERED_NS } from "../../../src/pcap/packet_clock.ts";
import { type HeldPacket, TimeOrder } from "../../../src/pipeline/time_order.ts";

/** Puts packets of these times, numbered, and gives what was handed on: time and number of each. */
function orderOf(times: readonly number[], order = ordered()): [timeNs: number, place: number][] {
  let newestNs = -Infinity;
  for (const [place, timeNs] of times.entries()) {
    newestNs = Math.max(newestNs, timeNs);
    order.put(timeNs, place, newestNs);
  }
  return order.handedOn;
}

function ordered() {
  const handedOn: [timeNs: number, place: number][] = [];
  const order = new TimeOrder(({ timeNs, place }: HeldPacket) => handedOn.push([timeNs, place]));
  const put = (timeNs: number, place: number, newestNs: number) => {
    Object.assign(order.next, { timeNs, place });
    order.put(newestNs, ORDERED_NS);
  };
  return { order, handedOn, put };
}

Deno.test("TimeOrder hands on packets by their times, those of one time as they came", () => {
  const held = ordered();
  assertEquals(orderOf([30, 10, 20, 10], held), []);
  held.order.handOn(20);
  assertEquals(held.handedOn, [[10, 1], [10, 3], [20, 2]]);
  held.order.handOnAll();
  assertEquals(held.handedOn.at(-1), [30, 0]);
  assertEquals(held.order.late, 0);
});

Deno.test("TimeOrder holds a packet until the capture is so far that none before it is to come", () => {
  const held = ordered();
  held.put(0, 0, 0);
  held.put(ORDERED_NS - 1, 1, ORDERED_NS - 1);
  assertEquals(held.handedOn, []);
  held.put(ORDERED_NS, 2, ORDERED_NS);
  assertEquals(held.handedOn, [[0, 0]]);
});

Deno.test("TimeOrder hands on at once what comes too late, and counts it where too many were held", () => {
  const held = ordered();
  held.put(5 * ORDERED_NS, 0, 5 * ORDERED_NS);
  held.put(1, 1, 5 * ORDERED_NS);
  assertEquals(held.handedOn, [[1, 1]]);
  // How late it is, whoever follows the capture's time counts.
  assertEquals(held.order.late, 0);
  const crowded = ordered();
  orderOf(Array.from({ length: 1_025 }, (_, at) => 1_000 + at), crowded);
  assertEquals(crowded.handedOn.length, 2);
  crowded.put(1, 0, 3_000);
  assertEquals([crowded.order.late, crowded.handedOn.at(-1)], [1, [1, 0]]);
});

Deno.test("TimeOrder counts what comes behind what was handed on because nothing more came", () => {
  const held = ordered();
  held.put(100, 0, 100);
  held.order.handOn(Infinity);
  held.put(50, 1, 100);
  held.put(101, 2, 101);
  held.order.handOn(Infinity);
  assertEquals(held.handedOn, [[100, 0], [50, 1], [101, 2]]);
  assertEquals(held.order.late, 1);
});

Deno.test("TimeOrder begins anew after all was handed on", () => {
  const held = ordered();
  held.put(100, 0, 100);
  held.order.handOnAll();
  held.put(50, 1, 100);
  held.put(40, 2, 100);
  held.order.handOnAll();
  assertEquals(held.handedOn, [[100, 0], [40, 2], [50, 1]]);
  assertEquals(held.order.late, 0);
});

Deno.test("TimeOrder gives of any disorder within its bound what sorting gives", () => {
  const delays = fc.array(fc.tuple(fc.nat(3_000_000), fc.nat(ORDERED_NS - 1)), { maxLength: 900 });
  fc.assert(fc.property(delays, (steps) => {
    let timeNs = 0;
    const packets = steps.map(([step, delay]) => ({
      timeNs: timeNs += step,
      comes: timeNs + delay,
    }));
    const times = packets.toSorted((a, b) => a.comes - b.comes).map((packet) => packet.timeNs);
    const held = ordered();
    orderOf(times, held);
    held.order.handOnAll();
    assertEquals(held.handedOn.map(([at]) => at), times.toSorted((a, b) => a - b));
    assertEquals(held.order.late, 0);
  }));
});

Deno.test("TimeOrder keeps the order of the file where the clock of one place was set back", () => {
  const held = ordered();
  const newestNs = 5 * ORDERED_NS;
  held.put(newestNs, 7, newestNs);
  held.put(1, 7, newestNs);
  held.put(2, 7, newestNs);
  assertEquals(held.handedOn, [[newestNs, 7], [1, 7], [2, 7]]);
  assertEquals(held.order.late, 0);
});
