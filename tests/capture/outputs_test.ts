// Where `read` writes to, as a user runs it: pipes that stall, streams that are closed, odd paths.
// Covers src/files/standard_streams.ts
// Covers src/pipeline/sink.ts
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { makeDisk, NO_MOUNTS } from "../netns/disk.ts";
import { Folder } from "../folder.ts";
import { skippableTest } from "../netns/namespace.ts";
import { readCapture } from "../unit/pcap/read_capture.ts";
import { readCommand, runRead } from "./read_tool.ts";
import { buildRefused } from "./refused_capture.ts";

const HANDSHAKES = 1_000;

/** As many SYNs that were refused: half a megabyte of records. */
const CAPTURE = buildRefused({ count: HANDSHAKES, firstPort: 10_000, secondsApart: 1 });

const folder = new Folder();
globalThis.addEventListener("unload", () => folder[Symbol.dispose]());
const capture = `${folder.path}/capture.pcap`;
Deno.writeFileSync(capture, CAPTURE);

/** Runs a line of bash in which "$@" is the tool with some arguments. */
async function bash(line: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", line, "bash", ...readCommand(args)],
    stdin: "null",
  }).output();
  const [out, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { status: code, out, said };
}

/** Events of whole lines. */
function eventsOf(text: string): string[] {
  assert(text === "" || text.endsWith("\n"), "The last line is torn");
  return text.split("\n").slice(0, -1).map((line) => JSON.parse(line).event);
}

const ALL = [...Array(HANDSHAKES).fill("handshake"), "summary"];

/** Starts a program with standard output in a pipe that does not wait; reads slowly. */
const NON_BLOCKING = `
import fcntl, os, subprocess, sys, time
reader, writer = os.pipe()
fcntl.fcntl(writer, fcntl.F_SETFL, os.O_WRONLY | os.O_NONBLOCK)
if sys.argv[1] == "socket":
    import socket
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    reader, writer = ours.fileno(), theirs.fileno()
child = subprocess.Popen(sys.argv[2:], stdout=writer)
os.close(writer) if sys.argv[1] == "pipe" else theirs.close()
while chunk := os.read(reader, 20000):
    sys.stdout.buffer.write(chunk)
    time.sleep(0.005)
sys.exit(child.wait())
`;

for (const kind of ["pipe", "socket"]) {
  Deno.test(`read waits for a ${kind} on standard output that another program made non-blocking`, async () => {
    const { success, stdout, stderr } = await new Deno.Command("python3", {
      args: ["-c", NON_BLOCKING, kind, ...readCommand([capture])],
      stdin: "null",
    }).output();
    assertEquals(success, true, new TextDecoder().decode(stderr));
    assertEquals(eventsOf(new TextDecoder().decode(stdout)), ALL);
  });
}

Deno.test("read ends at a signal though nobody takes what it writes, and counts that", async () => {
  const [program, ...args] = readCommand([capture]);
  const child = new Deno.Command(program, { args, stdout: "piped", stderr: "piped" }).spawn();
  const reader = child.stdout.getReader();
  const first = await reader.read();
  child.kill("SIGINT");
  const said = await new Response(child.stderr).text();
  const { code } = await child.status;
  assertEquals(code, 1);
  let text = new TextDecoder().decode(first.value);
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += new TextDecoder().decode(part.value);
  }
  const written = eventsOf(text).length;
  const reported = Number(/^(\d+) handshakes/m.exec(said)![1]);
  const lost = Number(/^lost: (\d+) records that could not be written/m.exec(said)![1]);
  assertEquals(written + lost, reported);
});

