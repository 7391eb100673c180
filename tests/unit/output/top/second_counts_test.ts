import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { HISTORY_SECONDS, SecondCounts } from "../../../../src/output/top/second_counts.ts";

Deno.test("SecondCounts counts by second, and forgets what is a minute ago", () => {
  const counts = new SecondCounts();
  for (const [second, isFailed] of [[100, false], [100, true], [103, false], [90, true]] as const) {
    counts.record(second, isFailed);
  }
  assertEquals(counts.sum(90, 104), { handshakes: 4, failed: 2 });
  assertEquals(counts.sum(101, 103), { handshakes: 0, failed: 0 });
  const history = counts.history(104);
  assertEquals(history.length, HISTORY_SECONDS);
  assertEquals(history.slice(-4), [
    { handshakes: 2, failed: 1 },
    { handshakes: 0, failed: 0 },
    { handshakes: 0, failed: 0 },
    { handshakes: 1, failed: 0 },
  ]);
  counts.record(1_000, false);
  assertEquals(counts.sum(900, 1_001), { handshakes: 1, failed: 0 });
});

Deno.test("SecondCounts agrees with a list, whatever the order", () => {
  const events = fc.array(fc.tuple(fc.integer({ min: -90, max: 90 }), fc.boolean()));
  fc.assert(fc.property(events, (events) => {
    const counts = new SecondCounts();
    for (const [second, isFailed] of events) counts.record(second, isFailed);
    const now = Math.max(0, ...events.map(([second]) => second)) + 1;
    const wanted = (second: number) => events.filter(([each]) => each === second);
    assertEquals(
      counts.history(now),
      Array.from({ length: HISTORY_SECONDS }, (_, at) => {
        const those = wanted(now - HISTORY_SECONDS + at);
        return { handshakes: those.length, failed: those.filter(([, failed]) => failed).length };
      }),
    );
  }));
});
