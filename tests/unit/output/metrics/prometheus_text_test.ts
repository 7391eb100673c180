import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Family, Moment } from "../../../../src/output/metrics/metrics_model.ts";
import { METRICS } from "../../../../src/output/metrics/names.ts";
import {
  chooseTextKind,
  PrometheusWriter,
} from "../../../../src/output/metrics/prometheus_text.ts";
import {
  type Differences,
  handshakeWith,
  makeModel,
  makeMoment,
  NOW_MS,
  TestClock,
} from "./sample_metrics.ts";
import { CONTEXT } from "../../record/sample_handshakes.ts";

function familiesOf(handshakes: Differences[], moment: Partial<Moment> = {}): Family[] {
  const model = makeModel(new TestClock(), { bounds: [1e4, 1e9] });
  for (const differences of handshakes) model.record(handshakeWith(differences), CONTEXT);
  return model.families(makeMoment(moment));
}

const FAMILIES = familiesOf([
  { clientRttNs: 12_345, serverRttNs: 10_000, totalNs: 22_345 },
  { clientRttNs: 2e9 },
  { outcome: "refused", reason: "ECONNREFUSED" },
], { process: { cpuSeconds: 1.5, residentBytes: 4096, openFiles: 3, startSeconds: 1e9 } });

/** The lines of one metric. */
function linesOf(text: string, name: string): string[] {
  return text.split("\n").filter((line) => new RegExp(`^(?:# \\w+ )?${name}[_ {]`).test(line));
}

Deno.test("PrometheusWriter writes counters with their labels", () => {
  const text = new PrometheusWriter().write(familiesOf([{}, { port: 80 }]), "text");
  assertEquals(linesOf(text, "synsnoop_handshakes").slice(1), [
    "# TYPE synsnoop_handshakes_total counter",
    'synsnoop_handshakes_total{server_address="10.0.0.2",server_port="443",role="client",' +
    'outcome="established",reason=""} 1',
    'synsnoop_handshakes_total{server_address="10.0.0.2",server_port="80",role="client",' +
    'outcome="established",reason=""} 1',
  ]);
});

Deno.test("PrometheusWriter writes histograms, cumulative, in seconds", () => {
  const text = new PrometheusWriter().write(FAMILIES, "text");
  const labels = 'server_address="10.0.0.2",server_port="443",role="client"';
  assertEquals(linesOf(text, "synsnoop_network_rtt_seconds").slice(1), [
    "# TYPE synsnoop_network_rtt_seconds histogram",
    `synsnoop_network_rtt_seconds_bucket{${labels},le="1e-05"} 0`,
    `synsnoop_network_rtt_seconds_bucket{${labels},le="1.0"} 1`,
    `synsnoop_network_rtt_seconds_bucket{${labels},le="+Inf"} 2`,
    `synsnoop_network_rtt_seconds_sum{${labels}} 2.000012345`,
    `synsnoop_network_rtt_seconds_count{${labels}} 2`,
  ]);
  assertEquals(linesOf(text, "synsnoop_host_time_seconds").slice(2, 4), [
    'synsnoop_host_time_seconds_bucket{role="client",le="1e-05"} 1',
    'synsnoop_host_time_seconds_bucket{role="client",le="1.0"} 1',
  ]);
});

Deno.test("PrometheusWriter writes OpenMetrics with units, exemplars and an end", () => {
  const text = new PrometheusWriter().write(FAMILIES, "openmetrics");
  assertEquals(linesOf(text, "synsnoop_handshakes")[1], "# TYPE synsnoop_handshakes counter");
  const lines = linesOf(text, "synsnoop_network_rtt_seconds");
  assertEquals(lines[2], "# UNIT synsnoop_network_rtt_seconds seconds");
  assertMatch(
    lines.find((line) => line.includes('le="1.0"'))!,
    /\} 1 # \{community_id="1:[\w+/]{27}="\} 0\.000012345 1795395723\.000$/,
  );
  assert(text.endsWith("\n# EOF\n"));
});

Deno.test("PrometheusWriter leaves the process out of a file that others show", () => {
  const writer = new PrometheusWriter();
  assert(writer.write(FAMILIES, "text").includes("process_resident_memory_bytes 4096\n"));
  assert(!writer.write(FAMILIES, "text", { shared: true }).includes("process_"));
});

Deno.test("PrometheusWriter escapes what a label may hold", () => {
  const labels = { process: 'a"b\\c\nd' };
  const points = [{ labels, value: 1, startMs: NOW_MS }];
  const text = new PrometheusWriter().write(
    [{ name: METRICS.handshakes, points, durations: [] }],
    "text",
  );
  assertEquals(
    text.split("\n")[2],
    String.raw`synsnoop_handshakes_total{process="a\"b\\c\nd"} 1`,
  );
});

Deno.test("PrometheusWriter writes the same again, and what has changed", () => {
  const model = makeModel(new TestClock());
  const writer = new PrometheusWriter();
  const write = () => writer.write(model.families(makeMoment()), "text");
  model.record(handshakeWith({ clientRttNs: 1 }), CONTEXT);
  assertEquals(write(), write());
  model.record(handshakeWith({ clientRttNs: 1 }), CONTEXT);
  assertMatch(write(), /synsnoop_network_rtt_seconds_bucket\{[^}]*le="1e-05"\} 2\n/);
});

for (
  const [accept, kind] of [
    [undefined, "text"],
    ["*/*", "text"],
    ["text/plain", "text"],
    ["application/openmetrics-text", "openmetrics"],
    // As Prometheus 2.42 and 3 ask.
    [
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75," +
      "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      "openmetrics",
    ],
    ["application/openmetrics-text;q=0.2, text/plain;q=0.7", "text"],
    ["application/openmetrics-text;q=0", "text"],
    ["Application/OpenMetrics-Text; q=x", "text"],
    [";,;q=,", "text"],
  ] as const
) {
  Deno.test(`chooseTextKind: ${accept} is ${kind}`, () => {
    assertEquals(chooseTextKind(accept), kind);
  });
}
