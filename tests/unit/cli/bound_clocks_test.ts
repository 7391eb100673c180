import { assert, assertEquals } from "@std/assert";
import { boundClocks } from "../../../src/cli/bound_clocks.ts";

const AT_NS = 1_700_000_000_000_000_000n;
const AHEAD_NS = 7_000_000;

/** What the clocks showed at the three packets of a handshake whose ways take so long. */
function handshake(thereNs: number, backNs: number) {
  return [[true, thereNs], [false, backNs], [true, thereNs]].map(([isToOther, ns]) => ({
    atNs: AT_NS,
    isToOther: isToOther as boolean,
    delayNs: (ns as number) + (isToOther ? AHEAD_NS : -AHEAD_NS),
  }));
}

Deno.test("boundClocks finds how far a clock is ahead, within the shortest ways", () => {
  const bounds = boundClocks([...handshake(300, 900), ...handshake(700, 200)]);
  assertEquals(bounds, { offsetNs: AHEAD_NS + 50, uncertaintyNs: 250 });
});

Deno.test("boundClocks says nothing by one handshake alone, nor where both directions contradict", () => {
  assertEquals(boundClocks([]), undefined);
  assertEquals(boundClocks(handshake(300, 200)), undefined);
  const set = handshake(300, 200).map((delay) => ({ ...delay, delayNs: delay.delayNs - 90_000 }));
  const clocks = [...handshake(300, 200), ...set];
  assert(clocks.length > 3);
  assertEquals(boundClocks(clocks), undefined);
});
