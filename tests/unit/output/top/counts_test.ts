import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Counts } from "../../../../src/output/top/counts.ts";
import { TopClock } from "../../../../src/output/top/top_clock.ts";
import { Statistics } from "../../../../src/output/statistics/statistics.ts";
import { anyHandshake } from "../../record/arbitrary_handshake.ts";
import { CONTEXT } from "../../record/sample_handshakes.ts";
import { SampleClock, sampleHandshake } from "./sample_top.ts";

Deno.test("Counts has the sums of the statistics of the same handshakes", () => {
  fc.assert(fc.property(fc.array(anyHandshake(), { maxLength: 40 }), (handshakes) => {
    const clock = new TopClock(new SampleClock().wallMs);
    // As few names as there may be, so that some make room.
    const counts = new Counts(clock, 3);
    const statistics = new Statistics(3);
    handshakes.forEach((handshake) => {
      clock.place(handshake);
      counts.record(handshake, CONTEXT);
      statistics.record(handshake, CONTEXT);
    });
    const { groups, all } = counts;
    for (
      const [grouping, { top }] of [
        ["server", statistics.servers(9)],
        ["client", statistics.clients(9)],
        ["process", statistics.processes(9)],
        ["cgroup", statistics.cgroups(9)],
        ["reason", statistics.reasons(9)],
      ] as const
    ) {
      const numbers = ({ name, missedMax, tally }: typeof top[number]) => [
        name,
        missedMax,
        tally.handshakes,
        tally.established,
        [...tally.failures],
        tally.networkRtt.quantile(0.99),
      ];
      assertEquals(groups[grouping].list(9).map(numbers), top.map(numbers));
    }
    assertEquals(all.handshakes, statistics.handshakes);
    assertEquals(
      new Map([...all.failures, ["established", all.established]]),
      new Map([["established", 0], ...statistics.outcomes()]),
    );
  }));
});

Deno.test("Counts keeps the latest failures and the slowest through the network", () => {
  const clock = new TopClock(new SampleClock().wallMs);
  const counts = new Counts(clock);
  const rtts = [5_000, undefined, 90_000, undefined, 40_000];
  rtts.forEach((clientRttNs, number) => {
    const handshake = clientRttNs === undefined
      ? sampleHandshake({ outcome: "refused" })
      : sampleHandshake({ clientRttNs });
    assert(counts.wants(handshake));
    counts.keep({ number, second: 1, handshake, context: CONTEXT, packets: undefined });
  });
  assertEquals(counts.failures.list().map(({ number }) => number), [3, 1]);
  assertEquals(counts.slowest.list().map(({ number }) => number), [2, 4, 0]);
});
