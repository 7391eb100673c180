// What can be asked after a crash, and questions at a terminal.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { TextLineStream } from "@std/streams";
import fc from "fast-check";
import { ask } from "../../src/store/query/ask.ts";
import { Folder } from "../folder.ts";
import { skippableTest, until } from "../netns/namespace.ts";
import { makeRecords } from "./made_records.ts";
import { screenOf } from "./terminal_screen.ts";
import { NO_TMUX, Tmux } from "./tmux.ts";

const HOST = "5f1c7c3aa9d04c5b8e0d5c1f0a7b6e21";
const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const WRITER = new URL("segment_writer.ts", import.meta.url).pathname;
const QUIET = { memoryBytes: 512e6, onFetch: () => {}, onBegin: () => {}, onProgress: () => {} };
const NEWLINE = "\n".charCodeAt(0);

async function countRecords(inputs: readonly string[]) {
  const sql = "SELECT count(*) FROM records";
  const { rows, lines } = await ask({ ...QUIET, inputs, filter: {}, asked: { sql } });
  return { records: rows[0][0], torn: lines.refused.length };
}

Deno.test("of segments that end at any byte all lines before are asked", async () => {
  using folder = new Folder();
  const lines = makeRecords(40, 11).flatMap(({ lines }) => [...lines.values()]);
  const bytes = new TextEncoder().encode(lines.join(""));
  let [whole, torn] = [0, 0];
  const cuts = [0, 1, ...fc.sample(fc.nat(bytes.length), { numRuns: 200, seed: 3 })];
  const inputs = cuts.map((cut, at) => {
    const kept = bytes.subarray(0, cut);
    whole += kept.filter((byte) => byte === NEWLINE).length;
    const isTorn = cut > 0 && kept[cut - 1] !== NEWLINE;
    // Without its newline alone it is whole all the same.
    if (isTorn && bytes[cut] === NEWLINE) whole++;
    else if (isTorn) torn++;
    return folder.write(`${at}.ndjson`, kept);
  });
  assertEquals(await countRecords(inputs), { records: whole, torn });
  assertGreater(torn, 100);
});

Deno.test("kill -9 of who writes loses at most the line that is being written", async () => {
  using folder = new Folder();
  const store = `${folder.path}/store`;
  let [whole, torn] = [0, 0];
  for (const [at, count] of [1, 40, 700, 3_000].entries()) {
    const tracer = `${1 + at}-1`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--quiet", WRITER, store, HOST, tracer],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    let told = 0;
    const lines = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) {
      told = Number(line);
      if (told === count) child.kill("SIGKILL");
    }
    await child.status;
    const name = [...Deno.readDirSync(store)].map(({ name }) => name)
      .find((name) => name.includes(`.${tracer}.`))!;
    const bytes = Deno.readFileSync(`${store}/${name}`);
    const newlines = bytes.filter((byte) => byte === NEWLINE).length;
    assert(newlines >= told, `${newlines} lines of ${told}`);
    whole += newlines;
    if (bytes.at(-1) !== NEWLINE) torn++;
  }
  assertEquals(await countRecords([store]), { records: whole, torn });
});

skippableTest(
  "Ctrl-C at a terminal ends a question, and the shell is back",
  NO_TMUX,
  async () => {
    using folder = new Folder();
    const made = makeRecords(100, 5).flatMap(({ lines }) => [...lines.values()]);
    folder.write("records.ndjson", made.join(""));
    folder.write(
      "ask",
      `TMPDIR=${folder.path} ${Deno.execPath()} run -A --quiet ${MAIN} query ${folder.path}/records.ndjson ` +
        `--sql "SELECT sum(a.range * b.range) FROM range(1000000000) a, range(1000000000) b"\n` +
        "echo ended with $?\n",
    );
    await using terminal = await Tmux.start(80, 10);
    await terminal.run(`bash ${folder.path}/ask`);
    const left = () => [...Deno.readDirSync(folder.path)].filter(({ isDirectory }) => isDirectory);
    const inside = () =>
      left().flatMap(({ name }) => [...Deno.readDirSync(`${folder.path}/${name}`)]);
    await until("it reads the file", () => inside().length > 0);
    await terminal.type("\x03");
    await terminal.shows(/ended with 130\n(.*\n)*PROMPT>/);
    assertEquals(left(), []);
  },
);

Deno.test("on a terminal an answer stands where it was told how much is read", async () => {
  using folder = new Folder();
  const made = makeRecords(100, 5).flatMap(({ lines }) => [...lines.values()]);
  const path = folder.write("records.ndjson", made.join(""));
  for (
    const [command, heading] of [["query", /^SERVER +HANDSHAKES/], [
      "pairs",
      /^CLIENT +SERVER/,
    ]] as const
  ) {
    const words = [Deno.execPath(), "run", "-A", "--quiet", MAIN, command, path];
    if (command === "query") words.push("servers");
    const { stdout } = await new Deno.Command("script", {
      args: ["-qefc", `stty cols 200; exec ${words.join(" ")}`, "/dev/null"],
      stdin: "null",
    }).output();
    const shown = new TextDecoder().decode(stdout).replaceAll("\r\n", "\n");
    assert(shown.includes("reading 1 of 1"), shown);
    assert(screenOf(shown).some((line) => heading.test(line)), shown);
  }
});
