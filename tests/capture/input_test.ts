// Files that are none, or that were made to do harm: FIFOs, compressed bombs, odd names.
// Covers src/files/capture_input.ts
// Covers src/files/decompress.ts
// Covers src/cli/process/progress_line.ts
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { TcpFlag } from "../../src/wire/segment.ts";
import { taskCommand } from "../bench/task_command.ts";
import { buildPcap } from "../unit/pcap/build_capture.ts";
import { buildEthernet, buildIpv4, buildTcp, concat } from "../unit/wire/build_frame.ts";
import { Folder } from "../folder.ts";
import { readCommand, runRead, startRead } from "./read_tool.ts";
import { screenOf } from "./terminal_screen.ts";

const EXPLAIN = readCommand([]).map((word) => word === "read" ? "explain" : word);

const { SYN, ACK } = TcpFlag;
const SECONDS = 1_700_000_000;

/** A packet of a connection from a port, from its client or back. */
function packet(port: number, flags: number, sequence = 0, acknowledgment = 0) {
  const ends = ["192.0.2.1", "192.0.2.2"];
  const ports = [port, 443];
  const isBack = (flags & SYN) !== 0 && (flags & ACK) !== 0;
  const [[source, destination], [sourcePort, destinationPort]] = isBack
    ? [ends.reverse(), ports.reverse()]
    : [ends, ports];
  const payload = buildTcp({ sourcePort, destinationPort, flags, sequence, acknowledgment });
  return buildEthernet({ payload: buildIpv4({ source, destination, payload }) });
}

/**
 * SYNs from some ports, each so late that the one before is given up. What follows each is of no handshake:
 * it proves the time of a packet that comes so late.
 */
function synsFrom(...ports: number[]): Uint8Array<ArrayBuffer> {
  return buildPcap({
    records: ports.flatMap((port, index) =>
      [SYN, ACK].map((flags) => ({ seconds: SECONDS + 100 * index, data: packet(port, flags) }))
    ),
  }) as Uint8Array<ArrayBuffer>;
}

/** A whole handshake, before all SYNs. */
const ESTABLISHED = buildPcap({
  records: [packet(1, SYN, 7), packet(1, SYN | ACK, 3, 8), packet(1, ACK, 8, 4)]
    .map((data, fraction) => ({ seconds: SECONDS - 1, fraction, data })),
});

/** Reads a file and then a FIFO, and waits until the file's handshakes are written. */
async function startBehindFile(folder: Folder, fifo: string) {
  const child = startRead(["--json", folder.write("before.pcap", synsFrom(1, 2, 3)), fifo]);
  await child.stdin.close();
  const errors = new Response(child.stderr).text();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  for (const port of [1, 2]) {
    assertEquals(JSON.parse((await lines.read()).value!).client.port, port);
  }
  return { child, errors, lines };
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`read ends at ${signal} while nobody writes the FIFO that it opens`, async () => {
    using folder = new Folder();
    const { child, errors, lines } = await startBehindFile(folder, folder.fifo());
    child.kill(signal);
    assertEquals(JSON.parse((await lines.read()).value!).client.port, 3);
    assertEquals(JSON.parse((await lines.read()).value!).event, "summary");
    assertEquals((await lines.read()).done, true);
    assertEquals((await child.status).code, 0);
    assertMatch(await errors, /^3 handshakes: 3 unanswered\n/);
  });
}

Deno.test("read ends at a signal while the writer of a FIFO has nothing to say", async () => {
  using folder = new Folder();
  const fifo = folder.fifo();
  const { child, errors, lines } = await startBehindFile(folder, fifo);
  // Opened as soon as its other end is.
  using writer = await Deno.open(fifo, { write: true });
  child.kill("SIGINT");
  while (!(await lines.read()).done);
  assertEquals((await child.status).code, 0);
  assertMatch(await errors, /^3 handshakes: 3 unanswered\n/);
  await writer.stat();
});

