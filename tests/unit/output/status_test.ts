import { assert, assertEquals } from "@std/assert";
import { encodeStatus } from "../../../src/output/status.ts";
import { Summary } from "../../../src/pipeline/summary.ts";
import { stateOf } from "../pipeline/stand_ins.ts";
import { CONTEXT, EPOCH_SECONDS, HANDSHAKES, HOSTILE_COMM } from "../record/sample_handshakes.ts";

const STATUS = { intervalMs: 60_000, version: "1.2.3", filters: ["--port 443"] };

Deno.test("encodeStatus tells what the tracer could see and what it lost so far", () => {
  const summary = new Summary();
  for (const handshake of HANDSHAKES) summary.record(handshake);
  summary.recordFiltered(7);
  const line = encodeStatus(
    stateOf(CONTEXT, {
      summary,
      span: { epochSeconds: EPOCH_SECONDS, startNs: 1, endNs: 60_000_000_000 },
      losses: { ring_packets: 3, kernel_lines: undefined },
      delivering: {
        wire: [{ netns: 4_026_531_840, interface: "eth0", up: true }, { netns: 5, up: false }],
        kernel: "fentry",
      },
      processes: {
        synsnoop: { cpuSeconds: 1.2345, residentBytes: 87_000_000 },
        bpftrace: { cpuSeconds: 0.5, residentBytes: 105_000_000 },
      },
    }),
    4,
    STATUS,
  );
  assertEquals(
    line,
    '{"v":1,"event":"status","time":"2026-11-23T01:03:03.000000000Z","host":"web1",' +
      '"host_id":"0123456789ab4def8123456789abcdef","tracer":"4242-1795395723000",' +
      '"version":"1.2.3","since":"2026-11-23T01:02:03.000000001Z","filters":["--port 443"],' +
      '"sample":1,"sources":{"wire":[{"netns":4026531840,"interface":"eth0","up":true},' +
      `{"netns":5,"up":false}],"kernel":"fentry"},"handshakes":${HANDSHAKES.length},"written":4,` +
      '"losses":{"ring_packets":3},"processes":{"synsnoop":{"cpu_ms":1235,"resident_bytes":87000000},' +
      '"bpftrace":{"cpu_ms":500,"resident_bytes":105000000}}}\n',
  );
});

Deno.test("encodeStatus escapes what others chose", () => {
  const wire = [{ netns: 1, interface: HOSTILE_COMM, up: true }];
  const state = stateOf(CONTEXT, { delivering: { wire, kernel: "none" } });
  const line = encodeStatus(state, 0, { ...STATUS, filters: [HOSTILE_COMM] });
  assert(/^[\x20-\x7e]*\n$/.test(line));
  const { filters, sources } = JSON.parse(line);
  assertEquals([filters, sources.wire], [[HOSTILE_COMM], wire]);
});
