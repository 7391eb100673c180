import { assertEquals } from "@std/assert";
import type { Handshake } from "../../../src/match/handshake.ts";
import type { HandshakeFilter } from "../../../src/pipeline/filter.ts";
import { Pipeline } from "../../../src/pipeline/pipeline.ts";
import { RecordSource } from "../../../src/pipeline/record_source.ts";
import { NO_ROW, type Sink, type Source } from "../../../src/pipeline/sink.ts";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { CONTEXT, HANDSHAKES, makeHandshake } from "../record/sample_handshakes.ts";
import { THROWING } from "./stand_ins.ts";

/** Writes down again what it takes, as a record. */
class Rewritten implements Sink {
  readonly label = "records";
  readonly lines: string[] = [];
  readonly rows = new Set<number>();
  /** Who told what of a handshake that another host had told. */
  readonly again: string[] = [];
  readonly events: [event: string, members: Readonly<Record<string, unknown>>][] = [];
  #source: Source | undefined;

  begin(source: Source): void {
    this.#source = source;
  }

  take(handshake: Handshake, row: number): void {
    this.rows.add(row);
    this.lines.push(encodeHandshake(handshake, this.#source!.context));
  }

  takeAgain({ outcome }: Handshake): void {
    this.again.push(`${this.#source!.context.host} ${outcome}`);
  }

  takeEvent(event: string, members: Readonly<Record<string, unknown>>): void {
    this.events.push([event, members]);
  }

  flush(): void {}

  end(): void {}
}

function read(
  text: string,
  { interfaces = [] as string[], countsOnce = false, filter = {} as HandshakeFilter } = {},
) {
  const sink = new Rewritten();
  const pipeline = new Pipeline({ sinks: [sink], supervisor: THROWING, filter });
  const source = new RecordSource({ interfaces, host: "reader", countsOnce, pipeline });
  pipeline.begin(source);
  const reader = source.beginFile();
  reader.feed(new TextEncoder().encode(text));
  reader.end();
  return { sink, source, losses: source.counters().losses };
}

const lineOf = (handshake: Handshake, host = "web1") =>
  encodeHandshake(handshake, { ...CONTEXT, host, hostId: `${host}-id` });
const LINES = HANDSHAKES.map((handshake) => lineOf(handshake));

Deno.test("RecordSource hands over records as they were written, each with what it says", () => {
  const { sink, source } = read(LINES.join(""));
  assertEquals(sink.lines, LINES);
  assertEquals([...sink.rows], [NO_ROW]);
  assertEquals(source.records, LINES.length);
  // Between two records it is who reads.
  assertEquals([source.context.host, source.context.interfaceName(1)], ["reader", undefined]);
});

Deno.test("RecordSource spans from the earliest record to the latest", () => {
  const at = (timeNs: number) =>
    lineOf(makeHandshake({ timeNs, client: { address: "::1" }, server: { address: "::1" } }));
  const { source } = read([at(5e9), at(2e9), at(7e9 + 1)].join(""));
  const { span } = source.counters();
  assertEquals(span.endNs - span.startNs, 5e9 + 1);
  const { span: none } = read("").source.counters();
  assertEquals([none.startNs, none.endNs], [0, 0]);
});

Deno.test("RecordSource takes what was seen on the interfaces asked for", () => {
  const of = (...interfaces: string[]) => read(LINES.join(""), { interfaces }).sink.lines;
  const onLo = LINES.filter((line) => /"interfaces?":(\[[^\]]*)?"lo"/.test(line));
  assertEquals(of("lo"), onLo);
  assertEquals(onLo.length > 1, true);
  assertEquals(of("wlan0"), []);
});

Deno.test("RecordSource counts a handshake once that two hosts recorded, where asked to", () => {
  const [handshake] = HANDSHAKES;
  const text = ["web1", "db1", "web1"].map((host) => lineOf(handshake, host)).join("");
  assertEquals(read(text).sink.lines.length, 3);
  assertEquals(read(text).losses, { unread_lines: 0 });
  const once = read(text, { countsOnce: true });
  assertEquals(once.sink.lines, [LINES[0], LINES[0]]);
  assertEquals(once.losses, { unread_lines: 0, repeated_records: 1, uncompared_records: 0 });
  assertEquals(once.sink.again, [`db1 ${handshake.outcome}`]);
});

Deno.test("RecordSource takes of two hosts the record that the filter lets pass", () => {
  const [handshake] = HANDSHAKES;
  const text = ["web1", "db1"].map((host) => lineOf(handshake, host)).join("");
  const { sink } = read(text, { countsOnce: true, filter: { tracedOn: ["db1"] } });
  assertEquals([sink.lines, sink.again], [[lineOf(handshake, "db1")], []]);
});

Deno.test("RecordSource hands on the lines that are no handshakes", () => {
  const { sink } = read('{"v":1,"event":"status","sample":4}\n');
  assertEquals(sink.events, [["status", { v: 1, event: "status", sample: 4 }]]);
});

Deno.test("RecordSource counts the lines that are no records, and tells what it does not know", () => {
  const newer = LINES[0].replace('"v":1', '"v":2,"colour":"red"');
  const { losses, source } = read(`no\n${newer}{"v":1,"event":"summary"}\n{}\n`);
  assertEquals(losses, { unread_lines: 2 });
  assertEquals(source.unknown(), { names: new Set(["colour"]), version: 2 });
});

Deno.test("RecordSource takes nothing more once somebody has enough", () => {
  const { source, sink } = read(LINES[0]);
  source.done = true;
  source.beginFile().feed(new TextEncoder().encode(LINES[0]));
  assertEquals([sink.lines.length, source.records], [1, 1]);
});
