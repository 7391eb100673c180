import { assertEquals } from "@std/assert";
import type { Family } from "../../../../src/output/metrics/metrics_model.ts";
import { OtlpEncoder } from "../../../../src/output/metrics/otlp.ts";
import { IDLE_MS } from "../../../../src/output/metrics/server_table.ts";
import { CONTEXT } from "../../record/sample_handshakes.ts";
import { otlpCounts, otlpErrors, type OtlpMetric, otlpMetrics } from "./otlp_checker.ts";
import {
  type Differences,
  handshakeWith,
  makeModel,
  makeMoment,
  NOW_MS,
  TestClock,
} from "./sample_metrics.ts";

const RESOURCE = { "service.name": "synsnoop", "host.name": "web1" };
const HANDSHAKES = "synsnoop.tcp.handshakes";

/** A model whose metrics are pushed. */
class Pushed {
  readonly clock = new TestClock();
  readonly model;
  readonly encoder;

  constructor(temporality: "delta" | "cumulative", serversMax = 200) {
    this.model = makeModel(this.clock, { serversMax, bounds: [1e6, 1e9] });
    this.encoder = new OtlpEncoder(RESOURCE, "1.2.3", temporality);
  }

  take(differences: Differences, times = 1): void {
    this.model.tick();
    for (let time = 0; time < times; time++) this.model.record(handshakeWith(differences), CONTEXT);
  }

  families(): Family[] {
    return this.model.families(makeMoment({
      up: { sources: { wire: true } },
      process: { cpuSeconds: 1.5, residentBytes: 4_096, startSeconds: 1 },
    }));
  }

  /** Pushes after so many milliseconds. @param isTaken Whether the collector takes it. */
  push(afterMs = 1_000, isTaken = true): Map<string, OtlpMetric> {
    this.clock.nowMs += afterMs;
    const { body, acknowledge } = this.encoder.encode(this.families(), this.clock.nowMs);
    if (isTaken) acknowledge();
    return otlpMetrics(body);
  }
}

Deno.test("OtlpEncoder writes what the protocol's JSON asks for", () => {
  const pushed = new Pushed("cumulative");
  pushed.take({ clientRttNs: 12_345, serverRttNs: 20, totalNs: 12_365, synCount: 2 });
  pushed.take({ outcome: "refused", reason: "ECONNREFUSED", dropReason: "ACCEPT_QUEUE_FULL" });
  pushed.take({ server: "2001:db8::1", outcome: "timeout" });
  const json = JSON.parse(pushed.encoder.encode(pushed.families(), NOW_MS + 5).body);
  assertEquals(otlpErrors(json), []);
  const [{ resource, scopeMetrics: [{ scope, metrics }] }] = json.resourceMetrics;
  assertEquals(resource.attributes, [
    { key: "service.name", value: { stringValue: "synsnoop" } },
    { key: "host.name", value: { stringValue: "web1" } },
  ]);
  assertEquals(scope, { name: "synsnoop", version: "1.2.3" });
  const find = (name: string) => metrics.find((metric: OtlpMetric) => metric.name === name);
  assertEquals(find(HANDSHAKES).sum.dataPoints[0], {
    attributes: [
      { key: "server.address", value: { stringValue: "10.0.0.2" } },
      { key: "server.port", value: { intValue: "443" } },
      { key: "network.tcp.handshake.role", value: { stringValue: "client" } },
      { key: "synsnoop.outcome", value: { stringValue: "established" } },
    ],
    startTimeUnixNano: `${NOW_MS}000000`,
    timeUnixNano: `${NOW_MS + 5}000000`,
    asInt: "1",
  });
  assertEquals(otlpCounts(find("system.network.tcp.connection.failures")), {
    "10.0.0.2 443 client refused ECONNREFUSED": 1,
    "other client timeout timeout": 1,
  });
  const [{ exemplars, ...rtt }] = find("synsnoop.tcp.handshake.network_rtt").histogram.dataPoints;
  assertEquals([rtt.count, rtt.sum, rtt.bucketCounts, rtt.explicitBounds], [
    "1",
    0.000012345,
    ["1", "0", "0"],
    [0.001, 1],
  ]);
  assertEquals([exemplars.length, exemplars[0].asDouble], [1, 0.000012345]);
  assertEquals(find("process.cpu.time").sum.dataPoints[0].asDouble, 1.5);
  assertEquals(find("process.memory.usage").gauge.dataPoints[0].asInt, "4096");
});

Deno.test("OtlpEncoder tells everything since the start, or what came since it was taken", () => {
  for (const temporality of ["cumulative", "delta"] as const) {
    const pushed = new Pushed(temporality);
    const counts = (metrics: Map<string, OtlpMetric>) =>
      Object.values(otlpCounts(metrics.get(HANDSHAKES)));
    const isDelta = temporality === "delta";
    pushed.take({ clientRttNs: 5e6 }, 3);
    assertEquals(counts(pushed.push()), [3]);
    pushed.take({ clientRttNs: 5e6 }, 2);
    // What was not taken is told again.
    for (const isTaken of [false, true]) {
      const metrics = pushed.push(1_000, isTaken);
      assertEquals(counts(metrics), [isDelta ? 2 : 5]);
      const [point] = metrics.get("synsnoop.tcp.handshake.network_rtt")!.histogram!.dataPoints;
      assertEquals([point.count, point.sum, point.bucketCounts], [
        isDelta ? "2" : "5",
        isDelta ? 0.01 : 0.025,
        ["0", isDelta ? "2" : "5", "0"],
      ]);
      assertEquals(point.startTimeUnixNano, `${NOW_MS + (isDelta ? 1_000 : 0)}000000`);
    }
    assertEquals(counts(pushed.push()), isDelta ? [] : [5]);
  }
});

Deno.test("OtlpEncoder counts nothing twice by delta when a server loses its label", () => {
  const pushed = new Pushed("delta", 2);
  const sums: Record<string, number> = {};
  const push = () => {
    for (const [name, count] of Object.entries(otlpCounts(pushed.push().get(HANDSHAKES)))) {
      sums[name] = (sums[name] ?? 0) + count;
    }
  };
  pushed.take({ port: 1 }, 5);
  push();
  pushed.take({ port: 2 }, 12);
  push();
  // Two that no collector has taken when the label goes.
  pushed.take({ port: 1 }, 2);
  pushed.clock.nowMs += IDLE_MS;
  pushed.take({ port: 2 });
  pushed.take({ port: 3 }, 12);
  push();
  // It comes again within the time of one push: its counter began anew.
  pushed.clock.nowMs += IDLE_MS;
  pushed.take({ port: 1 }, 12);
  push();
  assertEquals(
    Object.values(sums).reduce((all, count) => all + count, 0),
    5 + 12 + 2 + 1 + 12 + 12,
  );
  assertEquals(sums["idle client established"], 2);
  assertEquals(sums["10.0.0.2 1 client established"], 5 + 3);
});
