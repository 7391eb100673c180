// read, top and metrics, which follow a store while tracers write, seal and remove its hours.
// Covers src/cli/follow_store.ts
import { TextLineStream } from "@std/streams";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { SegmentOutput } from "../../src/store/segment_output.ts";
import { listSegments } from "../../src/store/store_folder.ts";
import { StoreKeeper } from "../../src/store/store_keeper.ts";
import { Folder } from "../folder.ts";
import { until } from "../netns/namespace.ts";
import { linesOf, makeRecords } from "./made_records.ts";
import { ask, MetricsRun, sumOf } from "./metrics_tool.ts";
import { FollowingRead } from "./following_read.ts";
import { runRead } from "./read_tool.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const HOST = "web1";
const HOUR_MS = 3_600_000;
const ANY_PORT = "127.0.0.1:0";

/** A store that two tracers of one host write, by a clock of the test. */
class WrittenStore implements AsyncDisposable {
  readonly #folder = new Folder();
  readonly said: string[] = [];
  readonly #tracers: readonly SegmentOutput[];
  #nowMs = Date.parse("2026-11-23T01:30:00Z");

  constructor() {
    this.#tracers = ["11-1", "22-1"].map((tracer) => new SegmentOutput(this.#options(tracer)));
  }

  get path(): string {
    return this.#folder.path;
  }

  #options(tracer: string, keeping = {}) {
    return {
      folder: this.path,
      host: HOST,
      tracer,
      keeping,
      onChange: (sentence: string) => void this.said.push(sentence),
      nowMs: () => this.#nowMs,
    };
  }

  /** Has a tracer write text, any part of lines. */
  write(tracer: number, text: string): void {
    this.#tracers[tracer].write(text, 1);
  }

  /** Goes on to the next hour; those before are sealed, and removed where they are so old. */
  async nextHour(keeping: { ageMs?: number } = {}): Promise<void> {
    this.#nowMs += HOUR_MS;
    // Whoever writes in an hour keeps it from being over for a follower alone.
    const keeper = new StoreKeeper(this.#options("33-1", keeping));
    await keeper.tend();
    await keeper.close();
  }

  sealed(): number {
    return listSegments(this.path).filter(({ isSealed }) => isSealed).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const tracer of this.#tracers) await tracer.close();
    this.#folder[Symbol.dispose]();
  }
}

/** Whether a process catches SIGUSR1, by which it tells how it goes (`SigCgt` of proc_pid_status(5)). */
function hearsReports(pid: number): boolean {
  const [, mask] = /^SigCgt:\s*([0-9a-f]+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))!;
  return (BigInt(`0x${mask}`) >> 9n & 1n) === 1n;
}

const LINES = linesOf(makeRecords(800, 5), HOST).trimEnd().split("\n");

/** A part of the lines, as they are written. */
function textOf(from: number, to: number): string {
  return LINES.slice(from, to).map((line) => line + "\n").join("");
}

Deno.test("read --follow tells each record of a store once, over hours that are sealed and removed", async () => {
  await using store = new WrittenStore();
  store.write(0, textOf(0, 10));
  store.write(1, textOf(10, 15));
  await using run = new FollowingRead(["--follow", store.path]);
  assertEquals(await run.next(15), LINES.slice(0, 15));
  // What is torn is told when its other half is there.
  store.write(1, LINES[15].slice(0, 100));
  store.write(0, textOf(16, 20));
  assertEquals(await run.next(4), LINES.slice(16, 20));
  store.write(1, LINES[15].slice(100) + "\n");
  assertEquals(await run.next(1), [LINES[15]]);
  for (let hour = 0; hour < 4; hour++) {
    const from = 20 + hour * 80;
    // The last ones of an hour are written when nobody looks: it is sealed at once.
    store.write(0, textOf(from, from + 40));
    await store.nextHour(hour < 2 ? {} : { ageMs: HOUR_MS });
    store.write(0, textOf(from + 40, from + 60));
    store.write(1, textOf(from + 60, from + 80));
    assertEquals((await run.next(80)).toSorted(), LINES.slice(from, from + 80).toSorted());
  }
  assert(store.sealed() > 0);
  const { status, lines, said } = await run.stop();
  assertEquals([status, lines.length], [0, 1], said);
  assertMatch(lines[0], /"event":"summary".*"handshakes":340\b/);
  assertEquals(/Cannot|removed|replaced/.exec(said), null, said);
  assertEquals(store.said, []);
});

