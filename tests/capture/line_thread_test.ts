/**
 * `read` with a second thread that makes the lines, held against `read` with one processor.
 *
 * @module
 */
// Covers src/output/line_worker.ts
// Covers src/output/made_lines.ts
import { assert, assertEquals, assertMatch } from "@std/assert";
import { makeDisk, NO_MOUNTS } from "../netns/disk.ts";
import { findExecutable } from "../../src/linux/host.ts";
import { TRAFFIC, writeCapture } from "../bench/read_speed.ts";

const SOURCE = new URL("../..", import.meta.url).pathname;
const ONE_PROCESSOR = ["taskset", "-c", firstProcessor()];
/** Handshakes of some four times as many as one thread makes alone. */
const CAPTURE_BYTES = 90_000_000;

/** The first that this process may run on (`Cpus_allowed_list` of proc_pid_status(5)). */
function firstProcessor(): string {
  const status = Deno.readTextFileSync("/proc/self/status");
  return /^Cpus_allowed_list:\s*(\d+)/m.exec(status)![1];
}

const whyNot = navigator.hardwareConcurrency < 2
  ? "there is one processor"
  : findExecutable("taskset") === undefined
  ? "there is no taskset"
  : undefined;

function test(name: string, body: (folder: string, capture: string) => Promise<void>): void {
  Deno.test({
    name: whyNot === undefined ? name : `${name} (skipped: ${whyNot})`,
    ignore: whyNot !== undefined,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      try {
        writeCapture(`${folder}/short.pcap`, TRAFFIC[2], CAPTURE_BYTES);
        await body(folder, `${folder}/short.pcap`);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

interface Run {
  status: number;
  text: string;
  said: string;
}

/** Runs `read` of a version of the tool. */
async function read(
  args: readonly string[],
  { before = [], source = SOURCE }: { before?: readonly string[]; source?: string } = {},
): Promise<Run> {
  const command = [
    ...before,
    ...[Deno.execPath(), "run", "-A", "--quiet", `${source}/src/main.ts`, "read", ...args],
  ];
  const { code, stdout, stderr } = await new Deno.Command(command[0], {
    args: command.slice(1),
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { status: code, text: decoder.decode(stdout), said: decoder.decode(stderr) };
}

/** A copy of the tool in which other text stands for what its thread does. */
async function copyWith(folder: string, lines: string): Promise<string> {
  const source = `${folder}/other`;
  const { success } = await new Deno.Command("cp", {
    args: ["-r", "--parents", "src", "bpf", "deno.json", "deno.lock", folder],
    cwd: SOURCE,
  }).output();
  assert(success);
  await Deno.mkdir(source);
  for (const name of ["src", "bpf", "deno.json", "deno.lock"]) {
    await Deno.rename(`${folder}/${name}`, `${source}/${name}`);
  }
  const path = `${source}/src/output/made_lines.ts`;
  await Deno.rename(path, path.replace(".ts", "_whole.ts"));
  await Deno.writeTextFile(path, lines);
  return source;
}

test("read writes the same bytes by two threads as by one", async (folder, capture) => {
  const flags: string[][] = [
    [],
    ["--fields", "time,client,rtt.total_ns"],
    ["--count", "40000"],
    ["--failed"],
    ["--anonymize", "--anonymize-key", `${folder}/key`],
  ];
  await Deno.writeTextFile(`${folder}/key`, `${"0123456789abcdef".repeat(4)}\n`, { mode: 0o600 });
  for (const each of flags) {
    const one = await read([...each, capture], { before: ONE_PROCESSOR });
    const two = await read([...each, capture]);
    assertEquals([two.status, two.said], [one.status, one.said], each.join(" "));
    assert(two.text === one.text, each.join(" "));
  }
});

test("read writes the same file by two threads as by one", async (folder, capture) => {
  const [one, two] = [`${folder}/one.ndjson`, `${folder}/two.ndjson`];
  await read(["--output", one, capture, capture], { before: ONE_PROCESSOR });
  await read(["--output", two, capture, capture]);
  const text = await Deno.readTextFile(one);
  assert(text.split("\n").length > 60_000);
  assert(await Deno.readTextFile(two) === text);
});

test("read does the work of a thread that dies, and says so", async (folder, capture) => {
  const one = await read([capture], { before: ONE_PROCESSOR });
  const source = await copyWith(
    folder,
    `import { makeLines as make } from "./made_lines_whole.ts";
     export function makeLines(settings) {
       const lines = make(settings);
       let batches = 0;
       return (request) => {
         if (batches++ === 20) throw new Error("it was to die");
         return lines(request);
       };
     }`,
  );
  const two = await read([capture], { source });
  assertEquals(two.status, 0);
  assert(two.text === one.text);
  assertEquals(
    two.said,
    "synsnoop: the second thread has ended (it was to die); the first does its work\n" + one.said,
  );
});

test("read goes on alone where no thread can begin, and says so", async (folder, capture) => {
  const one = await read([capture], { before: ONE_PROCESSOR });
  const two = await read([capture], {
    source: await copyWith(folder, `throw new Error("it does not begin");`),
  });
  assert(two.text === one.text);
  assertEquals(
    two.said,
    "synsnoop: the second thread has ended (it does not begin); the first does its work\n" +
      one.said,
  );
});

for (const lines of [1, 50_000]) {
  test(
    `read with two threads ends without a word when its reader has seen ${lines} lines`,
    async (_, capture) => {
      const command = `"$0" run -A --quiet "$1" read "$2" | head -n ${lines} | wc -l`;
      const { stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", command, Deno.execPath(), `${SOURCE}/src/main.ts`, capture],
        stdin: "null",
      }).output();
      const decoder = new TextDecoder();
      assertEquals(decoder.decode(stdout).trim(), `${lines}`);
      assert(!decoder.decode(stderr).includes("rror"), decoder.decode(stderr));
    },
  );
}

/** A running `read`, whose lines are taken as they are asked for. */
class RunningRead {
  readonly child: Deno.ChildProcess;
  text = "";
  lines = 0;
  readonly #chunks: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();

  constructor(args: readonly string[]) {
    this.child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", `${SOURCE}/src/main.ts`, "read", ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#chunks = this.child.stdout.getReader();
  }

  /** Takes what comes until there are so many lines. */
  async takeLines(count: number): Promise<void> {
    while (this.lines < count) {
      const { value } = await this.#chunks.read();
      if (value === undefined) break;
      for (const byte of value) if (byte === "\n".charCodeAt(0)) this.lines++;
      this.text += this.#decoder.decode(value, { stream: true });
    }
  }

  async end(): Promise<{ status: number; said: string }> {
    await this.takeLines(Infinity);
    const said = await new Response(this.child.stderr).text();
    return { status: (await this.child.status).code, said };
  }
}

/** Lines that are read when the second thread has surely begun. */
const WITH_THREAD = 30_000;

test("read with two threads ends at a whole line when it is interrupted", async (_, capture) => {
  const run = new RunningRead([capture]);
  await run.takeLines(WITH_THREAD);
  run.child.kill("SIGINT");
  const { status, said } = await run.end();
  assertEquals(status, 0, said);
  assert(run.text.endsWith("\n"));
  const lines = run.text.trimEnd().split("\n");
  const summary = JSON.parse(lines.pop()!);
  assertEquals([summary.event, summary.handshakes], ["summary", lines.length]);
  // None is torn, or missing in the middle.
  const whole = await read([capture], { before: ONE_PROCESSOR });
  assert(whole.text.startsWith(lines.slice(0, WITH_THREAD).join("\n")));
  for (const line of lines.slice(WITH_THREAD)) JSON.parse(line);
});

test(
  "read with two threads counts what a full disk does not take, and tears no line",
  async (_, capture) => {
    const full = await read(["--output", "/dev/full", capture]);
    assertEquals(full.status, 1);
    assertMatch(full.said, /Cannot write "\/dev\/full": .*No space left/);
    if (NO_MOUNTS !== undefined) return;
    using disk = makeDisk("size=20m");
    const { status, said } = await read(["--output", `${disk.path}/records`, capture]);
    assertEquals(status, 1);
    const lost = /^lost: (\d+) records that could not be written$/m.exec(said);
    const text = await Deno.readTextFile(`${disk.path}/records`);
    const lines = text.trimEnd().split("\n").filter((line) => line.includes('"event":"handshake"'));
    for (const line of lines) JSON.parse(line);
    const handshakes = Number(/^(\d+) handshakes/m.exec(said)![1]);
    assertEquals(lines.length + Number(lost?.[1]), handshakes, said);
    assert(lines.length > WITH_THREAD / 2, `${lines.length}`);
  },
);

for (const pace of ["fast", "slow"] as const) {
  test(
    `read with two threads takes a live capture from a ${pace} pipe`,
    async (folder, capture) => {
      const fifo = `${folder}/fifo`;
      await new Deno.Command("mkfifo", { args: [fifo] }).output();
      const bytes = await Deno.readFile(capture);
      const run = new RunningRead([fifo]);
      const writer = await Deno.open(fifo, { write: true });
      const write = async (from: number, to: number) => {
        for (let at = from; at < to;) at += await writer.write(bytes.subarray(at, to));
      };
      const reached = Promise.withResolvers<void>();
      const feeding = (async () => {
        const cut = Math.floor(bytes.length * 0.7);
        await write(0, cut);
        // What a slow producer has given is written though nothing follows.
        if (pace === "slow") await reached.promise;
        await write(cut, bytes.length);
        writer.close();
      })();
      await run.takeLines(WITH_THREAD);
      reached.resolve();
      const ended = run.end();
      await feeding;
      const { status, said } = await ended;
      const one = await read([capture], { before: ONE_PROCESSOR });
      assertEquals([status, said], [one.status, one.said]);
      assert(run.text === one.text);
    },
  );
}
