import { assertEquals } from "@std/assert";
import {
  describeMissing,
  describeNumbers,
  describeRows,
  describeSource,
} from "../../../../src/output/report/about.ts";
import { Coverage } from "../../../../src/output/report/coverage.ts";
import { NumberFacts } from "../../../../src/output/report/number_facts.ts";
import { Statistics } from "../../../../src/output/statistics/statistics.ts";
import { stateOf } from "../../pipeline/stand_ins.ts";
import { CONTEXT, makeHandshake } from "../../record/sample_handshakes.ts";

const ENDS = { client: { address: "10.0.0.1", isn: 1 }, server: { address: "10.0.0.2" } };

Deno.test("describeSource says of what a report is: hosts, time, filters, what tracers could see", () => {
  const coverage = new Coverage();
  coverage.count("web1");
  const times = { time: "2026-11-23T01:02:03.5Z", since: "2026-11-23T01:00:00.0Z" };
  const sources = { kernel: "fentry", wire: [] };
  coverage.take("status", { host: "web1", ...times, filters: ["--port 443"], sources });
  const state = stateOf(CONTEXT, { losses: { late_accepts: 3, ring_packets: 0 } });
  state.summary.recordFiltered(12_000);
  assertEquals(describeSource(state, coverage, ["--failed"]), [
    ["hosts", "web1 (1)"],
    ["time", "1970-01-01 00:00:00.000 to 1970-01-01 00:00:01.000 UTC, 1.00 s"],
    ["filters", "--failed (12,000 more were kept back)"],
    [
      "traced",
      "web1, from 2026-11-23T01:00:00.0Z to 2026-11-23T01:02:03.5Z: only --port 443, kernel events by " +
      "fentry",
    ],
    ["set aside", "3 accept() calls that came after their handshake was reported"],
  ]);
});

Deno.test("describeMissing says what was lost, and that handshakes may count twice", () => {
  const losses = { ring_packets: 1_234, uncompared_records: 5, late_accepts: 7 };
  assertEquals(describeMissing(losses, new Coverage()), [
    "Lost: 1,234 packets dropped because the capture ring was full.",
    "What two hosts saw may count twice: 5 records were forgotten before those of other hosts came. " +
    "Less time at once (--since, --until) counts each once.",
  ]);
});

Deno.test("describeRows says that the table has all, or which", () => {
  assertEquals(describeRows(1, 1), "1 handshake.");
  assertEquals(
    describeRows(2, 4, 2),
    "2 of 4 handshakes. 2 more are the other end of one of these, of which a NAT changed the addresses.",
  );
  assertEquals(
    describeRows(500, 1e6),
    "500 of 1,000,000 handshakes: of each way to end some, chosen at random, and the slowest that " +
      "were established.",
  );
});

Deno.test("describeNumbers says what was sent again, how ISNs are spread, which relations held", () => {
  const [statistics, facts] = [new Statistics(), new NumberFacts()];
  for (const synCount of [1, 1, 1, 3]) {
    const handshake = makeHandshake({
      ...ENDS,
      synCount,
      synAckAcknowledgesSyn: true,
      flags: ["one_sided"],
    });
    statistics.record(handshake);
    facts.take(handshake);
  }
  const [again, numbers, flags] = describeNumbers(statistics, facts);
  assertEquals(again.sentences.slice(0, 2), [
    "The SYN was seen again in 1 of 4 handshakes (25.0 %): it or its answer got lost, or nobody answers.",
    "No SYN-ACK was captured.",
  ]);
  assertEquals(numbers.sentences.slice(1), [
    "Those of the clients are known of 4 handshakes: too few to say how they are spread.",
    "Those of the servers are not known.",
    "The SYN-ACK's Ack was the SYN's Seq + 1 in 4 of 4 handshakes.",
    "The ACK's Seq was the SYN's Seq + 1: never seen.",
    "The ACK's Ack was the SYN-ACK's Seq + 1: never seen.",
  ]);
  assertEquals(flags.sentences.map((each) => each.split(".")[0]), ["one_sided, in 4 handshakes"]);
});