for (
  const [name, compress] of [
    ["a plain capture", (bytes: Uint8Array) => bytes],
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
  ] as const
) {
  Deno.test(`read takes ${name} from a FIFO, bytes one by one at first`, async () => {
    using folder = new Folder();
    const fifo = folder.fifo();
    const reading = runRead(["--json", fifo]);
    using writer = await Deno.open(fifo, { write: true });
    const bytes = compress(synsFrom(1, 2, 3, 4));
    for (let at = 0; at < 6; at++) await writer.write(bytes.subarray(at, at + 1));
    for (let at = 6; at < bytes.length;) at += await writer.write(bytes.subarray(at));
    writer.close();
    const { status, records } = await reading;
    assertEquals([status, records.map(({ client }) => client.port)], [0, [1, 2, 3, 4]]);
  });
}

Deno.test("explain ends at a signal while nobody writes the FIFO that it opens", async () => {
  using folder = new Folder();
  const [program, ...args] = EXPLAIN;
  const child = new Deno.Command(program, {
    args: [...args, folder.fifo()],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // It listens to SIGUSR1 after SIGINT: then the mask of those that it catches tells that it hears both.
  // Of SIGINT alone it would tell before there is a listener.
  const SIGUSR1_BIT = 1n << 9n;
  for (;;) {
    const status = await Deno.readTextFile(`/proc/${child.pid}/status`);
    const caught = BigInt(`0x${/^SigCgt:\s*(\w+)/m.exec(status)![1]}`);
    if ((caught & SIGUSR1_BIT) !== 0n) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  assertEquals(code, 1);
  assertMatch(new TextDecoder().decode(stderr), /^synsnoop: Cannot explain a handshake: /);
});

// A pcap's header, and any number of zeros behind it: packets of no bytes.
const HEADER = buildPcap();
const BLOCK_LENGTH = 131_072;

function zstdBlock(type: number, size: number, last: boolean, ...body: number[]): Uint8Array {
  const head = size << 3 | type << 1 | (last ? 1 : 0);
  return new Uint8Array([head, head >> 8, head >> 16, ...body]);
}

/** A zstd frame with a window of so many bytes, a power of two. */
function zstdFrame(windowLog: number, blocks: readonly Uint8Array[]): Uint8Array {
  return concat(new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0, windowLog - 10 << 3]), ...blocks);
}

const ZEROS = zstdBlock(1, BLOCK_LENGTH, false, 0);
const END = zstdBlock(0, 0, true);

function bomb(windowLog: number, blocks: number): Uint8Array<ArrayBuffer> {
  const header = zstdBlock(0, HEADER.length, false, ...HEADER);
  return zstdFrame(windowLog, [header, ...new Array(blocks).fill(ZEROS), END]) as Uint8Array<
    ArrayBuffer
  >;
}

const MEGABYTE = new Uint8Array(1e6);
const BLOCKS = 4_000;
const BOMBS: { name: string; bytes: () => Uint8Array; length: number }[] = [
  { name: "16 KB of zstd", bytes: () => bomb(21, BLOCKS), length: BLOCKS * BLOCK_LENGTH },
  {
    name: "16 KB of zstd with the largest window",
    bytes: () => bomb(25, BLOCKS),
    length: BLOCKS * BLOCK_LENGTH,
  },
  {
    name: "4,000 frames of zstd",
    bytes: () =>
      concat(
        zstdFrame(21, [zstdBlock(0, HEADER.length, true, ...HEADER)]),
        ...new Array(BLOCKS).fill(zstdFrame(21, [zstdBlock(1, BLOCK_LENGTH, true, 0)])),
      ),
    length: BLOCKS * BLOCK_LENGTH,
  },
  {
    name: "400 KB of gzip",
    bytes: () => {
      const member = gzipSync(MEGABYTE, { level: 9 });
      return concat(gzipSync(HEADER), ...new Array(400).fill(member));
    },
    length: 400 * MEGABYTE.length,
  },
  {
    name: "100,000 members of gzip",
    bytes: () => concat(gzipSync(HEADER), ...new Array(100_000).fill(gzipSync(new Uint8Array(16)))),
    length: 1_600_000,
  },
];

/** Reads a file to its end; says how much it held and by how many bytes memory grew meanwhile at most. */
const MEASURE = `
  import { CaptureInput } from "${new URL("../../src/files/capture_input.ts", import.meta.url)}";
  const kilobytes = (name) =>
    Number(new RegExp(name + ":\\\\s+(\\\\d+)").exec(Deno.readTextFileSync("/proc/self/status"))[1]);
  const before = kilobytes("VmRSS");
  using input = await CaptureInput.open(Deno.args[0]);
  const into = new Uint8Array(65536);
  let length = 0;
  for (let count; (count = await input.read(into)) > 0;) length += count;
  console.log(JSON.stringify([length, (kilobytes("VmHWM") - before) * 1024]));
`;

for (const { name, bytes, length } of BOMBS) {
  Deno.test(`CaptureInput unfolds ${name} in bounded memory`, async () => {
    using folder = new Folder();
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--quiet", MEASURE, folder.write("bomb", bytes())],
    }).output();
    assertEquals(new TextDecoder().decode(stderr), "");
    const [unfolded, grown] = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals(unfolded, length + HEADER.length);
    // What is unfolded is half a gigabyte, and so would be what is held of each frame or member. Usually
    // it grows by 15 to 70 MB; on a busy machine, where garbage waits for longer, by 110.
    assertLess(grown, 200e6);
  });
}

