// All kinds of lines go into one stream: whoever loads it, say as a table, needs one type a key.
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { encodeDiagnosis } from "../../../src/cli/doctor.ts";
import type { Handshake } from "../../../src/match/handshake.ts";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { jsonSchema } from "../../../src/record/schema.ts";
import { Statistics } from "../../../src/output/statistics/statistics.ts";
import { encodeStatistics } from "../../../src/output/statistics/json.ts";
import { statusSchema } from "../../../src/output/status_schema.ts";
import { summarySchema } from "../../../src/output/summary_schema.ts";
import { encodeStatus } from "../../../src/output/status.ts";
import { statisticsSchema } from "../../../src/output/statistics/schema.ts";
import { LOSS_PLACES } from "../../../src/pipeline/losses.ts";
import { Summary } from "../../../src/pipeline/summary.ts";
import { frameVerdictNames } from "../../../src/wire/verdict.ts";
import { DEBIAN_12, DEBIAN_13, LOCKED_DOWN } from "../kernel/recorded_facts.ts";
import { anyHandshake } from "./arbitrary_handshake.ts";
import { CONTEXT, EPOCH_SECONDS, HANDSHAKES } from "./sample_handshakes.ts";

/** The types seen at each path; `null` stands for a value that is not there. */
type Types = Map<string, Set<string>>;

function addType(types: Types, path: string, type: string): void {
  if (type === "null") return;
  const seen = types.get(path) ?? new Set();
  types.set(path, seen.add(type));
}

function addValue(types: Types, path: string, value: unknown): void {
  addType(types, path, value === null ? "null" : Array.isArray(value) ? "array" : typeof value);
  if (Array.isArray(value)) {
    for (const item of value) addValue(types, `${path}[]`, item);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) addValue(types, `${path}.${key}`, inner);
  }
}

function addSchema(types: Types, path: string, schema: Record<string, unknown>): void {
  const { type, properties, items } = schema;
  for (const each of [type].flat()) addType(types, path, each === "integer" ? "number" : `${each}`);
  if (items !== undefined) addSchema(types, `${path}[]`, items as typeof schema);
  for (const [key, inner] of Object.entries(properties ?? {})) {
    addSchema(types, `${path}.${key}`, inner as typeof schema);
  }
}

function addLines(types: Types, handshakes: readonly Handshake[]): void {
  const statistics = new Statistics();
  const summary = new Summary();
  const losses = Object.fromEntries(LOSS_PLACES.map(({ name }) => [name, 1]));
  const undecoded = Object.fromEntries(frameVerdictNames.map((reason) => [reason, 1]));
  for (const handshake of handshakes) {
    statistics.record(handshake);
    summary.record(handshake);
    addValue(types, "", JSON.parse(encodeHandshake(handshake, CONTEXT)));
  }
  const span = { epochSeconds: EPOCH_SECONDS, startNs: 0, endNs: 1_000 };
  const end = { summary, context: CONTEXT, span, losses, undecoded };
  addValue(types, "", JSON.parse(encodeStatistics(statistics, end, 2)));
  const wire = [{ netns: 1, interface: "eth0", up: true }];
  const use = { cpuSeconds: 0.1, residentBytes: 1 };
  const processes = { synsnoop: use, bpftrace: use };
  const live = { ...end, delivering: { wire, kernel: "none" } as const, processes };
  const status = { intervalMs: 1_000, version: "1.2.3", filters: ["--port 80"] };
  addValue(types, "", JSON.parse(encodeStatus(live, 1, status)));
  addValue(
    types,
    "",
    JSON.parse(summary.encode(CONTEXT, EPOCH_SECONDS, 0, 1, losses, undecoded)),
  );
}

function several(types: Types): [string, string[]][] {
  return [...types].filter(([, seen]) => seen.size > 1).map(([path, seen]) => [path, [...seen]]);
}

Deno.test("each key has one type in every kind of line and in every schema", () => {
  const types: Types = new Map();
  addLines(types, HANDSHAKES);
  const error = { error: "Cannot call it: EPERM" };
  const nothing = { capture: error, foreignMaps: error, otherNamespaces: error };
  for (const facts of [DEBIAN_12, DEBIAN_13, LOCKED_DOWN, { ...DEBIAN_12, ...nothing }]) {
    addValue(types, "", JSON.parse(encodeDiagnosis(facts)));
  }
  addSchema(types, "", jsonSchema());
  addSchema(types, "", statisticsSchema());
  addSchema(types, "", statusSchema());
  addSchema(types, "", summarySchema());
  assertEquals(several(types), []);
  // Nothing was left out.
  for (
    const path of [
      ".evidence",
      ".by_evidence.both",
      ".flags[]",
      ".facts.capture",
      ".servers.top[].server",
    ]
  ) {
    assertEquals(types.get(path)?.size, 1, path);
  }
  fc.assert(fc.property(fc.array(anyHandshake(), { maxLength: 4 }), (handshakes) => {
    addLines(types, handshakes);
    assertEquals(several(types), []);
  }));
});

Deno.test("a key of two types is found", () => {
  const types: Types = new Map();
  addValue(types, "", { evidence: ["wire"], reason: null });
  addValue(types, "", { evidence: { both: 1 }, reason: "RST" });
  assertEquals(several(types), [[".evidence", ["array", "object"]]]);
});
