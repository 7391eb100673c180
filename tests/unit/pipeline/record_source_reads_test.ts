/** What sinks say that they read of records, held against what they make of whole ones. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

import type { Handshake } from "../../../src/match/handshake.ts";
import { CsvFormat } from "../../../src/output/csv.ts";
import { MetricsSink } from "../../../src/output/metrics/metrics_sink.ts";
import { StatisticsFormat } from "../../../src/output/statistics/format.ts";
import { NdjsonFormat, type TextFormat, TextSink } from "../../../src/output/text_sink.ts";
import type { HandshakeFilter } from "../../../src/pipeline/filter.ts";
import { Pipeline } from "../../../src/pipeline/pipeline.ts";
import { RecordSource } from "../../../src/pipeline/record_source.ts";
import type { Sink, TraceState } from "../../../src/pipeline/sink.ts";
import { FIELDS } from "../../../src/record/fields.ts";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { anyHandshake } from "../record/arbitrary_handshake.ts";
import { CONTEXT, HANDSHAKES, makeHandshake } from "../record/sample_handshakes.ts";
import { KeptText, THROWING } from "./stand_ins.ts";

const lineOf = (handshake: Handshake, host: string) =>
  encodeHandshake(handshake, { ...CONTEXT, host, hostId: `${host}-id` });

/** A sink that does not say what it reads. */
function reading(sink: Sink): Sink {
  return new Proxy(sink, {
    get: (target, name) => {
      if (name === "reads") return undefined;
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const FORMATS: Readonly<Record<string, () => TextFormat>> = {
  statistics: () => new StatisticsFormat({ top: 100, json: true, ascii: false }),
  "statistics as text": () => new StatisticsFormat({ top: 100, json: false, ascii: true }),
  csv: () => new CsvFormat(FIELDS),
  ...Object.fromEntries(
    FIELDS.flatMap((field): [string, () => TextFormat][] => [
      [`csv of ${field.path}`, () => new CsvFormat([field])],
      [`NDJSON of ${field.path}`, () => new NdjsonFormat(undefined, [field])],
    ]),
  ),
};

const FILTERS: readonly HandshakeFilter[] = [
  {},
  { outcomes: ["established"] },
  { comms: ["curl"] },
  { slowerThan: { leg: "network", ns: 1_000_000 }, since: { seconds: 1, ns: 0 } },
];

const HOSTS = ["web1", "db1"];
/** Both of its ends are in one cgroup, of which its record says two things. */
const TORN = lineOf(
  makeHandshake({
    client: { address: "192.0.2.1", process: { pid: 1, comm: "curl", uid: 0, cgroup: 8231 } },
    server: { address: "192.0.2.2", process: { pid: 2, comm: "nginx", uid: 0, cgroup: 8231 } },
  }),
  "web1",
).replace("/user.slice/", "/other.slice/");

const MANY = TORN + [
  ...HANDSHAKES,
  ...fc.sample(anyHandshake(), { numRuns: 60, seed: 1 }),
].flatMap((handshake) => HOSTS.map((host) => lineOf(handshake, host))).join("");

/** What a sink makes of many records, with what the pipeline counts. */
function madeOf(sink: Sink, filter: HandshakeFilter, made: (state: TraceState) => string): string {
  const pipeline = new Pipeline({ sinks: [sink], supervisor: THROWING, filter });
  const source = new RecordSource({ interfaces: [], host: "reader", countsOnce: true, pipeline });
  pipeline.begin(source);
  const reader = source.beginFile();
  reader.feed(new TextEncoder().encode(MANY));
  reader.end();
  sink.flush();
  const state = pipeline.state();
  sink.end(state);
  return made(state) + pipeline.summarize();
}

for (const [name, makeFormat] of Object.entries(FORMATS)) {
  Deno.test(`${name} is made of what it reads of records as of whole ones`, () => {
    const isOfOneField = name.includes(" of ");
    for (const filter of isOfOneField ? FILTERS.slice(0, 1) : FILTERS) {
      const [narrow, whole] = [false, true].map((isWhole) => {
        const output = new KeptText();
        const sink = new TextSink(output, makeFormat(), "to a test");
        return madeOf(isWhole ? reading(sink) : sink, filter, () => output.text);
      });
      assertEquals(narrow, whole);
    }
  });
}

Deno.test("metrics are made of what they read of records as of whole ones", () => {
  for (const filter of FILTERS) {
    const [narrow, whole] = [false, true].map((isWhole) => {
      const sink = new MetricsSink({
        version: "0",
        bounds: [1e6, 1e9],
        serversMax: 100,
        extraLabels: ["process", "cgroup"],
        now: () => 0,
        process: () => ({}),
      });
      const up = { sources: { wire: true } };
      return madeOf(isWhole ? reading(sink) : sink, filter, (state) => {
        const families = sink.families(state, up);
        assert(families.length > 5);
        return JSON.stringify(
          families,
          (_, value) => value instanceof Float64Array ? [...value] : value,
        );
      });
    });
    assertEquals(narrow, whole);
  }
});
