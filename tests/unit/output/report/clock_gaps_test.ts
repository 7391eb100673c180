import { assertEquals } from "@std/assert";
import { ClockGaps } from "../../../../src/output/report/clock_gaps.ts";

const at = (epochSeconds: number, timeNs: number) => ({ epochSeconds, timeNs });

Deno.test("ClockGaps says nothing where two hosts differ by what the way takes", () => {
  const gaps = new ClockGaps();
  gaps.take("web1", at(10, 0), "db1", at(10, 40_000_000));
  assertEquals(gaps.describe(), []);
});

Deno.test("ClockGaps says whose clock is ahead, by the median of what both saw", () => {
  const gaps = new ClockGaps();
  for (const ns of [0, 5e8, 1e9]) gaps.take("web1", at(10, ns), "db\n1", at(7, ns));
  gaps.take("web1", at(10, 0), "db\n1", at(60, 0));
  gaps.take("web1", at(10, 0), "fw1", at(11, 500_000_000));
  assertEquals(gaps.describe(), [
    "The clock of web1 is about 3.00 s ahead of the one of db\\u{a}1, by 4 handshakes that both saw: " +
    "times are shown as each host told them.",
    "The clock of fw1 is about 1.50 s ahead of the one of web1, by a handshake that both saw: " +
    "times are shown as each host told them.",
  ]);
});

Deno.test("ClockGaps is bounded, whatever hosts there are", () => {
  const gaps = new ClockGaps();
  for (let host = 0; host < 1_000; host++) gaps.take("a", at(0, 0), `${host}`, at(9, 0));
  assertEquals(gaps.describe().length, 64);
});
