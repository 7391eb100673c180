// A store in a folder, with a clock of the test.
// Covers src/store/seal_worker.ts
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { countLines } from "../../src/files/stream_output.ts";
import { RecordReader } from "../../src/record/record_reader.ts";
import { makeRecords } from "./made_records.ts";
import { InputError } from "../../src/files/input_error.ts";
import { seal } from "../../src/store/seal.ts";
import { SegmentOutput } from "../../src/store/segment_output.ts";
import { type HourRange, listSegments, storeSegments } from "../../src/store/store_folder.ts";
import { StoreKeeper } from "../../src/store/store_keeper.ts";
import { buildRefused } from "./refused_capture.ts";
import { runRead } from "./read_tool.ts";
import { until } from "../netns/namespace.ts";

const HOST = "5f1c7c3aa9d04c5b8e0d5c1f0a7b6e21";
const OTHER_HOST = "0000000000000000000000000000000a";
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A folder for a test, and what happens to the store in it. */
class Place implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "synsnoop-store-" });
  readonly said: string[] = [];
  nowMs = Date.parse("2026-11-23T01:59:00Z");

  get options() {
    return {
      folder: this.folder,
      host: HOST,
      tracer: "4711-1",
      keeping: {},
      onChange: (sentence: string) => void this.said.push(sentence),
      nowMs: () => this.nowMs,
    };
  }

  names(): string[] {
    return [...Deno.readDirSync(this.folder)].map(({ name }) => name).sort();
  }

  write(name: string, text = "{}\n"): string {
    const path = `${this.folder}/${name}`;
    Deno.writeTextFileSync(path, text);
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

function segment(hour: string, { host = HOST, tracer = "4711-1" } = {}): string {
  return `2026-11-23T${hour}.${host}.${tracer}.ndjson`;
}

function text(path: string): string {
  const bytes = Deno.readFileSync(path);
  return new TextDecoder().decode(path.endsWith(".zst") ? zstdDecompressSync(bytes) : bytes);
}

Deno.test("a store has a file for each hour that something was written in", async () => {
  using place = new Place();
  const output = new SegmentOutput(place.options);
  output.write("one\n", 1);
  place.nowMs += MINUTE_MS - 1;
  output.write("two\n", 1);
  place.nowMs += 1;
  output.write("three\n", 1);
  place.nowMs += 2 * HOUR_MS;
  output.write("four\n", 1);
  await output.close();
  assertEquals(place.names(), [segment("01"), segment("02"), segment("04")]);
  assertEquals(place.names().map((name) => text(`${place.folder}/${name}`)), [
    "one\ntwo\n",
    "three\n",
    "four\n",
  ]);
  assertEquals([output.lost, place.said], [0, []]);
});

Deno.test("an hour that was over stays so where the clock is set back", async () => {
  using place = new Place();
  const output = new SegmentOutput(place.options);
  place.nowMs += MINUTE_MS;
  output.write("one\n", 1);
  place.nowMs -= HOUR_MS;
  output.write("two\n", 1);
  await output.close();
  assertEquals(text(`${place.folder}/${segment("02")}`), "one\ntwo\n");
  assertEquals(text(`${place.folder}/${segment("01")}`), "");
});

Deno.test("an hour that is over is compressed while its tracer has nothing to write, without a word", async () => {
  using place = new Place();
  const output = new SegmentOutput(place.options);
  output.write("one\n", 1);
  place.nowMs += 2 * HOUR_MS;
  const keeper = new StoreKeeper({ ...place.options, tracer: "1-1" });
  await keeper.tend();
  // As it looks by itself each second.
  output.reopen();
  assertEquals([place.names(), place.said], [[`${segment("01")}.zst`], []]);
  output.write("two\n", 1);
  assertEquals(place.names(), [`${segment("01")}.zst`, segment("03")]);
  // One that is removed while it is written is begun anew.
  Deno.removeSync(`${place.folder}/${segment("03")}`);
  output.reopen();
  assertEquals([place.names()[1], place.said.length], [segment("03"), 1]);
  await keeper.close();
  await output.close();
});

Deno.test("a store is made where there is none, and is for its owner and group", async () => {
  using place = new Place();
  const folder = `${place.folder}/store`;
  const output = new SegmentOutput({ ...place.options, folder });
  output.write("one\n", 1);
  await output.close();
  assertEquals(Deno.statSync(folder).mode! & 0o777, 0o750 & ~Deno.umask());
  assertEquals(Deno.statSync(`${folder}/${segment("01")}`).mode! & 0o777, 0o640 & ~Deno.umask());
});

Deno.test("a store is refused with its reason", () => {
  using place = new Place();
  const file = place.write("file");
  for (const folder of [file, `${place.folder}/none/store`]) {
    assertThrows(() => new SegmentOutput({ ...place.options, folder }), Error);
  }
});

Deno.test("what cannot be begun is lost, counted and told, until it works again", async () => {
  using place = new Place();
  const output = new SegmentOutput(place.options);
  // Of a folder in its place no file can be made.
  Deno.mkdirSync(`${place.folder}/${segment("02")}`);
  place.nowMs += MINUTE_MS;
  output.write("one\n", 1);
  output.write("two\nthree\n", 2);
  assertEquals(output.lost, 3);
  assertMatch(
    place.said.join("\n"),
    /^Cannot begin "[^\n]*": [^\n]*; records are lost until it works$/,
  );
  Deno.removeSync(`${place.folder}/${segment("02")}`);
  await until("it is tried again", () => {
    output.write("four\n", 1);
    return place.said.length === 2;
  });
  assertMatch(place.said[1], /^Writing ".*" now; \d+ records were lost$/);
  await output.close();
  assertEquals(text(`${place.folder}/${segment("02")}`), "four\n");
});

Deno.test("an hour that is over is sealed: the same bytes, compressed, of the same owner", async () => {
  using place = new Place();
  const lines = Array.from({ length: 50_000 }, (_, at) => `{"at":${at}}\n`).join("");
  const path = place.write(segment("00", { tracer: "1-1" }), lines);
  Deno.chmodSync(path, 0o604);
  place.write(segment("00", { host: OTHER_HOST }), "theirs\n");
  place.write("notes.txt", "mine\n");
  const output = new SegmentOutput(place.options);
  await until(
    "it is sealed",
    () => place.names().includes(`${segment("00", { tracer: "1-1" })}.zst`),
  );
  await output.close();
  assertEquals(place.names(), [
    segment("00", { host: OTHER_HOST }),
    `${segment("00", { tracer: "1-1" })}.zst`,
    segment("01"),
    "notes.txt",
  ]);
  assertEquals(text(`${path}.zst`), lines);
  assertEquals(Deno.statSync(`${path}.zst`).mode! & 0o777, 0o604 & ~Deno.umask());
  // Its content is checked by whoever reads it (RFC 8878 §3.1.1.1.1).
  assertEquals(Deno.readFileSync(`${path}.zst`)[4] & 4, 4);
  assertEquals(place.said, []);
});

Deno.test("an hour is left alone for a minute: somebody may still be writing", async () => {
  using place = new Place();
  place.nowMs = Date.parse("2026-11-23T01:00:59Z");
  place.write(segment("00"));
  const keeper = new StoreKeeper(place.options);
  await keeper.tend();
  assertEquals(place.names(), [segment("00")]);
  place.nowMs += 1_000;
  await keeper.tend();
  await keeper.close();
  assertEquals(place.names(), [`${segment("00")}.zst`]);
});

Deno.test("two that seal one segment at once leave it sealed", async () => {
  using place = new Place();
  const path = place.write(segment("00"), "one\n".repeat(100_000));
  await Promise.allSettled(["1-1", "2-2", "3-3"].map((sealer) => seal(path, sealer)));
  assertEquals(place.names(), [`${segment("00")}.zst`]);
  assertEquals(text(`${path}.zst`), "one\n".repeat(100_000));
});

Deno.test("what cannot be sealed stays as it is, and is told once", async () => {
  using place = new Place();
  Deno.mkdirSync(`${place.folder}/${segment("00")}`);
  const keeper = new StoreKeeper(place.options);
  await keeper.tend();
  await keeper.tend();
  await keeper.close();
  assertEquals(place.names(), [segment("00")]);
  assertEquals(place.said.length, 1);
  assertMatch(
    place.said[0],
    /^Cannot look after ".*": ".*" cannot be compressed: .*; it is tried again$/,
  );
});

Deno.test("a link is no segment to be sealed", async () => {
  using place = new Place();
  Deno.mkdirSync(`${place.folder}/elsewhere`);
  Deno.writeTextFileSync(`${place.folder}/elsewhere/secret`, "secret\n");
  Deno.symlinkSync(`${place.folder}/elsewhere/secret`, `${place.folder}/${segment("00")}`);
  const keeper = new StoreKeeper(place.options);
  await keeper.tend();
  await keeper.close();
  assertEquals(place.names(), [segment("00"), "elsewhere"].sort());
  assertEquals(place.said.length, 1);
});

Deno.test("what is too old is removed with its twin, and what a crash left", async () => {
  using place = new Place();
  place.nowMs = Date.parse("2026-11-23T12:30:00Z");
  for (const hour of ["00", "05", "10"]) place.write(`${segment(hour)}.zst`);
  place.write(segment("00").replace(".ndjson", ".parquet"));
  place.write(segment("00", { host: OTHER_HOST }));
  const left = place.write(`.unfinished.9-9.${segment("05")}`);
  Deno.utimeSync(left, 0, new Date(place.nowMs - 11 * MINUTE_MS));
  const begun = place.write(`.unfinished.8-8.${segment("10")}`);
  Deno.utimeSync(begun, 0, new Date(place.nowMs - 9 * MINUTE_MS));
  const keeper = new StoreKeeper({ ...place.options, keeping: { ageMs: 10 * HOUR_MS } });
  await keeper.tend();
  await keeper.close();
  assertEquals(place.names(), [
    `.unfinished.8-8.${segment("10")}`,
    segment("00", { host: OTHER_HOST }),
    `${segment("05")}.zst`,
    `${segment("10")}.zst`,
  ]);
});

Deno.test("a segment that is compressed already, and a twin of none, are no part of a store", async () => {
  using place = new Place();
  const twinOf = (name: string) => name.replace(".ndjson", ".parquet");
  const toldOf = (name: string) => name.replace(".ndjson", ".told");
  const other = segment("00", { host: OTHER_HOST });
  for (const name of [segment("00"), other]) {
    place.write(name, "one\n");
    place.write(`${name}.zst`);
  }
  for (const made of [twinOf, toldOf]) {
    place.write(made(segment("00")));
    for (const name of [segment("00", { tracer: "2-2" }), segment("01"), other]) {
      place.write(made(name));
    }
  }
  place.write(segment("01"));
  place.write("notes.parquet");
  const keeper = new StoreKeeper(place.options);
  await keeper.tend();
  await keeper.close();
  assertEquals(
    place.names(),
    [
      ...[`${segment("00")}.zst`, segment("01"), other, `${other}.zst`, "notes.parquet"],
      ...[segment("00"), segment("01"), other].flatMap((name) => [twinOf(name), toldOf(name)]),
    ].sort(),
  );
  assertEquals(place.said, []);
});

Deno.test("--keep-size that the hour being written exceeds alone is told once", async () => {
  using place = new Place();
  place.write(segment("00"), "x".repeat(500));
  place.write(segment("01"), "x".repeat(500));
  const keeper = new StoreKeeper({ ...place.options, keeping: { bytes: 100 } });
  await keeper.tend();
  await keeper.tend();
  await keeper.close();
  assertEquals(place.names(), [segment("01")]);
  assertEquals(place.said.length, 1);
});

Deno.test("a store is listed by hour, the whole file of two, within the time asked for", () => {
  using place = new Place();
  const [sealed, plain] = [`${segment("00")}.zst`, segment("00")];
  place.write(plain);
  place.write(sealed);
  place.write(segment("03", { tracer: "2-2" }));
  place.write(segment("03"));
  place.write(segment("02", { host: OTHER_HOST }));
  place.write("x.pcap");
  const names = (paths: string[]) => paths.map((path) => path.slice(place.folder.length + 1));
  const pathsOf = (range: HourRange) => storeSegments(place.folder, range).map(({ path }) => path);
  const at = (time: string) => ({ seconds: Date.parse(`2026-11-23T${time}Z`) / 1_000 });
  assertEquals(names(listSegments(place.folder).map(({ path }) => path)), [
    sealed,
    segment("02", { host: OTHER_HOST }),
    segment("03", { tracer: "2-2" }),
    segment("03"),
  ]);
  assertEquals(names(pathsOf({ since: at("03:10:00") })), [
    segment("03", { tracer: "2-2" }),
    segment("03"),
  ]);
  // What began at 01:50 and timed out was written in the hour after.
  assertEquals(names(pathsOf({ until: at("01:50:00") })), [
    sealed,
    segment("02", { host: OTHER_HOST }),
  ]);
  assertThrows(() => storeSegments(place.folder, { since: at("04:00:00") }), InputError, "no hour");
  assertThrows(
    () => storeSegments(`${place.folder}/.`, { until: { seconds: 0 } }),
    InputError,
    "no hour",
  );
});

/** A record as a trace writes it, of a capture that every reader of captures knows. */
async function recordedLine(folder: string): Promise<string> {
  const capture = `${folder}/capture.pcap`;
  Deno.writeFileSync(capture, buildRefused({ count: 1, firstPort: 5_000, secondsApart: 1 }));
  const { records } = await runRead([capture]);
  Deno.removeSync(capture);
  return JSON.stringify({ ...records[0], tracer: "4711-1", host_id: HOST });
}

Deno.test("a segment that ends at any byte has all lines before it", () => {
  const lines = makeRecords(200, 11).flatMap(({ lines }) => [...lines.values()]);
  const bytes = new TextEncoder().encode(lines.join(""));
  for (const cut of fc.sample(fc.nat(bytes.length), { numRuns: 200, seed: 3 })) {
    const reader = new RecordReader(() => {});
    const kept = bytes.subarray(0, cut);
    reader.feed(kept);
    reader.end();
    const whole = countLines(kept);
    const isTorn = cut > 0 && kept[cut - 1] !== "\n".charCodeAt(0);
    // The last byte of a line is its newline: without that alone it is whole all the same.
    const isWholeAnyway = isTorn && bytes[cut] === "\n".charCodeAt(0);
    assertEquals(reader.handshakes, whole + (isWholeAnyway ? 1 : 0));
    assertEquals(reader.refusedCount, isTorn && !isWholeAnyway ? 1 : 0);
  }
});

Deno.test("read takes a store, counts what two tracers of a host saw once, and says what is torn", async (t) => {
  using place = new Place();
  const line = await recordedLine(place.folder);
  const other = line.replace('"tracer":"4711-1"', '"tracer":"9-9"');
  await seal(place.write(segment("00"), `${line}\n`), "1-1");
  place.write(segment("00", { tracer: "9-9" }), `${other}\n${line.slice(0, 100)}`);

  await t.step("as records", async () => {
    const { status, records, summary } = await runRead([place.folder]);
    assertEquals([status, records.length], [1, 2]);
    assertEquals(summary.losses.unread_lines, 1);
  });
  await t.step("as statistics", async () => {
    const { status, summary, said } = await runRead([place.folder, "--stats", "--json"]);
    assertEquals([status, summary.handshakes], [1, 1], said);
    assertMatch(said, /Cannot read all of ".*9-9.ndjson": 1 of its lines is no record/);
  });
  await t.step("and names a folder that is none", async () => {
    using empty = new Place();
    const { status, said } = await runRead([empty.folder]);
    assertEquals(status, 1);
    assertMatch(said, /Cannot read ".*": it is a folder without segments/);
  });
  await t.step("a segment that was sealed after the folder was listed", async () => {
    const { status, records } = await runRead([`${place.folder}/${segment("00")}`]);
    assert(!place.names().includes(segment("00")));
    assertEquals([status, records.length], [0, 1]);
  });
});
