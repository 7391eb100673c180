import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { chooseRemoved } from "../../../src/store/kept_segments.ts";
import { endOfHourMs } from "../../../src/store/segment_name.ts";

const NOW_MS = Date.parse("2026-11-23T04:30:00Z");
const HOUR_MS = 3_600_000;
const SEGMENTS = [
  { hour: "2026-11-23T04", bytes: 40 },
  { hour: "2026-11-23T01", bytes: 10 },
  { hour: "2026-11-23T03", bytes: 30 },
  { hour: "2026-11-23T02", bytes: 20 },
];

function hoursRemoved(keeping: Parameters<typeof chooseRemoved>[1]): string[] {
  return chooseRemoved(SEGMENTS, keeping, NOW_MS).map(({ hour }) => hour.slice(-2));
}

Deno.test("nothing is removed where nobody asks", () => assertEquals(hoursRemoved({}), []));

Deno.test("an hour is removed once it has been over for as long as is kept", () => {
  // Over since 02:00, 03:00 and 04:00.
  assertEquals(hoursRemoved({ ageMs: 2.5 * HOUR_MS }), ["01"]);
  assertEquals(hoursRemoved({ ageMs: 2.5 * HOUR_MS + 1 }), []);
  assertEquals(hoursRemoved({ ageMs: 1 }), ["01", "02", "03"]);
});

Deno.test("the oldest hours make room, the one being written never", () => {
  assertEquals(hoursRemoved({ bytes: 100 }), []);
  assertEquals(hoursRemoved({ bytes: 99 }), ["01"]);
  assertEquals(hoursRemoved({ bytes: 89 }), ["01", "02"]);
  assertEquals(hoursRemoved({ bytes: 1 }), ["01", "02", "03"]);
});

Deno.test("what stays is new enough and fits, or is being written; no more is removed than must be", () => {
  const segments = fc.array(fc.record({
    hour: fc.integer({ min: 0, max: 23 }).map((hour) =>
      `2026-11-23T${String(hour).padStart(2, "0")}`
    ),
    bytes: fc.nat(100),
  }));
  const keeping = fc.record({ ageMs: fc.nat(20 * HOUR_MS), bytes: fc.nat(1_000) });
  fc.assert(fc.property(segments, keeping, (all, { ageMs, bytes }) => {
    const removed = chooseRemoved(all, { ageMs, bytes }, NOW_MS);
    const stays = all.filter((segment) => !removed.includes(segment));
    const sum = (some: typeof all) => some.reduce((total, each) => total + each.bytes, 0);
    const isOver = ({ hour }: { hour: string }) => endOfHourMs(hour) <= NOW_MS;
    const isOld = ({ hour }: { hour: string }) => NOW_MS - endOfHourMs(hour) >= ageMs;
    assert(removed.every(isOver));
    assert(!stays.some((segment) => isOver(segment) && isOld(segment)));
    assert(sum(stays) <= bytes || !stays.some(isOver));
    const last = removed.at(-1);
    if (last) assert(isOld(last) || sum(stays) + last.bytes > bytes);
  }));
});
