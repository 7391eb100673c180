import { assertEquals } from "@std/assert";
import type { Handshake } from "../../../src/match/handshake.ts";
import type { HandshakeFilter } from "../../../src/pipeline/filter.ts";
import { Pipeline } from "../../../src/pipeline/pipeline.ts";
import { DecodingThread } from "../../../src/pipeline/decoding_thread.ts";
import { RecordSource } from "../../../src/pipeline/record_source.ts";
import { NO_ROW, type Sink, type Source } from "../../../src/pipeline/sink.ts";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { CONTEXT, HANDSHAKES, makeHandshake } from "../record/sample_handshakes.ts";
import { THROWING } from "./stand_ins.ts";
import { SteppedDecoding } from "./stepped_decoding.ts";

/** Bytes of a file that are read at once: of a record some parts, or several short lines. */
const PIECE = 700;

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

interface ReadOptions {
  interfaces?: string[];
  countsOnce?: boolean;
  filter?: HandshakeFilter;
}

/** Reads a file: alone and beside a thread, which is the same. */
async function read(text: string, options: ReadOptions = {}) {
  const alone = await readBeside(text, options);
  for (const steps of [0, 1, 2]) {
    const beside = await readBeside(text, options, steps);
    assertEquals(told(beside), told(alone));
  }
  return alone;
}

/** @param steps Pieces that a thread decodes for each that is read; absent: there is no thread. */
async function readBeside(
  text: string,
  { interfaces = [], countsOnce = false, filter = {} }: ReadOptions,
  steps?: number,
) {
  const sink = new Rewritten();
  const pipeline = new Pipeline({ sinks: [sink], supervisor: THROWING, filter });
  const thread = new SteppedDecoding();
  const source = new RecordSource({
    ...{ interfaces, host: "reader", countsOnce, pipeline, aloneMax: 1 },
    openThread: (options) => DecodingThread.open(thread, options, () => {}),
  });
  pipeline.begin(source);
  const reader = source.beginFile(steps !== undefined);
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += PIECE) {
    reader.feed(bytes.slice(at, at + PIECE));
    for (let left = steps ?? 0; left > 0; left--) thread.step();
    // It begins meanwhile.
    await Promise.resolve().then(() => {});
  }
  reader.end();
  source.conclude();
  const { losses } = source.counters();
  return { sink, source, losses, summary: pipeline.summarize(), decoded: thread.decoded };
}

function told({ sink, source, losses, summary }: Awaited<ReturnType<typeof readBeside>>) {
  const { lines, rows, again, events } = sink;
  const { records, epochSeconds } = source;
  return {
    ...{ lines, rows, again, events, losses, summary, records, epochSeconds },
    ...{ span: source.counters().span, unknown: source.unknown() },
  };
}

const lineOf = (handshake: Handshake, host = "web1") =>
  encodeHandshake(handshake, { ...CONTEXT, host, hostId: `${host}-id` });
const LINES = HANDSHAKES.map((handshake) => lineOf(handshake));

Deno.test("RecordSource hands over records as they were written, each with what it says", async () => {
  const { sink, source } = await read(LINES.join(""));
  assertEquals(sink.lines, LINES);
  assertEquals([...sink.rows], [NO_ROW]);
  assertEquals(source.records, LINES.length);
  // Between two records it is who reads.
  assertEquals([source.context.host, source.context.interfaceName(1)], ["reader", undefined]);
});

Deno.test("RecordSource spans from the earliest record to the latest", async () => {
  const at = (timeNs: number) =>
    lineOf(makeHandshake({ timeNs, client: { address: "::1" }, server: { address: "::1" } }));
  const { source } = await read([at(5e9), at(2e9), at(7e9 + 1)].join(""));
  const { span } = source.counters();
  assertEquals(span.endNs - span.startNs, 5e9 + 1);
  const { span: none } = (await read("")).source.counters();
  assertEquals([none.startNs, none.endNs], [0, 0]);
});

