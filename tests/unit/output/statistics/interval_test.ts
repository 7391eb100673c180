import { assertEquals } from "@std/assert";
import { IntervalCounts } from "../../../../src/output/statistics/interval.ts";
import { Summary } from "../../../../src/pipeline/summary.ts";
import { stateOf } from "../../pipeline/stand_ins.ts";
import { CONTEXT, HANDSHAKES } from "../../record/sample_handshakes.ts";

Deno.test("IntervalCounts counts what came since it was closed last", () => {
  const interval = new IntervalCounts();
  const summary = new Summary();
  const take = (count: number) => {
    for (const handshake of HANDSHAKES.slice(0, count)) {
      summary.record(handshake);
      interval.record(handshake);
    }
  };
  const stateAt = (startNs: number, endNs: number, lost: number, notIp: number) =>
    stateOf(CONTEXT, {
      summary,
      span: { epochSeconds: 1, startNs, endNs },
      losses: { ring_packets: lost },
      undecoded: { not_ip: notIp, truncated_tcp: 1 },
    });
  const closed = (...state: Parameters<typeof stateAt>) => {
    const { statistics, state: { span, losses, undecoded, summary } } = interval.close(
      stateAt(...state),
    );
    assertEquals(statistics.handshakes, summary.handshakes);
    return [span.startNs, span.endNs, summary.handshakes, summary.filtered, losses, undecoded];
  };
  take(3);
  summary.recordFiltered(2);
  assertEquals(closed(5, 10, 1, 4), [5, 10, 3, 2, { ring_packets: 1 }, {
    not_ip: 4,
    truncated_tcp: 1,
  }]);
  take(2);
  summary.recordFiltered();
  assertEquals(closed(5, 21, 4, 6), [10, 21, 2, 1, { ring_packets: 3 }, { not_ip: 2 }]);
  assertEquals(closed(5, 30, 4, 6), [21, 30, 0, 0, { ring_packets: 0 }, {}]);
});