/** Reads a file as the command does; says the most memory that it had, the runtime's own included. */
const READ = `
  import { read } from "${new URL("../../src/cli/read.ts", import.meta.url)}";
  await read(Deno.args, { write: (bytes) => Promise.resolve(bytes.length) });
  console.log(/VmHWM:\\s+(\\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))[1]);
  Deno.exit();
`;

Deno.test("read of a zstd file with a byte in each frame takes no more memory than of another", async () => {
  using folder = new Folder();
  const capture = synsFrom(...Array.from({ length: 4_000 }, (_, port) => port + 1));
  const frames = new Uint8Array(capture.length * 10);
  for (const [at, byte] of capture.entries()) {
    frames.set(zstdFrame(20, [zstdBlock(0, 1, true, byte)]), at * 10);
  }
  const peaks: number[] = [];
  for (const bytes of [zstdCompressSync(capture), frames]) {
    const flags = taskCommand("read").find((word) => word.startsWith("--v8-flags="))!;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--quiet", flags, READ, "--json", folder.write("frames.zst", bytes)],
      stderr: "null",
    }).output();
    peaks.push(Number(new TextDecoder().decode(stdout)));
  }
  const [usual, peak] = peaks;
  // It was 32 MB more.

  assertLess(peak - usual, 15_000, `${peaks} kB`);
});

Deno.test("read takes no time to speak of for frames that hold nothing", async () => {
  using folder = new Folder();
  const capture = zstdCompressSync(synsFrom(1, 2));
  const thousand = (frame: Uint8Array) => concat(...new Array(1_000).fill(frame));
  const skippable = thousand(new Uint8Array([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]));
  const empty = thousand(zstdFrame(20, [END]));
  const path = folder.write(
    "frames.zst",
    concat(...new Array(500).fill(skippable), ...new Array(50).fill(empty), capture),
  );
  const began = performance.now();
  const { status, records } = await runRead(["--json", path]);
  assertEquals([status, records.length], [0, 2]);
  // It took 21 s for the first half alone, on a machine that now takes 0.3 s for both.
  assertLess(performance.now() - began, 10_000);
});

Deno.test("read refuses a zstd window that takes much memory, and says what to do", async () => {
  using folder = new Folder();
  const { status, said } = await runRead([folder.write("large.zst", bomb(26, 1))]);
  assertEquals(status, 1);
  assertMatch(
    said,
    /: to decompress it takes a zstd window of more than 32 MB of memory; let zstd do it: zstd -dc /,
  );
  const fits = await runRead([folder.write("fits.zst", bomb(25, 1))]);
  assertMatch(fits.said, /: zeros follow: /);
});

