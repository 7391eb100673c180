import { assertEquals } from "@std/assert";
import type { TraceState } from "../../../../src/pipeline/sink.ts";
import { NO_ROW, type Source } from "../../../../src/pipeline/sink.ts";
import { TopSink } from "../../../../src/output/top/top_sink.ts";
import { CurrentContext, type RecordContext } from "../../../../src/record/record_context.ts";
import { CONTEXT } from "../../record/sample_handshakes.ts";
import { sampleHandshake, sampleModel } from "./sample_top.ts";

function sourceOf(context: RecordContext): Source {
  return {
    context,
    epochSeconds: 0,
    interfaceInFile: () => undefined,
    hidesData: () => false,
    counters: () => ({
      span: { epochSeconds: 0, startNs: 0, endNs: 0 },
      losses: {},
      undecoded: {},
    }),
  };
}

const KEEPER = { begin() {}, join() {}, keep() {} };

Deno.test("TopSink keeps the packets of what may be looked at, in a flood not of each", () => {
  const model = sampleModel([]);
  model.clock.start();
  const rows: number[] = [];
  const sink = new TopSink(
    model,
    { keepPackets: () => KEEPER, packetsOf: (row) => rows.push(row) },
    () => {},
  );
  sink.begin(sourceOf(CONTEXT));
  assertEquals(sink.keepPackets?.(9), KEEPER);
  // The slowest hundred fill up first.
  for (let row = 0; row < 150; row++) sink.take(sampleHandshake({ clientRttNs: 1_000 }), row);
  assertEquals(rows.length, 100);
  for (let row = 0; row < 5_000; row++) sink.take(sampleHandshake({ outcome: "half_open" }), row);
  assertEquals([rows.length, model.counts.all.handshakes], [1_000, 5_150]);
  assertEquals(model.counts.failures.list(1)[0].packets, undefined);
  sink.take(sampleHandshake({ outcome: "refused" }), NO_ROW);
});

Deno.test("TopSink keeps what a record said, though the next one says something else", () => {
  let host = "a";
  const model = sampleModel([]);
  const states: TraceState[] = [];
  const sink = new TopSink(model, undefined, (state) => states.push(state));
  assertEquals(sink.keepPackets, undefined);
  sink.begin(sourceOf(new CurrentContext(() => ({ host, interfaceName: () => undefined }))));
  sink.take(sampleHandshake(), NO_ROW);
  host = "b";
  sink.take(sampleHandshake(), NO_ROW);
  assertEquals(model.latest().map(({ context }) => context.host), ["b", "a"]);
  const state = {} as TraceState;
  sink.report(state);
  sink.end(state);
  assertEquals(states, [state, state]);
});
