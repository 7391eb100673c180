// A trace that writes to a store, while others trace beside it, kill it, or leave it no room.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { zstdDecompressSync } from "node:zlib";
import { listSegments } from "../../src/store/store_folder.ts";
import { FollowingRead } from "../capture/following_read.ts";
import { runRead } from "../capture/read_tool.ts";
import { makeDisk, NO_MOUNTS } from "./disk.ts";
import { Folder } from "../folder.ts";
import {
  Namespace,
  namespaceTest,
  reasonAgainstNamespaces,
  skippableTest,
  until,
} from "./namespace.ts";
import { Tracer } from "./tracer.ts";

const PORT = 24_011;
const TRACE = ["--port", `${PORT}`, "--probes", "none"];

function textOf(path: string): string {
  const bytes = Deno.readFileSync(path);
  return new TextDecoder().decode(path.endsWith(".zst") ? zstdDecompressSync(bytes) : bytes);
}

function eventsIn(folder: string): string[] {
  return listSegments(folder).flatMap(({ path }) =>
    textOf(path).split("\n").slice(0, -1).map((line): string => JSON.parse(line).event)
  );
}

function count(folder: string, event: string): number {
  return eventsIn(folder).filter((each) => each === event).length;
}

await namespaceTest(
  "two traces share a store; who reads it counts each handshake once",
  async () => {
    await using namespace = await Namespace.create();
    using folder = new Folder();
    const store = `${folder.path}/store`;
    const args = [...TRACE, "--store", store, "--keep", "7d", "--keep-size", "1G"];
    const tracers = [await Tracer.start(namespace, args), await Tracer.start(namespace, args)];
    await namespace.refuse(PORT, 20);
    await until("both wrote all", () => count(store, "handshake") === 40);
    for (const tracer of tracers) {
      const { status, records, stderr } = await tracer.stop();
      // What is kept goes to no pipe as well.
      assertEquals([status.code, records.length], [0, 0], stderr.join("\n"));
    }
    assertEquals(count(store, "summary"), 2);
    assertEquals(count(store, "status"), 2);
    const all = await runRead([store]);
    assertEquals([all.status, all.records.length], [0, 40]);
    const once = await runRead([store, "--stats", "--json"]);
    assertEquals([once.status, once.summary.handshakes], [0, 20]);
    assertEquals(once.summary.losses.repeated_records, 20);
  },
);

await namespaceTest(
  "a trace that is killed leaves whole lines; the next one seals its hour",
  async () => {
    await using namespace = await Namespace.create();
    using folder = new Folder();
    const store = folder.path;
    const args = [...TRACE, "--store", store];
    const killed = await Tracer.start(namespace, args);
    await namespace.refuse(PORT, 10);
    await until("it wrote all", () => count(store, "handshake") === 10);
    await killed.stop("SIGKILL");
    assertEquals(count(store, "handshake"), 10);

    // As if that had been three hours ago.
    const [{ path, hour, host, tracer }] = listSegments(store);
    const ago = new Date(Date.parse(`${hour}:00:00Z`) - 3 * 3_600_000).toISOString().slice(0, 13);
    const before = textOf(path);
    Deno.renameSync(path, `${store}/${ago}.${host}.${tracer}.ndjson`);
    const next = await Tracer.start(namespace, args);
    await until("it is sealed", () => listSegments(store)[0].isSealed);
    await namespace.refuse(PORT, 1);
    await until("it wrote one more", () => count(store, "handshake") === 11);
    const { status, stderr } = await next.stop();
    assertEquals(status.code, 0, stderr.join("\n"));
    assertEquals(textOf(listSegments(store)[0].path), before);
    assertEquals([...Deno.readDirSync(store)].length, 2);
  },
);

/** Has the tool take its hours from a clock that is ahead by as many as a file says. */
function aheadBy(file: string): string[] {
  const preload = new URL("clock_ahead.ts", import.meta.url).pathname;
  const run = 'deno=$1; shift 2; exec "$deno" run --preload "$0" "$@"';
  return ["env", `HOURS_AHEAD=${file}`, "sh", "-c", run, preload];
}

await namespaceTest(
  "read --follow tells what traces store, through an hour that ends and is sealed",
  async () => {
    await using namespace = await Namespace.create();
    using folder = new Folder();
    const store = `${folder.path}/store`;
    const hours = folder.write("hours", "0");
    const start = () => Tracer.start(namespace, [...TRACE, "--store", store], {}, aheadBy(hours));
    const first = await start();
    await using following = new FollowingRead(["--follow", store]);
    await namespace.refuse(PORT, 20);
    const told = await following.next(20);

    Deno.writeTextFileSync(hours, "2");
    await namespace.refuse(PORT, 15);
    told.push(...await following.next(15));
    assertEquals(listSegments(store).map(({ isSealed }) => isSealed), [false, false]);

    // The next trace seals the hour that is over, and tells the same handshakes.
    const second = await start();
    await until("it is sealed", () => listSegments(store)[0].isSealed);
    await namespace.refuse(PORT, 10);
    told.push(...await following.next(20));
    for (const tracer of [first, second]) {
      const { status, stderr } = await tracer.stop();
      assertEquals(status.code, 0, stderr.join("\n"));
    }
    const { status, lines, said } = await following.stop();
    assertEquals([status, lines.length], [0, 1], said);
    const all = await runRead([store]);
    const records = told.map((line) => JSON.parse(line));
    assertEquals(JSON.parse(lines[0]), all.summary);
    const sorted = (records: readonly unknown[]) =>
      records.map((each) => JSON.stringify(each)).sort();
    assertEquals(sorted(records), sorted(all.records));
  },
);

const noDisk = NO_MOUNTS ?? await reasonAgainstNamespaces();
skippableTest("a full disk is told and survived by a store", noDisk, async () => {
  await using namespace = await Namespace.create();
  using disk = makeDisk("size=64k");
  const store = `${disk.path}/store`;
  const tracer = await Tracer.start(namespace, [...TRACE, "--store", store]);
  await namespace.refuse(PORT, 200);
  await tracer.said(/Cannot write ".*": .*; records are lost until there is room again/);
  const { status, stderr } = await tracer.stop();
  assertEquals(status.code, 1);
  const written = count(store, "handshake");
  assert(written > 0 && written < 200, `${written}`);
  const lost = stderr.find((line) => line.endsWith("records that could not be written"))!;
  assertEquals(Number(/^lost: (\d+) /.exec(lost)![1]), 200 - written);
});

await namespaceTest("a store that cannot be is refused in a sentence", async () => {
  await using namespace = await Namespace.create();
  using folder = new Folder();
  const file = `${folder.path}/file`;
  Deno.writeTextFileSync(file, "");
  const cases = [
    [file, /Cannot use --store ".*": it is no folder; give another folder/],
    [
      `${folder.path}/none/store`,
      /Cannot use --store ".*": the folder that it would be in is not there; give/,
    ],
  ] as const;
  for (const [store, says] of cases) {
    const main = new URL("../../src/main.ts", import.meta.url).pathname;
    const child = namespace.spawn(
      [Deno.execPath(), "run", "-A", "--quiet", main, "trace", "--store", store],
      { stdout: "null", stderr: "piped" },
    );
    const { code, stderr } = await child.output();
    assertEquals(code, 2);
    assertMatch(new TextDecoder().decode(stderr), says);
  }
});
