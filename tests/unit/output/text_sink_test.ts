import { assert, assertEquals } from "@std/assert";
import { LineFormat } from "../../../src/output/line_format.ts";
import { BatchEncoder } from "../../../src/output/line_batch.ts";
import { LineThread, type Thread } from "../../../src/output/line_thread.ts";
import { NdjsonFormat, type TextFormat, TextSink } from "../../../src/output/text_sink.ts";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { TableFormat } from "../../../src/output/table.ts";
import { type LineOutput, type Lines, toBytes } from "../../../src/files/stream_output.ts";
import { sourceOf, stateOf } from "../pipeline/stand_ins.ts";
import { CONTEXT, EPOCH_SECONDS, HANDSHAKES, taken } from "../record/sample_handshakes.ts";

const END = stateOf(CONTEXT, {
  span: { epochSeconds: EPOCH_SECONDS, startNs: 5, endNs: 1_000 },
  losses: { ring_packets: 3 },
});

Deno.test("NdjsonFormat writes each record when it comes, the summary at the end", () => {
  const format = new NdjsonFormat();
  for (const handshake of HANDSHAKES) {
    assertEquals(taken(format, handshake), encodeHandshake(handshake, CONTEXT));
  }
  assertEquals(
    format.end(END),
    END.summary.encode(CONTEXT, EPOCH_SECONDS, 5, 1_000, END.losses, {}),
  );
});

/** An output that keeps what it takes, each piece with its number of records. */
class Kept implements LineOutput {
  lost = 0;
  rotatedAway: number | undefined;
  isHastened = false;
  readonly pieces: [text: string, records: number][] = [];

  write(lines: Lines, records: number): void {
    this.pieces.push([new TextDecoder().decode(toBytes(lines)), records]);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  hasten(): void {
    this.isHastened = true;
  }
}

const HANDSHAKE = HANDSHAKES[0];

function sinkTo(output: LineOutput, format: TextFormat, options?: { isShown: boolean }): TextSink {
  const sink = new TextSink(output, format, "somewhere", options);
  sink.begin(sourceOf(CONTEXT));
  return sink;
}

/** Lines and records of each piece since the last time. */
function takePieces(output: Kept): [lines: number, records: number][] {
  return output.pieces.splice(0)
    .map(([text, records]) => [text.split("\n").length - 1, records]);
}

Deno.test("TextSink writes what it took in one piece a flush, the end in another", () => {
  const output = new Kept();
  const sink = sinkTo(output, new NdjsonFormat());
  sink.take(HANDSHAKE);
  sink.take(HANDSHAKE);
  assertEquals(takePieces(output), []);
  sink.flush();
  sink.flush();
  assertEquals(takePieces(output), [[2, 2]]);
  sink.end(END);
  assertEquals(takePieces(output), [[1, 0]]);
});

Deno.test("TextSink heads lines for a terminal once and writes no summary there", () => {
  const output = new Kept();
  const sink = sinkTo(output, new LineFormat());
  for (let round = 0; round < 2; round++) {
    sink.take(HANDSHAKE);
    sink.flush();
  }
  sink.end(END);
  assertEquals(takePieces(output), [[2, 1], [1, 1]]);
});

Deno.test("TextSink counts records with the text that holds them, however late it comes", () => {
  const output = new Kept();
  const sink = sinkTo(output, new TableFormat({ rowsHeld: 3, colour: false, ascii: false }));
  const pieces = [2, 2, 1].map((taken) => {
    for (let one = 0; one < taken; one++) sink.take(HANDSHAKE);
    sink.flush();
    return takePieces(output);
  });
  // The headings are a line and no record.
  assertEquals(pieces, [[], [[5, 4]], [[1, 1]]]);
  const late = sinkTo(output, new TableFormat({ rowsHeld: 3, colour: false, ascii: false }));
  late.take(HANDSHAKE);
  late.end(END);
  assertEquals(takePieces(output), [[2, 1]]);
});

Deno.test("TextSink holds no more than a write is worth", () => {
  const output = new Kept();
  const sink = sinkTo(output, new NdjsonFormat());
  while (output.pieces.length === 0) sink.take(HANDSHAKE);
  const [[text, records]] = output.pieces;
  assert(text.length >= 256 * 1024 && text.length < 512 * 1024);
  assertEquals(text.split("\n").length - 1, records);
});

Deno.test("TextSink tells what its output lost, unless it only shows what goes elsewhere", async () => {
  const output = new Kept();
  const sink = sinkTo(output, new NdjsonFormat());
  assertEquals([sink.losses, sink.failed], [{ output_records: 0 }, false]);
  output.lost = 3;
  output.rotatedAway = 0;
  assertEquals([sink.losses, sink.failed], [{ output_records: 3, rotated_records: 0 }, true]);
  const shown = sinkTo(output, new NdjsonFormat(), { isShown: true });
  assertEquals([shown.losses, shown.failed], [{}, false]);
  shown.hasten();
  await shown.settle();
  assertEquals(output.isHastened, true);
});

Deno.test("TextSink writes status lines behind the records, with how many were written", () => {
  const output = new Kept();
  const status = { intervalMs: 60_000, version: "1.2.3", filters: [] };
  const sink = sinkTo(output, new NdjsonFormat(status));
  assertEquals(sink.reportMs, 60_000);
  sink.take(HANDSHAKE);
  sink.take(HANDSHAKE);
  output.lost = 1;
  sink.report(END);
  const [[records], [line, count]] = output.pieces;
  assertEquals([records.split("\n").length - 1, count], [2, 0]);
  const { event, written } = JSON.parse(line);
  assertEquals([event, written], ["status", 1]);
  const silent = sinkTo(new Kept(), new NdjsonFormat());
  assertEquals(silent.reportMs, undefined);
});

Deno.test("TextSink has a thread make the lines once there are many, in their order", async () => {
  const output = new Kept();
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const thread: Thread = {
    onmessage: null,
    onerror: null,
    postMessage(message) {
      if ("host" in message) {
        asked.push(message.host);
        answers.push(() => this.onmessage?.(new MessageEvent("message", { data: "begun" })));
        return;
      }
      const context = { host: asked[0], interfaceName: CONTEXT.interfaceName };
      const lines = new BatchEncoder(context).encode(message.batch).slice();
      answers.push(() => this.onmessage?.(new MessageEvent("message", { data: lines })));
    },
    terminate: () => asked.push("ended"),
  };
  const { hostId: _, tracer: __, netnsOf: ___, ...context } = CONTEXT;
  const sink = new TextSink(output, new NdjsonFormat(), "somewhere", {
    openThread: (options) => LineThread.open(thread, options),
  });
  sink.begin(sourceOf(context));
  const expected: string[] = [];
  const take = (count: number) => {
    for (let at = 0; at < count; at++) {
      const handshake = HANDSHAKES[at % HANDSHAKES.length];
      sink.take(handshake, at);
      expected.push(encodeHandshake(handshake, context));
    }
  };
  take(20_000);
  assertEquals(asked, [context.host]);
  answers.shift()!();
  // Every promise that is settled by that has its turn.
  await new Promise((resolve) => setTimeout(resolve));
  take(2_000);
  sink.flush();
  assert(answers.length > 3);
  const settled = sink.settle();
  while (answers.length > 0) answers.shift()!();
  await settled;
  sink.end(END);
  assertEquals(asked, [context.host, "ended"]);
  const text = output.pieces.map(([piece]) => piece).join("");
  assert(text.startsWith(expected.join("")));
  assertEquals(output.pieces.reduce((sum, [, records]) => sum + records, 0), 22_000);
});
