import { assertEquals } from "@std/assert";
import { GroupRow } from "../../../../src/output/top/group_row.ts";
import { CONTEXT } from "../../record/sample_handshakes.ts";
import { NOW_SECONDS, sampleHandshake, sampleModel } from "./sample_top.ts";

Deno.test("GroupRow tells a group's numbers, and stays as it is once frozen", () => {
  const model = sampleModel([
    { second: 52, clientRttNs: 1_000, serverRttNs: 10 },
    { second: 55, outcome: "refused" },
    { second: 20, outcome: "timeout" },
    { second: 21, outcome: "timeout" },
  ]);
  const [named] = model.counts.groups.server.list(1);
  const moment = { now: NOW_SECONDS, rateSeconds: 10 };
  const frozen = new GroupRow(named, moment).freeze();
  const numbers = (row: GroupRow): unknown[] => [
    row.name,
    row.handshakes,
    row.failed,
    row.perSecond,
    row.network.p99,
    row.host,
    row.failures,
    row.history.reduce((sum, { handshakes }) => sum + handshakes, 0),
  ];
  const wanted = [
    "10.0.0.5:443",
    4,
    3,
    { handshakes: 0.2, failed: 0.1 },
    1_000,
    { p50: 10, p99: 10, as: "client" },
    [["timeout", 2], ["refused", 1]],
    4,
  ];
  assertEquals(numbers(frozen), wanted);
  for (let nth = 0; nth < 9; nth++) model.take(sampleHandshake({ outcome: "refused" }), CONTEXT);
  assertEquals(numbers(frozen), wanted);
});
