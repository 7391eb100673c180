import { assertEquals } from "@std/assert";
import { addLosses } from "../../../../src/pipeline/losses.ts";
import { Summary } from "../../../../src/pipeline/summary.ts";
import { CONTEXT } from "../../record/sample_handshakes.ts";
import { handshakeWith, makeModel, makeMoment, TestClock, valuesOf } from "./sample_metrics.ts";

Deno.test("MetricsModel counts what the summary counts", () => {
  const model = makeModel(new TestClock(), { serversMax: 2 });
  const summary = new Summary();
  const outcomes = ["established", "established", "refused", "timeout", "dropped"] as const;
  for (let at = 0; at < 500; at++) {
    const handshake = handshakeWith({ port: 1 + at % 7, outcome: outcomes[at % 5] });
    model.record(handshake, CONTEXT);
    summary.record(handshake);
  }
  const sums: Record<string, number> = {};
  const families = model.families(makeMoment());
  for (const { labels, value } of families[0].points) {
    sums[labels.outcome!] = (sums[labels.outcome!] ?? 0) + value;
  }
  assertEquals(sums, summary.members(0, 0, {}).outcomes as Record<string, number>);
});

Deno.test("MetricsModel tells of losses what was counted, and no more", () => {
  const losses = { ring_packets: 0, kernel_lines: 3, interface_gaps: undefined, late_accepts: 2 };
  const { state, ...rest } = makeMoment();
  const families = makeModel(new TestClock()).families({ ...rest, state: { ...state, losses } });
  assertEquals(valuesOf(families, "synsnoop_lost"), { ring_packets: 0, kernel_lines: 3 });
  assertEquals(valuesOf(families, "synsnoop_set_aside"), { late_accepts: 2 });
  assertEquals(valuesOf(families, "synsnoop_records_written"), {});
});

Deno.test("MetricsModel tells how the trace, its sources and the process are", () => {
  const summary = new Summary();
  for (let at = 0; at < 5; at++) summary.record(handshakeWith());
  summary.recordFiltered(7);
  const losses = addLosses({}, { output_records: 2 });
  const families = makeModel(new TestClock()).families(makeMoment({
    state: { ...makeMoment().state, losses, summary, underWay: 4 },
    up: { sources: { wire: true, kernel: false }, places: { up: 3, down: 1 } },
    process: { cpuSeconds: 1.25, openFiles: 9 },
  }));
  for (
    const [name, expected] of [
      ["synsnoop_half_open_handshakes", { "": 4 }],
      ["synsnoop_source_up", { wire: 1, kernel: 0 }],
      ["synsnoop_capture_places", { up: 3, down: 1 }],
      ["synsnoop_records_written", { "": 3 }],
      ["synsnoop_filtered_handshakes", { "": 7 }],
      ["synsnoop_server_labels", { "": 0 }],
      ["synsnoop_server_labels_max", { "": 200 }],
      ["synsnoop_build_info", { "1.2.3": 1 }],
      ["process_cpu_seconds", { "": 1.25 }],
      ["process_open_fds", { "": 9 }],
      ["process_resident_memory_bytes", {}],
    ] as const
  ) {
    assertEquals(valuesOf(families, name), expected as Record<string, number>, name);
  }
});

Deno.test("MetricsModel asks for the time once a tick", () => {
  const clock = new TestClock();
  let asked = 0;
  const model = makeModel(clock, {
    now: () => {
      asked++;
      return clock.nowMs;
    },
  });
  for (let at = 0; at < 100; at++) model.record(handshakeWith(), CONTEXT);
  assertEquals(asked, 1);
  model.tick();
  assertEquals(asked, 2);
});