Deno.test("read says how to give a file whose name is no UTF-8, and takes one with U+FFFD", async () => {
  using folder = new Folder();
  const command = `cd "$1"; shift; name=$(printf 'a\\377.pcap'); cp good "$name"; "$@" "$name"`;
  folder.write("good", synsFrom(1));
  for (const tool of [readCommand([]), EXPLAIN]) {
    const { code, stderr } = await new Deno.Command("sh", {
      args: ["-c", command, "sh", folder.path, ...tool],
    }).output();
    assertEquals(code, 1);
    assertMatch(
      new TextDecoder().decode(stderr),
      /^synsnoop: Cannot read "a\ufffd.pcap": its name is no UTF-8; give it on standard input, as in synsnoop read - < FILE\n/,
    );
  }
  const { status } = await runRead([folder.write("\ufffd.pcap", synsFrom(1))]);
  assertEquals(status, 0);
});

/** Runs `read -` of a FIFO on a terminal of util-linux's script(1), with lines and messages on it. */
function startOnTerminal(fifo: string, environment: Record<string, string> = {}) {
  const quoted = readCommand(["-"]).map((word) => `'${word}'`).join(" ");
  return new Deno.Command("script", {
    args: ["-qefc", `stty cols 200; exec ${quoted} <'${fifo}'`, "/dev/null"],
    stdin: "piped",
    stdout: "piped",
    env: environment,
  }).spawn();
}

Deno.test("read shows its progress on a terminal, and no line of records touches it", async () => {
  using folder = new Folder();
  const fifo = folder.fifo();
  const child = startOnTerminal(fifo);
  let shown = "";
  const ended = child.stdout.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({ write: (text) => void (shown += text) }),
  );
  {
    using writer = await Deno.open(fifo, { write: true });
    const syns = synsFrom(...Array.from({ length: 500 }, (_, index) => index + 1));
    const bytes = concat(ESTABLISHED, syns.subarray(HEADER.length));
    let at = 0;
    const feed = async (length: number) => {
      for (const end = at + length; at < end;) at += await writer.write(bytes.subarray(at, end));
    };
    const wait = () => new Promise((resolve) => setTimeout(resolve, 10));
    await feed(HEADER.length);
    // So late that with the next bytes it shows how far it is; before them there is nothing to see.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await feed(ESTABLISHED.length - HEADER.length);
    // It is written when nothing more has come for a while.
    while (!shown.includes("TIME (UTC)")) await wait();
    // And again, byte by byte, behind lines that are written.
    for (const from = shown.length; !/packets\/s/.test(shown.slice(from)); await wait()) {
      await feed(1);
      assert(at < bytes.length, JSON.stringify(shown));
    }
    await feed(bytes.length - at);
  }
  await ended;
  assertEquals((await child.status).code, 0);
  await child.stdin.close();
  const screen = screenOf(shown.replaceAll("\r\n", "\n"));
  assertMatch(screen[0], /^TIME \(UTC\) .* PROCESS$/);
  assertEquals(screen.filter((line) => line.includes("packets/s")), []);
  assertMatch(screen[1], /^22:13:19\.000000 observer established /);
  for (const line of screen.slice(2, 502)) {
    assertMatch(line, /^\d\d:\d\d:\d\d\.\d{6} observer unanswered /);
  }
  assertEquals(screen[502], "501 handshakes: 500 unanswered, 1 established");
});

Deno.test("screenOf erases, returns and refuses what it does not know", () => {
  assertEquals(screenOf("ab\rc\x1b[K\n\x1b[1mx\x1b[0m \n"), ["c", "x", ""]);
  let refused = "";
  try {
    screenOf("\x07");
  } catch (error) {
    refused = `${error}`;
  }
  assertEquals(refused, 'Error: Cannot show "\\u0007"');
});
