import { assertEquals } from "@std/assert";
import {
  delayChanges as changesOf,
  steadyDriftPpb,
} from "../../../../src/store/pairs/delay_changes.ts";
import type { LeastDelay } from "../../../../src/store/pairs/clocks.ts";

const SPAN_NS = 4_000_000_000;

/** Least delays every four seconds: what each way takes, by two clocks that differ and drift. */
function delaysOf(
  count: number,
  { there, back, clock = () => 7_000_000 }: Record<"there" | "back", (at: number) => number> & {
    clock?: (at: number) => number;
  },
): LeastDelay[] {
  return Array.from({ length: count }, (_, at) => {
    const atNs = BigInt(at * SPAN_NS);
    // A little noise, the same each time.
    const noise = (at * 7_919) % 13 * 1_000;
    return [
      { atNs, isToOther: true, delayNs: there(at) + noise + clock(at), packets: 9 },
      { atNs: atNs + 1n, isToOther: false, delayNs: back(at) + noise - clock(at), packets: 9 },
    ];
  }).flat();
}

const delayChanges = (delays: readonly LeastDelay[]) => changesOf(delays, steadyDriftPpb(delays));
const steady = () => 20_000_000;
const from = (begin: number, ns: number) => (at: number) => 300_000 + (at >= begin ? ns : 0);

Deno.test("delayChanges names the direction, the size and the time of what changed", () => {
  for (const byNs of [5_000_000, -250_000]) {
    const changed = delayChanges(delaysOf(16, { there: from(8, byNs), back: steady }));
    assertEquals(changed.map(({ isToOther, atNs }) => [isToOther, Number(atNs) / SPAN_NS]), [
      [true, 8],
    ]);
    assertEquals(Math.abs(changed[0].byNs - byNs) < 13_000, true);
  }
  const [back] = delayChanges(delaysOf(16, { there: steady, back: from(5, 5_000_000) }));
  assertEquals([back.isToOther, Math.round(back.byNs / 1e5)], [false, 50]);
});

Deno.test("delayChanges finds each of several changes", () => {
  const there = (at: number) => 300_000 + (at >= 8 && at < 20 ? 5_000_000 : 0);
  const changes = delayChanges(delaysOf(30, { there, back: steady }));
  assertEquals(changes.map(({ byNs }) => Math.round(byNs / 1e6)), [5, -5]);
});

Deno.test("delayChanges takes neither drift nor a clock that was set for a change of a way", () => {
  const drifting = (at: number) => at * SPAN_NS * 100e-6;
  assertEquals(
    delayChanges(delaysOf(40, { there: steady, back: steady, clock: drifting })),
    [],
  );
  const set = (at: number) => at >= 10 ? 50_000_000 : 0;
  assertEquals(delayChanges(delaysOf(20, { there: steady, back: steady, clock: set })), []);
});

Deno.test("delayChanges says nothing of a delay that was always there, or of a few seconds", () => {
  assertEquals(delayChanges(delaysOf(30, { there: from(0, 0), back: steady })), []);
  assertEquals(delayChanges(delaysOf(5, { there: from(3, 5_000_000), back: steady })), []);
  assertEquals(delayChanges([]), []);
  const once = (at: number) => 300_000 + (at === 7 ? 40_000_000 : 0);
  assertEquals(delayChanges(delaysOf(20, { there: once, back: steady })), []);
});

Deno.test("delayChanges finds a change while clocks drift, and steadyDriftPpb the drift all the same", () => {
  const clock = (at: number) => at * SPAN_NS * 12.4e-6;
  const delays = delaysOf(20, { there: from(10, 5_000_000), back: steady, clock });
  assertEquals(Math.abs(steadyDriftPpb(delays) - 12_400) < 1_000, true);
  const changes = delayChanges(delays);
  assertEquals(changes.map(({ isToOther, byNs }) => [isToOther, Math.round(byNs / 1e5)]), [[
    true,
    50,
  ]]);
});
