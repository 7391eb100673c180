/**
 * Records that are read with a second thread that decodes, held against one processor.
 *
 * @module
 */
// Covers src/pipeline/decoding_worker.ts
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { findExecutable } from "../../src/linux/host.ts";
import { DecodingThread } from "../../src/pipeline/decoding_thread.ts";
import { encodeHandshake } from "../../src/record/ndjson.ts";
import { type AheadDecoder, RecordReader } from "../../src/record/record_reader.ts";
import { seal } from "../../src/store/seal.ts";
import { makeSegments } from "../bench/made_store.ts";
import { anyHandshake } from "../unit/record/arbitrary_handshake.ts";
import { CONTEXT, HANDSHAKES } from "../unit/record/sample_handshakes.ts";

const SOURCE = new URL("../..", import.meta.url).pathname;
const RECORDS = 80_000;
/** Records that the tool reads alone here, in place of many more. */
const ALONE_MAX = 20_000;

/** The first processor that this process may run on (`Cpus_allowed_list` of proc_pid_status(5)). */
function firstProcessor(): string {
  const status = Deno.readTextFileSync("/proc/self/status");
  return /^Cpus_allowed_list:\s*(\d+)/m.exec(status)![1];
}

const ONE_PROCESSOR = ["taskset", "-c", firstProcessor()];
const whyNot = navigator.hardwareConcurrency < 2
  ? "there is one processor"
  : findExecutable("taskset") === undefined
  ? "there is no taskset"
  : undefined;

interface Files {
  folder: string;
  /** The segments of a store. */
  paths: readonly string[];
  /** Records among other lines, and lines that are no records. */
  torn: string;
}