Deno.test("read writes all records though nobody takes its words", async () => {
  // So many faults that a pipe does not hold what is said of them, and nobody reads it.
  const missing = Array.from(
    { length: 400 },
    (_, index) => `${folder.path}/${"x".repeat(200)}${index}`,
  );
  const [program, ...args] = readCommand([...missing, capture]);
  const child = new Deno.Command(program, { args, stdout: "piped", stderr: "piped" }).spawn();
  // Standard output ends with the program, which waits to be heard.
  let out = "";
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (!out.includes('"event":"summary"') || !out.endsWith("\n")) {
    out += (await reader.read()).value;
  }
  assertEquals(eventsOf(out), ALL);
  const said = await new Response(child.stderr).text();
  assertEquals([(await child.status).code, said.match(/^synsnoop: Cannot read /gm)?.length], [
    1,
    missing.length,
  ]);
  await reader.cancel();
});

Deno.test("read into | head ends without a word of it", async () => {
  const { status, out, said } = await bash('"$@" | head -1; exit ${PIPESTATUS[0]}', capture);
  assertEquals([status, eventsOf(out)], [0, ["handshake"]]);
  assert(!said.includes("Cannot"), said);
});

Deno.test("read with closed outputs writes into no other file, and says so where it can", async () => {
  const write = `${folder.path}/closed.pcapng`;
  const closed = await bash('"$@" >&-', "--write", write, capture);
  assertEquals([closed.status, closed.out], [0, ""]);
  assertMatch(
    closed.said,
    /^synsnoop: standard output is closed or \/dev\/null: records go nowhere/,
  );
  assertEquals(readCapture(Deno.readFileSync(write)).fault, undefined);
  const deaf = await bash('"$@" 2>&-', capture);
  assertEquals([deaf.status, deaf.said, eventsOf(deaf.out)], [0, "", ALL]);
  const both = await bash('"$@" >&- 2>&-', "--write", `${folder.path}/both.pcapng`, capture);
  assertEquals([both.status, both.out, both.said], [0, "", ""]);
  assertEquals(Deno.readFileSync(`${folder.path}/both.pcapng`), Deno.readFileSync(write));
  const nowhere = await bash('"$@" > /dev/null', capture);
  assert(!nowhere.said.includes("nowhere"), nowhere.said);
});

Deno.test("read --output waits for the reader of a FIFO", async () => {
  const line = 'mkfifo "$F"; "$@" & wait=$!; exec 3< "$F"; cat <&3; wait $wait';
  const fifo = `${folder.path}/fifo`;
  const { status, out, said } = await bash(`F=${fifo}; ${line}`, "--output", fifo, capture);
  assertEquals([status, eventsOf(out)], [0, ALL]);
  assertMatch(said, /^lost: nothing/m);
});

Deno.test("read writes to >(…) and /dev/stdout as to standard output", async () => {
  const inPipe = await bash('exec 3> >(cat); "$@" --output /dev/fd/3', capture);
  assertEquals([inPipe.status, eventsOf(inPipe.out)], [0, ALL]);
  const enough = await bash('exec 3> >(head -1); "$@" --output /dev/fd/3', capture);
  assertEquals([enough.status, eventsOf(enough.out)], [0, ["handshake"]]);
  const named = await bash('"$@" --output /dev/stdout', capture);
  assertEquals([named.status, eventsOf(named.out)], [0, ALL]);
  const file = `${folder.path}/redirected`;
  const inFile = await bash(`"$@" --output /dev/stdout > ${file}`, capture);
  assertEquals([inFile.status, eventsOf(Deno.readTextFileSync(file))], [0, ALL]);
});

Deno.test("read writes packets into a pipe while records go elsewhere", async () => {
  const records = `${folder.path}/apart.ndjson`;
  const pcapng = `${folder.path}/apart.pcapng`;
  const line =
    `"$@" --output ${records} --write /dev/stdout | cat > ${pcapng}; exit \${PIPESTATUS[0]}`;
  const { status } = await bash(line, capture);
  assertEquals([status, eventsOf(Deno.readTextFileSync(records))], [0, ALL]);
  const { packets, fault } = readCapture(Deno.readFileSync(pcapng));
  assertEquals([packets.length, fault], [2 * HANDSHAKES, undefined]);
});

