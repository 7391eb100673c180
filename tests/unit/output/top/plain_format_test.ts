import { assert, assertEquals, assertMatch } from "@std/assert";
import { PlainFormat } from "../../../../src/output/top/plain_format.ts";
import type { TraceState } from "../../../../src/pipeline/sink.ts";
import { CONTEXT } from "../../record/sample_handshakes.ts";
import { sampleHandshake, sampleMinute, sampleModel, sampleView } from "./sample_top.ts";

const STATE = {} as TraceState;

Deno.test("PlainFormat writes the table as plain text, without drawings", () => {
  const model = sampleModel(sampleMinute());
  const format = new PlainFormat(model, {
    intervalMs: 10_000,
    top: 2,
    table: { grouping: "server", sort: "failed", isReversed: false },
    ascii: true,
    localTime: false,
    width: () => 80,
    statusOf: () => sampleView(model).status,
  });
  format.take(sampleHandshake({ server: "10.0.0.6", port: 6379, outcome: "timeout" }), CONTEXT);
  const lines = format.report(STATE).split("\n");
  assertEquals(lines.map((line) => line.replace(/ +/g, " ").trim()), [
    "synsnoop top 01:03:03 UTC web1 live",
    "946 handshakes 17/s 66 failed 3.1 failed/s lost: nothing 60 refused",
    lines[2].replace(/ +/g, " "),
    "SERVER COUNT NEW/S FAILEDv NET P50 NET P99 HOST P99",
    "10.0.0.6:6379 101 3.0 61 96.0 us 96.0 us 30.0 us c",
    "[2001:db8:0:1:2:3:4:80]:443 5 0.1 5 - - -",
    "3 more",
    "",
    "",
  ]);
  assertMatch(
    lines[2],
    /^network RTT p50 \d+ us p99 [\d.]+ ms {2}this host as client p50 [\d.]+ us /,
  );
  assert(lines.every((line) => line.length <= 80));
  assertEquals([format.reportMs, format.end()], [10_000, ""]);
});