function test(name: string, body: (files: Files) => Promise<void>): void {
  Deno.test({
    name: whyNot === undefined ? name : `${name} (skipped: ${whyNot})`,
    ignore: whyNot !== undefined,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      try {
        const { paths } = makeSegments(`${folder}/store`, RECORDS);
        const torn = `${folder}/torn.ndjson`;
        await writeTorn(torn, paths);
        await body({ folder, paths, torn });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

/** Puts other lines between records, also behind the point where the thread has begun. */
async function writeTorn(torn: string, paths: readonly string[]): Promise<void> {
  const lines = (await Promise.all(paths.map((path) => Deno.readTextFile(path)))).join("");
  const all = lines.split("\n");
  const [record] = all;
  const others: readonly string[] = [
    ...["no record", "", " \r", `\ufeff${record}`, record.slice(0, 300), "x".repeat(3 << 20)],
    JSON.stringify(JSON.parse(record), undefined, " "),
    ...[record.replace(",", ", "), record.replace('"v":1', '"v":9,"colour":"red"')],
    record.replace('"host":"', `"host":"${"h".repeat(2_000)}`),
    '{"v":1,"event":"status","losses":{"ring_packets":3}}',
  ];
  for (let at = 1_000; at < all.length; at += 1_777) all.splice(at, 0, others[at % others.length]);
  all.push(record.slice(0, -9));
  await Deno.writeTextFile(torn, all.join("\n"));
}

interface Run {
  status: number;
  text: string;
  said: string;
}

/** Runs the tool. @param source Its folder: a copy that soon begins a thread, or with one processor the tool. */
async function run(args: readonly string[], source?: string): Promise<Run> {
  const command = [
    ...source === undefined ? ONE_PROCESSOR : [],
    ...[Deno.execPath(), "run", "-A", "--quiet", `${source ?? SOURCE}/src/main.ts`, ...args],
  ];
  const { code, stdout, stderr } = await new Deno.Command(command[0], {
    args: command.slice(1),
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { status: code, text: decoder.decode(stdout), said: decoder.decode(stderr) };
}

/** A copy of the tool that soon begins a thread, and in which a text of what decodes is another. */
async function copyWith(folder: string, text = "", other = ""): Promise<string> {
  const source = `${folder}/other`;
  await Deno.mkdir(source);
  const { success } = await new Deno.Command("cp", {
    args: ["-r", "src", "bpf", "deno.json", "deno.lock", source],
    cwd: SOURCE,
  }).output();
  assert(success);
  const change = async (path: string, text: string | RegExp, other: string) => {
    const before = await Deno.readTextFile(`${source}/src/pipeline/${path}`);
    const after = before.replace(text, other);
    assert(after !== before || text === other);
    await Deno.writeTextFile(`${source}/src/pipeline/${path}`, after);
  };
  await change("record_source.ts", /(?<=const ALONE_MAX = )[\d_]+/, `${ALONE_MAX}`);
  await change("decode_pieces.ts", text, other);
  return source;
}

async function assertSame(
  source: string,
  args: readonly string[],
  text = (run: Run) => run.text,
): Promise<Run> {
  const one = await run(args);
  const wholeText = text(one);
  const two = await run(args, source);
  assertEquals([two.status, two.said], [one.status, one.said], args.join(" "));
  assert(text(two) === wholeText, args.join(" "));
  return one;
}

test("records are read by two threads as by one", async ({ folder, paths, torn }) => {
  const store = `${folder}/store`;
  const source = await copyWith(folder);
  for (const path of paths.slice(0, 12)) await seal(path, "1-1");
  await Deno.writeTextFile(`${folder}/key`, `${"0123456789abcdef".repeat(4)}\n`, { mode: 0o600 });
  const whole = await assertSame(source, ["read", store]);
  assertEquals(whole.status, 0, whole.said);
  assert(whole.text.split("\n").length > RECORDS);
  for (
    const flags of [
      ["--stats", "--json"],
      ["--csv", "--fields", "time,client,rtt.total_ns"],
      ["--table", "--failed", "--count", "10000"],
      ["--failed", "--interface", "eth0", "--fields", "time,network"],
      ["--anonymize", "--anonymize-key", `${folder}/key`],
    ]
  ) await assertSame(source, ["read", ...flags, store]);
  const other = await assertSame(source, ["read", torn]);
  assertEquals(other.status, 1);
  assert(/\(\d\d+ no JSON, \d+ no record, \d+ too long\); line \d+: /.test(other.said), other.said);
  await assertSame(source, ["read", "--stats", "--count", "50000", torn]);
  const page = `${folder}/page.html`;
  const report = ["report", "--force", "--output", page, store, torn];
  await assertSame(source, report, () => Deno.readTextFileSync(page));
});

test("records are read alone when the thread dies, which is said", async ({ folder, torn }) => {
  const one = await run(["read", torn]);
  const source = await copyWith(
    folder,
    "const bytes = this.copyOf(piece);",
    `const bytes = this.copyOf(piece);
     if (typeof WorkerGlobalScope === "function" && piece.number > 20) throw new Error("it was to die");`,
  );
  const two = await run(["read", torn], source);
  assertEquals(two.status, one.status);
  assert(two.text === one.text);
  assertEquals(
    two.said,
    "synsnoop: the second thread has ended (it was to die); the first does its work\n" + one.said,
  );
});

test("records are read alone where no thread can begin, which is said", async ({ folder, torn }) => {
  const one = await run(["read", torn]);
  const source = await copyWith(
    folder,
    "/** What the bell says",
    `if (typeof WorkerGlobalScope === "function") throw new Error("it does not begin");
     /** What the bell says`,
  );
  const two = await run(["read", torn], source);
  assert(two.text === one.text);
  assertEquals(
    two.said,
    "synsnoop: the second thread has ended (it does not begin); the first does its work\n" +
      one.said,
  );
});

test("reading with two threads ends at a whole line when it is interrupted", async (files) => {
  const { folder, torn } = files;
  const source = await copyWith(folder);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", `${source}/src/main.ts`, "read", torn, torn],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  let isAsked = false;
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    // The thread has begun by then.
    if (isAsked || text.length < 30e6) continue;
    isAsked = true;
    child.kill("SIGINT");
  }
  const said = await new Response(child.stderr).text();
  const { code } = await child.status;
  const lines = text.trimEnd().split("\n");
  const summary = JSON.parse(lines.pop()!);
  assertEquals([summary.event, summary.handshakes], ["summary", lines.length], said);
  assert(/interrupted after [\d.]+ of [\d.]+ MB of .*: what follows there is left out/.test(said));
  assertEquals(code, 1, said);
  const whole = await run(["read", torn]);
  assert(whole.text.startsWith(lines.slice(0, RECORDS / 2).join("\n")));
});

Deno.test("a thread decodes records that are cut anywhere, as without it", async () => {
  const path = import.meta.resolve("../../src/pipeline/decoding_worker.ts");
  const ended: string[] = [];
  const decoding = await DecodingThread.open(
    new Worker(path, { type: "module" }),
    {
      wanted: { fields: undefined, filter: undefined },
      sample: new TextEncoder().encode("no record\n"),
      isOver: () => false,
    },
    (reason) => ended.push(reason),
  );
  const pool = [...HANDSHAKES, ...fc.sample(anyHandshake(), { numRuns: 200, seed: 3 })]
    .map((handshake) => encodeHandshake(handshake, CONTEXT));
  pool.push("no record\n", "\n", '{"v":1,"event":"status"}\n', pool[0].replace(":", ": "));
  const encoder = new TextEncoder();
  const read = (bytes: Uint8Array, cuts: readonly number[], ahead?: AheadDecoder) => {
    const lines: string[] = [];
    const reader = new RecordReader(
      (handshake, context, _, version) => {
        lines.push(`${version} ${encodeHandshake(handshake, context)}`);
      },
      (event) => lines.push(event),
      undefined,
      ahead,
    );
    for (let at = 0, cut = 0; at < bytes.length; cut++) {
      const end = at + cuts[cut % cuts.length];
      reader.feed(bytes.slice(at, end));
      at = end;
    }
    reader.end();
    return [lines, reader.refused, reader.firstRefused, [...reader.unknown]];
  };
  try {
    fc.assert(fc.property(
      fc.array(fc.constantFrom(...pool), { maxLength: 400, size: "max" }),
      fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 20 }),
      (lines, cuts) => {
        const bytes = encoder.encode(lines.join(""));
        assertEquals(read(bytes, cuts, decoding), read(bytes, cuts));
      },
    ));
  } finally {
    decoding.end();
  }
  assertEquals(ended, []);
});
