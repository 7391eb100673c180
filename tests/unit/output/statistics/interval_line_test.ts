import { assert, assertEquals, assertMatch } from "@std/assert";
import { Statistics } from "../../../../src/output/statistics/statistics.ts";
import {
  formatInterval,
  formatIntervalHeading,
} from "../../../../src/output/statistics/interval_line.ts";
import type { Losses } from "../../../../src/pipeline/losses.ts";
import { stateOf } from "../../pipeline/stand_ins.ts";
import { CONTEXT, EPOCH_SECONDS, makeHandshake } from "../../record/sample_handshakes.ts";

const ENDS = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };

function lineOf(count: number, losses: Losses, ascii = false): string {
  const statistics = new Statistics();
  for (let taken = 0; taken < count; taken++) {
    const isRefused = taken % 4 === 3;
    statistics.record(makeHandshake({
      ...ENDS,
      outcome: isRefused ? "refused" : "established",
      clientRttNs: isRefused ? undefined : 41_000,
    }));
  }
  const span = { epochSeconds: EPOCH_SECONDS, startNs: 0, endNs: 10e9 };
  return formatInterval({ statistics, state: stateOf(CONTEXT, { span, losses }) }, ascii);
}

Deno.test("formatInterval writes a line below its headings, at most 80 characters", () => {
  const heading = formatIntervalHeading();
  const line = lineOf(40, {
    ring_packets: 3,
    output_records: 1,
    kernel_away_ms: 99,
    late_accepts: 8,
  });
  for (const each of (heading + line).split("\n")) assert(each.length <= 80, each);
  assertEquals(
    heading + line,
    "                                              CLIENT RTT        SERVER RTT\n" +
      "TIME (UTC)  HANDSHAKES      /s  FAILED      p50      p99      p50      p99  LOST\n" +
      "01:02:13.0          40     4.0      10  41.0 µs  41.0 µs        -        -     4\n",
  );
});

Deno.test("formatInterval writes a time in which nothing came, and ASCII where asked to", () => {
  assertMatch(lineOf(0, {}), /^01:02:13.0 +0 +0\.0 +0( +-){4} +0\n$/);
  assertMatch(lineOf(1, {}, true), / 41\.0 us /);
});