Deno.test("RecordSource takes what was seen on the interfaces asked for", async () => {
  const of = async (...interfaces: string[]) =>
    (await read(LINES.join(""), { interfaces })).sink.lines;
  const onLo = LINES.filter((line) => /"interfaces?":(\[[^\]]*)?"lo"/.test(line));
  assertEquals(await of("lo"), onLo);
  assertEquals(onLo.length > 1, true);
  assertEquals(await of("wlan0"), []);
});

Deno.test("RecordSource counts a handshake once that two hosts recorded, where asked to", async () => {
  const [handshake] = HANDSHAKES;
  const text = ["web1", "db1", "web1"].map((host) => lineOf(handshake, host)).join("");
  assertEquals((await read(text)).sink.lines.length, 3);
  assertEquals((await read(text)).losses, { unread_lines: 0 });
  const once = await read(text, { countsOnce: true });
  assertEquals(once.sink.lines, [LINES[0], LINES[0]]);
  assertEquals(once.losses, { unread_lines: 0, repeated_records: 1, uncompared_records: 0 });
  assertEquals(once.sink.again, [`db1 ${handshake.outcome}`]);
});

Deno.test("RecordSource takes of two hosts the record that the filter lets pass", async () => {
  const [handshake] = HANDSHAKES;
  const text = ["web1", "db1"].map((host) => lineOf(handshake, host)).join("");
  const { sink } = await read(text, { countsOnce: true, filter: { tracedOn: ["db1"] } });
  assertEquals([sink.lines, sink.again], [[lineOf(handshake, "db1")], []]);
});

Deno.test("RecordSource hands on the lines that are no handshakes", async () => {
  const { sink } = await read('{"v":1,"event":"status","sample":4}\n');
  assertEquals(sink.events, [["status", { v: 1, event: "status", sample: 4 }]]);
});

Deno.test("RecordSource counts the lines that are no records, and tells what it does not know", async () => {
  const newer = LINES[0].replace('"v":1', '"v":2,"colour":"red"');
  const { losses, source } = await read(`no\n${newer}{"v":1,"event":"summary"}\n{}\n`);
  assertEquals(losses, { unread_lines: 2 });
  assertEquals(source.unknown(), { names: new Set(["colour"]), version: 2 });
});

Deno.test("RecordSource takes nothing more once somebody has enough", async () => {
  const { source, sink } = await read(LINES[0]);
  source.done = true;
  source.beginFile().feed(new TextEncoder().encode(LINES[0]));
  assertEquals([sink.lines.length, source.records], [1, 1]);
});

Deno.test("RecordSource has a thread decode what can be read without waiting, after some records", async () => {
  const text = LINES.join("");
  const some = await readBeside(text, {}, 1);
  assertEquals([some.decoded > 5, some.sink.lines], [true, LINES]);
  assertEquals((await readBeside(LINES[0], {}, 1)).decoded, 0);
  // What a function chooses cannot be told a thread.
  const meant = await readBeside(text, { filter: { isMeant: () => true } }, 1);
  assertEquals(meant.decoded, 0);
});

Deno.test("RecordSource takes nothing more of what was decoded once somebody has enough", async () => {
  const sink = new Rewritten();
  const pipeline = new Pipeline({
    sinks: [sink],
    supervisor: THROWING,
    count: 3,
    onCount: () => source.done = true,
  });
  const thread = new SteppedDecoding();
  const source: RecordSource = new RecordSource({
    ...{ interfaces: [], host: "reader", countsOnce: false, pipeline, aloneMax: 1 },
    openThread: (options) => DecodingThread.open(thread, options, () => {}),
  });
  pipeline.begin(source);
  const reader = source.beginFile(true);
  for (const line of [...LINES.slice(0, 5), "no record\n", ...LINES]) {
    reader.feed(new TextEncoder().encode(line));
    thread.step();
    await Promise.resolve().then(() => {});
  }
  reader.end();
  assertEquals([sink.lines, source.records], [LINES.slice(0, 3), 3]);
  assertEquals([thread.decoded > 5, source.counters().losses], [true, { unread_lines: 0 }]);
});
