/** What sinks say that they read of records, held against what they make of whole ones. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

import type { Handshake } from "../../../src/match/handshake.ts";
import { CsvFormat } from "../../../src/output/csv.ts";
import { MetricsSink } from "../../../src/output/metrics/metrics_sink.ts";
import { StatisticsFormat } from "../../../src/output/statistics/format.ts";
import { NdjsonFormat, type TextFormat, TextSink } from "../../../src/output/text_sink.ts";
import type { HandshakeFilter } from "../../../src/pipeline/filter.ts";
import { DecodingThread } from "../../../src/pipeline/decoding_thread.ts";
import { Pipeline } from "../../../src/pipeline/pipeline.ts";
import { RecordSource } from "../../../src/pipeline/record_source.ts";
import type { Sink, TraceState } from "../../../src/pipeline/sink.ts";
import { FIELDS } from "../../../src/record/fields.ts";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { anyHandshake } from "../record/arbitrary_handshake.ts";
import { CONTEXT, HANDSHAKES, makeHandshake } from "../record/sample_handshakes.ts";
import { KeptText, THROWING } from "./stand_ins.ts";
import { SteppedDecoding } from "./stepped_decoding.ts";

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

/** Bytes that are read at once, which end amid records. */
const PIECE = 20_000;

/**
 * What a sink makes of many records, with what the pipeline counts.
 *
 * @param isBeside Whether a thread decodes most of them.
 */
async function madeOf(
  sink: Sink,
  filter: HandshakeFilter,
  isBeside: boolean,
  made: (state: TraceState) => string,
): Promise<string> {
  const pipeline = new Pipeline({ sinks: [sink], supervisor: THROWING, filter });
  const thread = new SteppedDecoding();
  const source = new RecordSource({
    ...{ interfaces: [], host: "reader", countsOnce: true, pipeline, aloneMax: 1 },
    openThread: (options) => DecodingThread.open(thread, options, () => {}),
  });
  pipeline.begin(source);
  const reader = source.beginFile(isBeside);
  const bytes = new TextEncoder().encode(MANY);
  for (let at = 0; at < bytes.length; at += PIECE) {
    reader.feed(bytes.slice(at, at + PIECE));
    if (!isBeside) continue;
    thread.step();
    await Promise.resolve().then(() => {});
  }
  reader.end();
  assertEquals(thread.decoded > 2, isBeside);
  sink.flush();
  const state = pipeline.state();
  sink.end(state);
  return made(state) + pipeline.summarize();
}

/** Whether a sink says what it reads, and whether a thread decodes. */
const WAYS = [[true, false], [true, true], [false, false], [false, true]] as const;

function assertSame(made: ReadonlySet<string>): void {
  const [one, ...others] = made;
  for (const other of others) assertEquals(other, one);
}

for (const [name, makeFormat] of Object.entries(FORMATS)) {
  Deno.test(`${name} is made of what it reads of records as of whole ones`, async () => {
    const isOfOneField = name.includes(" of ");
    for (const filter of isOfOneField ? FILTERS.slice(0, 1) : FILTERS) {
      const made = new Set<string>();
      for (const [says, isBeside] of WAYS) {
        const output = new KeptText();
        const sink = new TextSink(output, makeFormat(), "to a test");
        made.add(await madeOf(says ? sink : reading(sink), filter, isBeside, () => output.text));
      }
      assertSame(made);
    }
  });
}

Deno.test("metrics are made of what they read of records as of whole ones", async () => {
  for (const filter of FILTERS) {
    const made = new Set<string>();
    for (const [says, isBeside] of WAYS) {
      const sink = new MetricsSink({
        version: "0",
        bounds: [1e6, 1e9],
        serversMax: 100,
        extraLabels: ["process", "cgroup"],
        now: () => 0,
        process: () => ({}),
      });
      const up = { sources: { wire: true } };
      const families = (state: TraceState) => {
        const all = sink.families(state, up);
        assert(all.length > 5);
        return JSON.stringify(
          all,
          (_, value) => value instanceof Float64Array ? [...value] : value,
        );
      };
      made.add(await madeOf(says ? sink : reading(sink), filter, isBeside, families));
    }
    assertSame(made);
  }
});
