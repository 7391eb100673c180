import { assertEquals, assertMatch } from "@std/assert";
import { HandshakeWriter } from "../../../src/cli/handshake_writer.ts";
import { type LineOutput, type Lines, toBytes } from "../../../src/files/stream_output.ts";
import { Handshake } from "../../../src/match/handshake.ts";
import {
  type HandshakeFormat,
  LineFormat,
  NdjsonFormat,
} from "../../../src/output/handshake_format.ts";
import { TableFormat } from "../../../src/output/table.ts";

/** An output that keeps what it takes. */
class Kept implements LineOutput {
  readonly lost = 0;
  readonly chunks: [lines: string, records: number][] = [];

  write(lines: Lines, records: number): void {
    this.chunks.push([new TextDecoder().decode(toBytes(lines)), records]);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }
}

const CONTEXT = { host: "web1", interfaceName: () => undefined };
const SPAN = { epochSeconds: 0, startNs: 0, endNs: 1e9 };

function handshakeTo(port: number): Handshake {
  const handshake = new Handshake();
  handshake.wire = true;
  handshake.client.port = 50_000;
  handshake.server.port = port;
  return handshake;
}

function writerTo(
  output: LineOutput,
  options: Partial<{ format: HandshakeFormat; count: number }> = {},
) {
  const counted: number[] = [];
  const writer = new HandshakeWriter({
    filter: { ports: [80] },
    count: Infinity,
    output,
    format: new NdjsonFormat(),
    context: CONTEXT,
    onCount: () => counted.push(1),
    ...options,
  });
  return { writer, counted };
}

Deno.test("HandshakeWriter writes what passes its filter in one piece a flush", () => {
  const output = new Kept();
  const { writer } = writerTo(output);
  for (const port of [80, 443, 80]) writer.take(handshakeTo(port));
  assertEquals(output.chunks, []);
  writer.flush();
  writer.flush();
  assertEquals(output.chunks.length, 1);
  const [[lines, records]] = output.chunks;
  assertEquals(records, 2);
  assertEquals(lines.split("\n").slice(0, -1).map((line) => JSON.parse(line).server.port), [
    80,
    80,
  ]);
  writer.end(SPAN, {});
  assertMatch(
    writer.summarize({}),
    /^2 handshakes: 2 unanswered \(1 more kept back by filters\)\n/,
  );
  const [summary, summaryRecords] = output.chunks[1];
  assertEquals(summaryRecords, 0);
  assertEquals([JSON.parse(summary).handshakes, JSON.parse(summary).filtered], [2, 1]);
});

Deno.test("HandshakeWriter stops at its count and says so once", () => {
  const output = new Kept();
  const { writer, counted } = writerTo(output, { count: 2 });
  for (let taken = 0; taken < 5; taken++) writer.take(handshakeTo(80));
  writer.flush();
  assertEquals(counted.length, 1);
  assertEquals(output.chunks[0][1], 2);
  assertMatch(writer.summarize({}), /^2 handshakes: /);
});

Deno.test("HandshakeWriter heads lines for a terminal once and writes no summary there", () => {
  const output = new Kept();
  const { writer } = writerTo(output, { format: new LineFormat() });
  writer.take(handshakeTo(80));
  writer.flush();
  writer.take(handshakeTo(80));
  writer.flush();
  writer.end(SPAN, {});
  assertEquals(output.chunks.map(([lines, records]) => [lines.split("\n").length - 1, records]), [
    [2, 1],
    [1, 1],
  ]);
  assertMatch(output.chunks[0][0], /^TIME/);
});

Deno.test("HandshakeWriter counts records with the text that holds them, however late it comes", () => {
  const output = new Kept();
  const format = new TableFormat({ rowsHeld: 3, colour: false, ascii: false });
  const { writer } = writerTo(output, { format });
  const pieces: [lines: number, records: number][][] = [];
  for (const taken of [2, 2, 1]) {
    for (let one = 0; one < taken; one++) writer.take(handshakeTo(80));
    writer.flush();
    pieces.push(
      output.chunks.splice(0).map(([text, records]) => [
        text.split("\n").length - 1,
        records,
      ]),
    );
  }
  // The headings are a line and no record.
  assertEquals(pieces, [[], [[5, 4]], [[1, 1]]]);
});

Deno.test("HandshakeWriter writes at the end what its format held back", () => {
  const output = new Kept();
  const { writer } = writerTo(output, {
    format: new TableFormat({ rowsHeld: 3, colour: false, ascii: false }),
  });
  writer.take(handshakeTo(80));
  writer.end(SPAN, {});
  assertEquals(output.chunks.map(([text, records]) => [text.split("\n").length - 1, records]), [
    [2, 1],
  ]);
});
