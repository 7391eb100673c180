import { assertEquals, assertMatch } from "@std/assert";
import { Handshake } from "../../../src/match/handshake.ts";
import type { Losses } from "../../../src/pipeline/losses.ts";
import { Pipeline, type PipelineOptions } from "../../../src/pipeline/pipeline.ts";
import {
  NO_ROW,
  type PacketKeeper,
  type Sink,
  type Supervisor,
  type TraceState,
} from "../../../src/pipeline/sink.ts";
import { Segment, TcpFlag } from "../../../src/wire/segment.ts";
import { FakeTime } from "./fake_time.ts";
import { sourceOf, THROWING } from "./stand_ins.ts";

const CONTEXT = { host: "web1", interfaceName: () => undefined };

/** A sink that writes down what is done with it. */
class Noted implements Sink {
  readonly label: string;
  readonly ports: number[] = [];
  readonly states: TraceState[] = [];
  losses: Losses = {};
  failed = false;

  constructor(
    readonly log: string[] = [],
    label = "notes",
    readonly reportMs?: number,
    private readonly throwsAt = "",
  ) {
    this.label = label;
  }

  #note(what: string): void {
    this.log.push(`${this.label} ${what}`);
    if (what === this.throwsAt) throw new Error(`no ${what}`);
  }

  begin(): void {
    this.#note("begin");
  }

  take({ server }: Handshake): void {
    this.ports.push(server.port);
    if (this.throwsAt === "take") this.#note("take");
  }

  flush(): void {
    this.#note("flush");
  }

  report(state: TraceState): void {
    this.states.push(state);
    this.#note("report");
  }

  hasten(): void {
    this.#note("hasten");
  }

  end(state: TraceState): void {
    this.states.push(state);
    this.#note("end");
  }

  settle(): Promise<void> {
    this.#note("settle");
    return Promise.resolve();
  }
}

function handshakeTo(port: number): Handshake {
  const handshake = new Handshake();
  handshake.wire = true;
  handshake.client.port = 50_000;
  handshake.server.port = port;
  return handshake;
}

function pipelineOf(sinks: readonly Sink[], options: Partial<PipelineOptions> = {}): Pipeline {
  const pipeline = new Pipeline({ sinks, supervisor: THROWING, ...options });
  pipeline.begin(sourceOf(CONTEXT, { losses: { ring_packets: 1 } }));
  return pipeline;
}

/** A supervisor that writes down what failed, and goes on. */
function noting(failures: string[]): Supervisor {
  const fail = (doing: string, error: unknown) => {
    failures.push(`${doing}: ${(error as Error).message}`);
  };
  return {
    fail,
    attempt: async (doing, work) => {
      try {
        return await work();
      } catch (error) {
        fail(doing, error);
        return undefined;
      }
    },
  };
}

Deno.test("Pipeline hands each handshake that passes its filter to every sink, and counts", () => {
  const sinks = [new Noted(), new Noted()];
  const pipeline = pipelineOf(sinks, { filter: { ports: [{ first: 80, last: 80 }] } });
  for (const port of [80, 443, 80]) pipeline.take(handshakeTo(port), NO_ROW);
  assertEquals(sinks.map(({ ports }) => ports), [[80, 80], [80, 80]]);
  assertMatch(
    pipeline.summarize(),
    /^2 handshakes: 2 unanswered \(1 more kept back by filters\)\n/,
  );
});

Deno.test("Pipeline stops at its count and says so once, after all sinks have it", () => {
  const sink = new Noted();
  const counted: number[] = [];
  const pipeline = pipelineOf([sink], { count: 2, onCount: () => counted.push(sink.ports.length) });
  for (let taken = 0; taken < 5; taken++) pipeline.take(handshakeTo(80), NO_ROW);
  assertEquals([counted, sink.ports.length], [[2], 2]);
  assertMatch(pipeline.summarize(), /^2 handshakes: /);
});

