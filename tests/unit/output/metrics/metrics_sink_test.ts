import { assertEquals } from "@std/assert";
import { USUAL_BOUNDS } from "../../../../src/output/metrics/choices.ts";
import { Health, liveSourcesUp, MetricsSink } from "../../../../src/output/metrics/metrics_sink.ts";
import { NO_ROW, type Source } from "../../../../src/pipeline/sink.ts";
import { Pipeline } from "../../../../src/pipeline/pipeline.ts";
import { CONTEXT } from "../../record/sample_handshakes.ts";
import { handshakeWith, NOW_MS, valuesOf } from "./sample_metrics.ts";

const SOURCE: Source = {
  context: CONTEXT,
  epochSeconds: 0,
  interfaceInFile: () => undefined,
  hidesData: () => false,
  counters: () => ({
    span: { epochSeconds: 0, startNs: 0, endNs: 0 },
    losses: { ring_packets: 0 },
    undecoded: {},
    underWay: 2,
  }),
};

Deno.test("MetricsSink counts what passes the filter", async () => {
  const sink = new MetricsSink({
    serversMax: 10,
    extraLabels: ["cgroup"],
    bounds: USUAL_BOUNDS,
    version: "1",
    now: () => NOW_MS,
    process: () => ({ openFiles: 7 }),
  });
  const pipeline = new Pipeline({ filter: { outcomes: ["refused"] }, sinks: [sink] });
  pipeline.begin(SOURCE);
  const refused = handshakeWith({ outcome: "refused" });
  refused.client.process = { pid: 1, comm: "curl", uid: 0, cgroup: 8231 };
  for (const handshake of [handshakeWith(), refused]) pipeline.take(handshake, NO_ROW);
  pipeline.flush();
  const families = sink.families(pipeline.state(), { sources: {} });
  assertEquals(valuesOf(families, "synsnoop_handshakes"), { "other:  client refused": 1 });
  assertEquals(valuesOf(families, "synsnoop_filtered_handshakes"), { "": 1 });
  assertEquals(valuesOf(families, "synsnoop_half_open_handshakes"), { "": 2 });
  assertEquals(valuesOf(families, "process_open_fds"), { "": 7 });
  await pipeline.end();
});

Deno.test("liveSourcesUp tells of the kernel only where its events are wanted", () => {
  const place = { netns: 1, interface: undefined, up: true };
  const delivering = {
    wire: [place, { ...place, up: false }],
    kernel: "none",
  } as const;
  const places = { up: 1, down: 1 };
  assertEquals(liveSourcesUp(delivering, true), { sources: { wire: true, kernel: false }, places });
  assertEquals(liveSourcesUp(delivering, false), { sources: { wire: true }, places });
});

Deno.test("Health is well while all that was up is", () => {
  const health = new Health();
  for (
    const [sources, isWell] of [
      [{ wire: false, kernel: false }, false],
      [{ wire: true, kernel: false }, true],
      [{ wire: true, kernel: true }, true],
      [{ wire: true, kernel: false }, false],
      [{ wire: false, kernel: true }, false],
      [{ wire: true, kernel: true }, true],
    ] as const
  ) {
    assertEquals(health.judge({ sources }).isWell, isWell, JSON.stringify(sources));
  }
  assertEquals(
    health.judge({ sources: { wire: true, kernel: false } }).text,
    "wire up\nkernel down\n",
  );
});