Deno.test("read refuses outputs that are one, and inputs that it would write to", async () => {
  const one = `${folder.path}/one`;
  const rotate = ["--output", one, "--rotate-size", "64K"];
  Deno.writeFileSync(`${one}.2`, CAPTURE);
  const cases = [
    { args: ["--output", one, "--write", one, capture], says: `it is "${one}", which is in use` },
    {
      args: ["--write", "/dev/stdout", capture],
      says: 'Cannot use --write "/dev/stdout": it is "/dev/stdout", which is in use already',
    },
    { args: [...rotate, `${one}.2`], says: `Cannot rotate "${one}": "${one}.2" is in use` },
    {
      args: [...rotate, "--write", `${one}.1`, capture],
      says: `Cannot rotate "${one}": "${one}.1" is in use, which would be replaced`,
    },
  ];
  for (const { args, says } of cases) {
    const { status, said } = await runRead(args);
    assertEquals(status, 2);
    assertStringIncludes(said, says);
  }
  const copy = `${folder.path}/copy.pcap`;
  Deno.writeFileSync(copy, CAPTURE);
  const { status, said } = await bash(`"$@" >> ${copy}`, copy);
  assertEquals([status, Deno.readFileSync(copy)], [2, CAPTURE]);
  assertStringIncludes(said, `Cannot read "${copy}": standard output is that file; give another`);
});

Deno.test("read says why it cannot write to a place, with no line break of its name", async () => {
  const socket = `${folder.path}/socket`;
  using _listener = Deno.listen({ transport: "unix", path: socket });
  const cases = [
    { path: `${folder.path}/none/out`, says: "its folder is not there" },
    { path: folder.path, says: "it is a folder" },
    { path: `${capture}/out`, says: "what stands before a / in it is no folder" },
    { path: socket, says: "it is a socket, which takes connections only" },
    { path: "/".padEnd(300, "x"), says: "File name too long (os error 36)" },
  ];
  for (const { path, says } of cases) {
    for (const flag of ["output", "write"]) {
      const { status, said } = await runRead([`--${flag}`, path, capture]);
      assertEquals(
        [status, said],
        [2, `synsnoop: Cannot use --${flag} "${path}": ${says}; give another file\n`],
      );
    }
  }
  const { said } = await runRead(["--output", `${folder.path}/a\nb\u{1b}[2J/c`, capture]);
  assertEquals(said.split("\n").length, 2);
  assertStringIncludes(said, "a\\u{a}b\\u{1b}[2J/c");
});

skippableTest("read says that a file system is read-only", NO_MOUNTS, async () => {
  using disk = makeDisk("ro,size=64k");
  const { status, said } = await runRead(["--output", `${disk.path}/out`, capture]);
  assertEquals(status, 2);
  assertStringIncludes(said, `"${disk.path}/out": Read-only file system (os error 30)`);
});

Deno.test("read --output rotates its file, and counts the records that this removes", async () => {
  const path = `${folder.path}/rotated.ndjson`;
  const flags = ["--output", path, "--rotate-size", "64K", "--rotate-keep", "3"];
  const { status, said } = await runRead([...flags, capture]);
  assertEquals(status, 0);
  const texts = [`${path}.3`, `${path}.2`, `${path}.1`, path].map((name) =>
    Deno.readTextFileSync(name)
  );
  for (const text of texts) assert(text.length <= 64_000);
  const events = eventsOf(texts.join(""));
  const summary = JSON.parse(texts.at(-1)!.trimEnd().split("\n").at(-1)!);
  assertEquals(events.at(-1), "summary");
  assertEquals(events.length - 1 + summary.losses.rotated_records, HANDSHAKES);
  assert(summary.losses.rotated_records > 0);
  assertEquals(said.split("\n").slice(0, 1), [
    `synsnoop: Rotation removes the oldest records of "${path}" from now on: --rotate-keep is 3`,
  ]);
  assertStringIncludes(
    said,
    `set aside: ${summary.losses.rotated_records} records that rotation removed with old files`,
  );
  assertEquals(
    [...Deno.readDirSync(folder.path)].filter(({ name }) => name.startsWith("rotated")).length,
    4,
  );
});