Deno.test("Pipeline ends its sinks in their order, each with all that is known then", async () => {
  const log: string[] = [];
  const [first, second] = [new Noted(log, "one"), new Noted(log, "two")];
  first.end = () => {
    log.push("one end");
    first.losses = { written_packets: 2, output_records: undefined };
    first.failed = true;
  };
  second.losses = { output_records: 3, ring_packets: 4 };
  const pipeline = pipelineOf([first, second]);
  pipeline.hasten();
  log.length = 0;
  await pipeline.end();
  assertEquals(log, [
    "one flush",
    "two flush",
    "one settle",
    "two settle",
    "one end",
    "one settle",
    "two end",
    "two settle",
  ]);
  const losses = { ring_packets: 5, written_packets: 2, output_records: undefined };
  assertEquals([second.states[0].losses, pipeline.failed], [losses, true]);
});

Deno.test("Pipeline lets no sink hold back another by what it throws", async () => {
  const time = new FakeTime();
  for (const throwsAt of ["take", "flush", "report", "hasten", "settle", "end"]) {
    const failures: string[] = [];
    const bad = new Noted([], "badly", 1, throwsAt);
    const good = new Noted([], "well", 1);
    const pipeline = pipelineOf([bad, good], { supervisor: noting(failures) });
    pipeline.take(handshakeTo(80), NO_ROW);
    time.pass(1);
    pipeline.flush();
    pipeline.hasten();
    await pipeline.end();
    const doing = throwsAt === "take" ? "writing a handshake" : "writing badly";
    assertEquals(new Set(failures), new Set([`${doing}: no ${throwsAt}`]));
    assertEquals(good.ports, [80]);
    assertEquals(good.log, [
      "well begin",
      "well report",
      "well flush",
      "well hasten",
      "well flush",
      "well settle",
      "well report",
      "well end",
      "well settle",
    ]);
  }
  time.restore();
});

Deno.test("Pipeline has a sink report as often as it wants, and once more before the end", async () => {
  const log: string[] = [];
  const time = new FakeTime();
  try {
    const sinks = [new Noted(log, "often", 100), new Noted(log, "rarely", 1_000), new Noted(log)];
    const pipeline = pipelineOf(sinks);
    /** Who reports when, after so many milliseconds more, it is flushed. */
    const after = (ms: number) => {
      time.pass(ms);
      pipeline.flush();
      return log.splice(0).filter((line) => line.endsWith("report")).join();
    };
    assertEquals([99, 1, 99, 1].map(after), ["", "often report", "", "often report"]);
    // Late: once, and the next when it would have been due anyway.
    assertEquals([350, 49, 1].map(after), ["often report", "", "often report"]);
    assertEquals([400].map(after), ["often report,rarely report"]);
    await pipeline.end();
    assertEquals(log.filter((line) => line.endsWith("report")), ["often report", "rarely report"]);
  } finally {
    time.restore();
  }
});

Deno.test("Pipeline gives each sink that wants them the packets, by rows of the matcher's table", () => {
  const kept: string[] = [];
  const wants = (name: string): Sink => ({
    label: name,
    keepPackets(rows): PacketKeeper {
      kept.push(`${name} has ${rows}`);
      return {
        begin: (row) => kept.push(`${name} begins ${row}`),
        join: () => {},
        keep: (row) => kept.push(`${name} keeps ${row}`),
      };
    },
    take: (_, row) => kept.push(`${name} takes ${row}`),
    flush: () => {},
    end: () => {},
  });
  assertEquals(pipelineOf([new Noted()]).keepsPackets, false);
  const pipeline = pipelineOf([wants("one"), new Noted(), wants("two")], { rows: 8 });
  assertEquals(pipeline.keepsPackets, true);
  const matcher = pipeline.createMatcher(0);
  const segment = new Segment();
  segment.flags = TcpFlag.SYN;
  const view = new DataView(new ArrayBuffer(0));
  const packet = { view, start: 0, end: 0, originalLength: 0, linkType: 1, timeNs: 0, place: 1 };
  const row = matcher.packet(segment, 0, 1);
  pipeline.keep(row, { ...packet, direction: 0 });
  matcher.flush();
  assertEquals(kept, [
    "one has 8",
    "two has 8",
    `one begins ${row}`,
    `two begins ${row}`,
    `one keeps ${row}`,
    `two keeps ${row}`,
    `one takes ${row}`,
    `two takes ${row}`,
  ]);
});