Deno.test("read --follow of a store has the sums of read, of sealed hours and those being written", async () => {
  await using store = new WrittenStore();
  store.write(0, textOf(0, 100));
  await store.nextHour();
  store.write(0, textOf(100, 150));
  // The other tracer tells the same ones.
  store.write(1, textOf(100, 150).replaceAll('"host":"web1"', '"host":"web1","tracer":"22-1"'));
  const whole = await runRead(["--stats", "--json", store.path]);
  assertEquals(whole.summary.losses.repeated_records, 50);
  await using run = new FollowingRead(["--follow", "--stats", "--json", store.path]);
  const { handshakes } = whole.summary;
  await until("it hears signals", () => hearsReports(run.child.pid));
  await run.says(new RegExp(`^${handshakes} handshakes`), () => run.child.kill("SIGUSR1"));
  const { status, lines } = await run.stop();
  assertEquals([status, lines.map((line) => JSON.parse(line))], [0, [whole.summary]]);
});

Deno.test("read --follow waits for a store that has no segment yet, and says so", async () => {
  using folder = new Folder();
  await using run = new FollowingRead(["--follow", folder.path]);
  const name = `2026-11-23T01.${HOST}.11-1.ndjson`;
  await run.says(/^synsnoop: ".*" has no segments yet/);
  folder.write(name, textOf(0, 1));
  assertEquals(await run.next(1), [LINES[0]]);
  assertEquals((await run.stop()).status, 0);
});

Deno.test("read --follow ends at what --count asks for, and reads only hours of --since", async () => {
  await using store = new WrittenStore();
  store.write(0, textOf(0, 100));
  const { status, records } = await runRead(["--follow", "--count", "7", store.path]);
  assertEquals([status, records.length], [0, 7]);
});

Deno.test("read --follow tells what is wrong with a segment, and ends with 1", async () => {
  await using store = new WrittenStore();
  store.write(0, textOf(0, 1) + "{torn\n" + textOf(1, 2));
  await using run = new FollowingRead(["--follow", store.path]);
  assertEquals(await run.next(2), LINES.slice(0, 2));
  const { status, said } = await run.stop();
  assertEquals(status, 1);
  assertMatch(
    said,
    /Cannot read all of "2026-11-23T01\.web1\.11-1\.ndjson": 1 of its lines is no record/,
  );
});

Deno.test("read --follow refuses --write for a store: records have no packets", async () => {
  await using store = new WrittenStore();
  const { status, said } = await runRead([
    ...["--follow", "--write", `${store.path}/packets.pcapng`, store.path],
  ]);
  assertEquals(status, 1);
  assertMatch(said, /Cannot read ".*": it holds records, which have no packets for --write/);
});

Deno.test("metrics --follow serves a store that others write", async () => {
  await using store = new WrittenStore();
  store.write(0, textOf(0, 20));
  await using run = MetricsRun.start(["--listen", ANY_PORT, "--follow", store.path]);
  const address = await run.address();
  const total = async () => sumOf((await ask(address)).body, "synsnoop_handshakes_total");
  await until("the first", async () => await total() === 20);
  await store.nextHour();
  store.write(1, textOf(20, 50));
  await until("those of the next hour", async () => await total() === 50);
  assertEquals(await run.stop("SIGINT"), 0);
});

Deno.test("top follows a store, and ends with what is there where it is asked to", async () => {
  await using store = new WrittenStore();
  store.write(0, textOf(0, 20));
  const start = (...args: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", MAIN, "top", "--interval", "1s", ...args, store.path],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  const { code, stderr } = await start("--quit-at-end").output();
  const words = new TextDecoder().decode(stderr);
  assertEquals(code, 0, words);
  assertMatch(words, /^20 handshakes/);

  await using stack = new AsyncDisposableStack();
  const child = start();
  stack.defer(async () => {
    await child.status;
  });
  const lines = child.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream())[Symbol.asyncIterator]();
  const untilShown = async (words: RegExp) => {
    for (;;) {
      const { value, done } = await lines.next();
      assert(!done, `${words}`);
      if (words.test(value)) return;
    }
  };
  await untilShown(/\b20 handshakes\b/);
  await store.nextHour();
  store.write(1, textOf(20, 50));
  await untilShown(/\b50 handshakes\b/);
  child.kill("SIGINT");
  await lines.return?.();
  const said = await new Response(child.stderr).text();
  assertEquals((await child.status).code, 0, said);
  assertMatch(said, /^50 handshakes/m);
});
