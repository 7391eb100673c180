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

Deno.test("TopSink has packets kept, and copied of what is kept", () => {
  const model = sampleModel([]);
  const sink = new TopSink(
    model,
    { keepPackets: () => KEEPER, packetsOf: (row) => `packets of ${row}` },
    () => {},
  );
  sink.begin(sourceOf(CONTEXT));
  assertEquals(sink.keepPackets?.(9), KEEPER);
  sink.take(sampleHandshake({ outcome: "refused" }), 5);
  sink.take(sampleHandshake({ outcome: "refused" }), NO_ROW);
  assertEquals(model.latest().map(({ packets }) => packets), [undefined, "packets of 5"]);
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
