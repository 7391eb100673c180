/**
 * `read` with a second thread that makes the lines, held against `read` with one processor.
 *
 * @module
 */
// Covers src/output/line_worker.ts
import { assert, assertEquals, assertMatch } from "@std/assert";
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

/** A copy of the tool in which another file stands for the worker's. */
async function copyWith(folder: string, worker: string): Promise<string> {
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
  const path = `${source}/src/output/line_worker.ts`;
  await Deno.rename(path, path.replace(".ts", "_whole.ts"));
  await Deno.writeTextFile(path, worker);
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
    `import "./line_worker_whole.ts";
     const begin = self.onmessage;
     let batches = -1;
     self.onmessage = (event) => {
       begin(event);
       const take = self.onmessage;
       self.onmessage = (event) => {
         if (++batches === 20) throw new Error("it was to die");
         take(event);
       };
     };`,
  );
  const two = await read([capture], { source });
  assertEquals(two.status, 0);
  assert(two.text === one.text);
  assertMatch(two.said, /the second thread has ended \(.*it was to die\)/);
  assert(two.said.endsWith(one.said), two.said);
});

test("read goes on alone where no thread can begin, and says so", async (folder, capture) => {
  const one = await read([capture], { before: ONE_PROCESSOR });
  const two = await read([capture], {
    source: await copyWith(folder, `throw new Error("it does not begin");`),
  });
  assert(two.text === one.text);
  assertMatch(two.said, /the second thread has ended \(.*it does not begin\)/);
  assert(two.said.endsWith(one.said), two.said);
});

test(
  "read with two threads ends without a word when its reader has seen enough",
  async (_, capture) => {
    const command = `"$0" run -A --quiet "$1" read "$2" | head -n 50000 | wc -l`;
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", command, Deno.execPath(), `${SOURCE}/src/main.ts`, capture],
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    assertEquals(decoder.decode(stdout).trim(), "50000");
    assert(!decoder.decode(stderr).includes("rror"), decoder.decode(stderr));
  },
);
