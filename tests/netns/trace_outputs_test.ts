// Where a trace writes to, while others do something to it: FIFOs, pipes, files that move.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { statisticsSchema } from "../../src/output/statistics/schema.ts";
import { statusSchema } from "../../src/output/status_schema.ts";
import { readCapture } from "../unit/pcap/read_capture.ts";
import { schemaErrors } from "../unit/record/schema_checker.ts";
import { Folder } from "../folder.ts";
import { Namespace, namespaceTest, until } from "./namespace.ts";
import { type SummaryRecord, Tracer } from "./tracer.ts";

const PORT = 24_001;
const TRACE = ["--port", `${PORT}`, "--probes", "none"];
const folder = new Folder();
globalThis.addEventListener("unload", () => folder[Symbol.dispose]());

/** Events of whole lines. */
function eventsOf(text: string): { event: string; losses: SummaryRecord["losses"] }[] {
  assert(text === "" || text.endsWith("\n"), "The last line is torn");
  return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

function handshakesIn(text: string): number {
  return eventsOf(text).filter(({ event }) => event === "handshake").length;
}

function lostOf(stderr: readonly string[]): number {
  const line = stderr.find((each) => each.endsWith("records that could not be written"));
  return line === undefined ? 0 : Number(/^lost: (\d+) /.exec(line)![1]);
}

await namespaceTest("trace --output FIFO goes on without a reader, and ends", async () => {
  await using namespace = await Namespace.create();
  const fifo = folder.fifo("nobody");
  const tracer = await Tracer.start(namespace, [...TRACE, "--output", fifo]);
  await tracer.said(/nobody" has no reader: waiting for one/);
  await namespace.refuse(PORT, 50);
  const { stderr, status } = await tracer.stop();
  assertEquals([status.code, lostOf(stderr)], [1, 50]);
});

await namespaceTest("trace --output FIFO ends though its reader stalls, and counts", async () => {
  await using namespace = await Namespace.create();
  const fifo = folder.fifo("stalled");
  const tracer = await Tracer.start(namespace, [...TRACE, "--output", fifo]);
  using reader = await Deno.open(fifo);
  await namespace.refuse(PORT, 1_000);
  const { stderr, status } = await tracer.stop();
  assertEquals(status.code, 1);
  let text = "";
  const part = new Uint8Array(65_536);
  for (let count = await reader.read(part); count !== null; count = await reader.read(part)) {
    text += new TextDecoder().decode(part.subarray(0, count));
  }
  assert(lostOf(stderr) > 0);
  assertEquals(handshakesIn(text) + lostOf(stderr), 1_000);
});

await namespaceTest("trace into one stalled pipe for all it says ends at one signal", async () => {
  await using namespace = await Namespace.create();
  const script = `exec 3>&2 2>&1; exec "$@"`;
  const tool = [
    Deno.execPath(),
    "run",
    "--quiet",
    "-A",
    new URL("../../src/main.ts", import.meta.url).pathname,
  ];
  const child = namespace.spawn(["bash", "-c", script, "bash", ...tool, "trace", ...TRACE], {
    stdout: "piped",
    stderr: "null",
  });
  const reader = child.stdout.getReader();
  let begun = "";
  while (!begun.includes("capturing packets")) {
    begun += new TextDecoder().decode((await reader.read()).value);
  }
  await namespace.refuse(PORT, 1_000);
  child.kill("SIGINT");
  const { code } = await child.status;
  assertEquals(code, 1);
  await reader.cancel();
});

await namespaceTest(
  "trace begins files anew that were renamed, before anything comes",
  async () => {
    await using namespace = await Namespace.create();
    const [lines, packets] = [`${folder.path}/moved.ndjson`, `${folder.path}/moved.pcapng`];
    const flags = [...TRACE, "--output", lines, "--write", packets];
    const tracer = await Tracer.start(namespace, flags);
    await namespace.refuse(PORT, 10);
    await until("ten records", () => handshakesIn(Deno.readTextFileSync(lines)) === 10);
    for (const path of [lines, packets]) Deno.renameSync(path, `${path}.1`);
    await tracer.said(/moved.ndjson" was renamed or replaced: it is begun anew/);
    await tracer.said(/moved.pcapng" was renamed or replaced: it is begun anew/);
    await namespace.refuse(PORT, 5);
    const { status, stderr } = await tracer.stop();
    assertEquals([status.code, lostOf(stderr)], [0, 0]);
    assertEquals([`${lines}.1`, lines].map((path) => handshakesIn(Deno.readTextFileSync(path))), [
      10,
      5,
    ]);
    const files = [`${packets}.1`, packets].map((path) => readCapture(Deno.readFileSync(path)));
    assertEquals(files.map(({ packets: read, fault }) => [read.length, fault]), [
      [20, undefined],
      [10, undefined],
    ]);
  },
);

await namespaceTest("trace loses no record of a file that is removed or emptied", async () => {
  await using namespace = await Namespace.create();
  const path = `${folder.path}/removed.ndjson`;
  const tracer = await Tracer.start(namespace, [...TRACE, "--output", path]);
  await namespace.refuse(PORT, 1);
  await until("a record", () => Deno.readTextFileSync(path) !== "");
  Deno.removeSync(path);
  await namespace.refuse(PORT, 500);
  await tracer.said(/removed.ndjson" was removed: it is begun anew/);
  await until("500 records", () => handshakesIn(Deno.readTextFileSync(path)) >= 500);
  // copytruncate: a copy, then the file is emptied.
  const copy = Deno.readTextFileSync(path);
  Deno.truncateSync(path);
  await namespace.refuse(PORT, 100);
  const { status, stderr } = await tracer.stop();
  const after = Deno.readTextFileSync(path);
  assertEquals([status.code, lostOf(stderr)], [0, 0]);
  // The first one was perhaps seen in the file that was removed.
  const total = handshakesIn(copy) + handshakesIn(after);
  assert(total === 600 || total === 601, `${total} records`);
  assertEquals(eventsOf(after).at(-1)!.event, "summary");
});

await namespaceTest("trace writes to each reader of a FIFO of packets a whole file", async () => {
  await using namespace = await Namespace.create();
  const fifo = folder.fifo("packets");
  const tracer = await Tracer.start(namespace, [...TRACE, "--write", fifo]);
  const said = (words: string) => tracer.stderr.filter((line) => line.includes(words)).length;
  for (const turn of [1, 2, 3]) {
    // Its reader takes the start of the file and goes; what follows is left in the FIFO.
    const head = new Deno.Command("head", { args: ["-c", "200", fifo], stdout: "piped" }).spawn();
    await until("a reader", () => said("has a reader") === turn);
    await namespace.refuse(PORT, 5);
    const { stdout } = await head.output();
    assertEquals([...stdout.subarray(0, 4)], [0x0a, 0x0d, 0x0d, 0x0a], `reader ${turn}`);
    assertEquals(stdout.length, 200);
    await until("a lost reader", () => said("has lost its reader") === turn);
  }
  using reader = await Deno.open(fifo);
  await until("the last reader", () => said("has a reader") === 4);
  await namespace.refuse(PORT, 3);
  await tracer.wrote(18);
  const { summary, records } = await tracer.stop();
  const parts: Uint8Array[] = [];
  const part = new Uint8Array(65_536);
  for (let count = await reader.read(part); count !== null; count = await reader.read(part)) {
    parts.push(part.slice(0, count));
  }
  const { packets, fault } = readCapture(Uint8Array.from(parts.flatMap((each) => [...each])));
  assertEquals([fault, packets.length >= 6], [undefined, true]);
  const lost = summary!.losses.written_packets!;
  assert(lost > 0 && lost <= 2 * records.length - packets.length, `${lost} packets`);
  assertEquals([said("has a reader"), said("has lost its reader")], [4, 3]);
});

await namespaceTest("trace writes to each reader of a FIFO of records whole lines", async () => {
  await using namespace = await Namespace.create();
  const fifo = folder.fifo("lines");
  const tracer = await Tracer.start(namespace, [...TRACE, "--output", fifo]);
  const said = (words: string) => tracer.stderr.filter((line) => line.includes(words)).length;
  const ports = new Set<number>();
  const take = (text: string) => {
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    for (
      const { event, client } of whole.split("\n").slice(0, -1).map((line) => JSON.parse(line))
    ) {
      if (event === "handshake") ports.add(client.port);
    }
  };
  for (const turn of [1, 2, 3]) {
    // It goes in the midst of a line, and leaves some.
    const head = new Deno.Command("head", { args: ["-c", "2000", fifo], stdout: "piped" }).spawn();
    await until("a reader", () => said("has a reader") === turn);
    await namespace.refuse(PORT, 10);
    take(new TextDecoder().decode((await head.output()).stdout));
    await until("a lost reader", () => said("has lost its reader") === turn);
  }
  const reader = new Deno.Command("cat", { args: [fifo], stdout: "piped" }).spawn();
  await until("the last reader", () => said("has a reader") === 4);
  const { stderr, status } = await tracer.stop();
  take(new TextDecoder().decode((await reader.output()).stdout));
  assertEquals([ports.size, lostOf(stderr), status.code], [30, 0, 0]);
});

/** Runs a command at a terminal of its own; what it says on standard error goes beside that. */
const AT_TERMINAL = [
  "bash",
  "-c",
  `exec 7>&2; exec script -qfec "$(printf '%q ' "$@") 2>&7" /dev/null`,
  "bash",
];

await namespaceTest(
  "trace --output FILE at a terminal writes the file and shows the lines",
  async () => {
    for (const wants of ["lines", "json", "itself"]) {
      await using namespace = await Namespace.create();
      const file = wants === "itself" ? "/dev/stdout" : `${folder.path}/shown_${wants}.ndjson`;
      const args = [...TRACE, "--colour", "never", "--count", "3", "--output", file];
      if (wants === "json") args.push("--json");
      const tracer = await Tracer.start(namespace, args, {}, AT_TERMINAL);
      await namespace.refuse(PORT, 3);
      const { code } = await tracer.exited();
      assertEquals(code, 0, tracer.stderr.join("\n"));
      const shown = tracer.lines.map((line) => line.trimEnd());
      if (wants === "lines") {
        assertEquals(shown.length, 4);
        assertMatch(shown[0], /^TIME /);
        for (const line of shown.slice(1)) assertMatch(line, / refused .*:24001 /);
      } else {
        // Once: a terminal that the file is has the records already.
        assertEquals(eventsOf(shown.join("\n") + "\n").length, 4);
      }
      if (wants !== "itself") {
        const events = eventsOf(await Deno.readTextFile(file));
        assertEquals(events.map(({ event }) => event).filter((event) => event !== "status"), [
          ...Array(3).fill("handshake"),
          "summary",
        ]);
        assertEquals(events.at(-1)!.losses.output_records, 0);
      }
    }
  },
);

await namespaceTest("trace --output FILE in a pipe shows no lines", async () => {
  await using namespace = await Namespace.create();
  const file = `${folder.path}/unseen.ndjson`;
  const tracer = await Tracer.start(namespace, [...TRACE, "--count", "1", "--output", file]);
  await namespace.refuse(PORT, 1);
  const { status } = await tracer.ended();
  assertEquals([status.code, tracer.lines], [0, []]);
  assertEquals(handshakesIn(await Deno.readTextFile(file)), 1);
});

interface StatusLine {
  event: string;
  host_id?: string;
  tracer: string;
  version: string;
  filters: string[];
  sources: { wire: { netns: number; interface?: string; up: boolean }[]; kernel: string };
  handshakes: number;
  written: number;
  losses: SummaryRecord["losses"];
}

const STATUS_SCHEMA = statusSchema();

function statusLinesIn(text: string): StatusLine[] {
  const lines = text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  const status = lines.filter(({ event }) => event === "status");
  for (const line of status) assertEquals(schemaErrors(STATUS_SCHEMA, line), []);
  return status;
}

await namespaceTest(
  "trace writes status lines into a file: what it can see and what it lost",
  async () => {
    await using namespace = await Namespace.create();
    await namespace.ip("link", "add", "va", "type", "veth", "peer", "name", "vb");
    for (const name of ["va", "vb"]) await namespace.ip("link", "set", name, "up");
    const file = `${folder.path}/status.ndjson`;
    const args = [...TRACE, "--interface", "lo,va", "--status-interval", "1s", "--output", file];
    const tracer = await Tracer.start(namespace, args);
    const read = async () => await Deno.readTextFile(file);
    const status = async () => statusLinesIn(await read());
    await namespace.refuse(PORT, 5);
    await until("a status line tells of 5", async () => (await status()).at(-1)?.handshakes === 5);
    const first = (await status()).at(-1)!;
    const { netns } = first.sources.wire[0];
    assertEquals(first.sources, {
      wire: [{ netns, interface: "lo", up: true }, { netns, interface: "va", up: true }],
      kernel: "none",
    });
    assertEquals([first.written, first.losses.ring_packets, first.losses.interface_gaps], [
      5,
      0,
      0,
    ]);
    assertEquals(first.filters, [`--port ${PORT}`, "--interface lo,va"]);
    assertMatch(first.tracer, new RegExp(`^${tracer.pid}-\\d{13}$`));
    await namespace.ip("link", "set", "va", "down");
    await until("a status line tells that it is down", async () => {
      const { sources, losses } = (await status()).at(-1)!;
      return sources.wire[1].up === false && losses.interface_gaps === 1;
    });
    await tracer.stop();
    const events = eventsOf(await read()).map(({ event }) => event);
    assertEquals(events.slice(-2), ["status", "summary"]);
    const records = (await read()).split("\n").slice(0, -1).map((line) => JSON.parse(line));
    const identities = new Set(records.map(({ host_id, tracer }) => `${host_id} ${tracer}`));
    assertEquals(identities.size, 1);
  },
);

await namespaceTest("trace tells in its status lines what hooks the kernel", async () => {
  await using namespace = await Namespace.create();
  const tracer = await Tracer.ready(namespace, ["--port", `${PORT}`, "--status-interval", "1s"]);
  await until("a status line", () => tracer.lines.some((line) => line.includes('"status"')));
  await tracer.stop();
  // The first may have been written before anything was attached.
  const { sources } = statusLinesIn(tracer.lines.join("\n") + "\n").at(-1)!;
  assert(["fentry", "kprobe", "tracepoint"].includes(sources.kernel), sources.kernel);
  assertEquals(sources.wire.map(({ interface: name, up }) => [name, up]), [[undefined, true]]);
});

await namespaceTest("trace writes no status lines where none are wanted", async () => {
  await using namespace = await Namespace.create();
  const tracer = await Tracer.start(namespace, [...TRACE, "--status-interval", "off"]);
  await namespace.refuse(PORT, 1);
  await tracer.wrote(1);
  await tracer.stop();
  assertEquals(eventsOf(tracer.lines.join("\n") + "\n").map(({ event }) => event), [
    "handshake",
    "summary",
  ]);
});

await namespaceTest("trace --stats --interval writes statistics of each interval", async () => {
  for (const isTerminal of [false, true]) {
    await using namespace = await Namespace.create();
    const args = [...TRACE, "--count", "7", "--stats", "--interval", "1s"];
    const tracer = await Tracer.start(namespace, args, {}, isTerminal ? AT_TERMINAL : []);
    await namespace.refuse(PORT, 3);
    const told = (line: string) =>
      isTerminal ? / 3 +\d/.test(line) : line.includes(':3,"filtered"');
    await until("the first three are told", () => tracer.lines.some(told));
    await namespace.refuse(PORT, 4);
    await tracer.exited();
    if (isTerminal) {
      assertMatch(tracer.lines.slice(0, 2).join("\n"), /^ +CLIENT RTT +SERVER RTT\s+TIME /);
      assert(tracer.lines.some((line) => line.startsWith("7 handshakes in ")));
      continue;
    }
    const lines = tracer.lines.map((line) => JSON.parse(line));
    assertEquals(lines.map((line) => schemaErrors(statisticsSchema(), line)).flat(), []);
    const sum = lines.reduce((all, { handshakes }) => all + handshakes, 0);
    assertEquals([sum, lines.length > 1], [7, true]);
  }
});
