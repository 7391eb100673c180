import { assertEquals } from "@std/assert";
import { encodeStatus } from "../../../src/output/status.ts";
import { statusSchema } from "../../../src/output/status_schema.ts";
import { LOSS_PLACES } from "../../../src/pipeline/losses.ts";
import { stateOf } from "../pipeline/stand_ins.ts";
import { CONTEXT, FILE_CONTEXT } from "../record/sample_handshakes.ts";
import { schemaErrors } from "../record/schema_checker.ts";

const STATUS = { intervalMs: 60_000, version: "1.2.3", filters: ["--port 443"] };
const SCHEMA = statusSchema();

Deno.test("statusSchema fits any status line", () => {
  const losses = Object.fromEntries(LOSS_PLACES.map(({ name }) => [name, 1]));
  const wire = [{ netns: 1, interface: "eth0", up: true }, { netns: 2, up: false }];
  const states = [
    stateOf(FILE_CONTEXT),
    ...(["fentry", "kprobe", "tracepoint", "none"] as const).map((kernel) =>
      stateOf(CONTEXT, { losses, delivering: { wire, kernel } })
    ),
    ...[undefined, { cpuSeconds: 0.1, residentBytes: 2 }].map((bpftrace) =>
      stateOf(CONTEXT, {
        processes: { synsnoop: { cpuSeconds: 0.001, residentBytes: 1 }, bpftrace },
      })
    ),
  ];
  for (const state of states) {
    assertEquals(schemaErrors(SCHEMA, JSON.parse(encodeStatus(state, 1, STATUS))), []);
  }
});

Deno.test("statusSchema refuses what is no status line", () => {
  const line = JSON.parse(encodeStatus(stateOf(CONTEXT), 1, STATUS));
  assertEquals(schemaErrors(SCHEMA, { ...line, event: "summary" }), [
    "$.event is none of status",
  ]);
  delete line.since;
  assertEquals(schemaErrors(SCHEMA, line), ["$.since is missing"]);
});
