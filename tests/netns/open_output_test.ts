// Outputs that are no regular files: FIFOs whose readers come and go, pipes, devices.
// Covers src/files/descriptor.ts
// Covers src/files/packet_stream.ts
// Covers src/files/fifo_writer.ts
// Covers src/files/pipe_writer.ts
import { assert, assertEquals, assertThrows } from "@std/assert";
import { DescriptorError } from "../../src/files/descriptor.ts";
import { openLineOutput, openPacketOutput } from "../../src/files/open_output.ts";
import type { LineOutput } from "../../src/files/stream_output.ts";
import { PcapngBuilder } from "../unit/pcap/build_capture.ts";
import { concat } from "../unit/wire/build_frame.ts";
import { Folder } from "../folder.ts";
import { lineReader } from "../line_reader.ts";

/** A folder with a FIFO in it. */
function makeFifo(): { path: string } & Disposable {
  const folder = new Folder();
  const path = `${folder.path}/fifo`;
  const made = new Deno.Command("mkfifo", { args: [path] }).outputSync();
  assertEquals(made.success, true, new TextDecoder().decode(made.stderr));
  return { path, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

/** What an output said, and waiting for it to say more. */
class Said {
  readonly sentences: string[] = [];
  #changed = Promise.withResolvers<void>();

  readonly say = (sentence: string): void => {
    this.sentences.push(sentence);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  };

  async until(count: number): Promise<void> {
    while (this.sentences.length < count) await this.#changed.promise;
  }
}

function unexpected(): never {
  throw new Error("The reader is not gone for good");
}

function openLines(path: string, onGone: () => void = unexpected) {
  const said = new Said();
  const output = openLineOutput(path, undefined, said.say, onGone);
  return { output, said };
}

/** Takes what is in a FIFO as it comes. */
async function openReader(path: string) {
  const file = await Deno.open(path);
  const buffer = new Uint8Array(65_536);
  return {
    file,
    /** Reads until some text has come. */
    async until(end: string): Promise<string> {
      let text = "";
      while (!text.endsWith(end)) {
        const count = await file.read(buffer);
        if (count === null) throw new Error(`The stream ends before "${end}"`);
        text += new TextDecoder().decode(buffer.subarray(0, count));
      }
      return text;
    },
    [Symbol.dispose]: () => file.close(),
  };
}

const line = (number: number) => `${JSON.stringify({ number, padding: "x".repeat(90) })}\n`;
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => line(from + index)).join("");

function write(output: LineOutput, from: number, to: number): void {
  for (let number = from; number < to; number++) output.write(line(number), 1);
}

Deno.test("A FIFO without a reader is waited for, and its first reader gets everything", async () => {
  using fifo = makeFifo();
  const { output, said } = openLines(fifo.path);
  write(output, 0, 100);
  assertEquals(said.sentences, [`"${fifo.path}" has no reader: waiting for one`]);
  using reader = await openReader(fifo.path);
  assertEquals(await reader.until(line(99)), lines(0, 100));
  await output.flush();
  assertEquals(said.sentences.slice(1), [`"${fifo.path}" has a reader`]);
  assertEquals(output.lost, 0);
});

Deno.test("A FIFO's reader is found before there is something to write", async () => {
  using fifo = makeFifo();
  const { output, said } = openLines(fifo.path);
  using reader = await openReader(fifo.path);
  await said.until(2);
  assertEquals(said.sentences[1], `"${fifo.path}" has a reader`);
  output.write(line(0), 1);
  assertEquals(await reader.until(line(0)), line(0));
});

Deno.test("A FIFO whose reader went away goes on with the next, and loses nothing", async () => {
  using fifo = makeFifo();
  const { output, said } = openLines(fifo.path);
  output.write(line(0), 1);
  {
    using reader = await openReader(fifo.path);
    assertEquals(await reader.until(line(0)), line(0));
    await output.flush();
    // More than the pipe holds: some of it is in there when the reader goes.
    write(output, 1, 2_001);
  }
  await said.until(3);
  assertEquals(said.sentences[2], `"${fifo.path}" has lost its reader: waiting for one`);
  using next = await openReader(fifo.path);
  assertEquals(await next.until(line(2_000)), lines(1, 2_001));
  await output.flush();
  assertEquals([said.sentences.slice(3), output.lost], [[`"${fifo.path}" has a reader`], 0]);
});

Deno.test("The next reader of a FIFO begins with the line that the last one tore", async () => {
  using fifo = makeFifo();
  const { output, said } = openLines(fifo.path);
  write(output, 0, 1_000);
  let at = 0;
  for (const bytes of [1, 150, line(0).length, 5_000]) {
    using reader = await Deno.open(fifo.path);
    const taken = new Uint8Array(bytes);
    for (let got = 0; got < bytes;) got += (await reader.read(taken.subarray(got)))!;
    const text = new TextDecoder().decode(taken);
    assertEquals(lines(0, 1_000).slice(at, at + bytes), text);
    // Whole lines that it has got are not written again.
    at += text.lastIndexOf("\n") + 1;
    const { length } = said.sentences;
    reader.close();
    await said.until(length + 1);
  }
  using last = await openReader(fifo.path);
  assertEquals(await last.until(line(999)), lines(0, 1_000).slice(at));
  await output.flush();
  assertEquals(output.lost, 0);
});

Deno.test("Readers of a FIFO that come and go at once are told, and take nothing away", async () => {
  using fifo = makeFifo();
  const { output, said } = openLines(fifo.path);
  write(output, 0, 10);
  for (const turn of [1, 2, 3]) {
    (await Deno.open(fifo.path)).close();
    await said.until(1 + 2 * turn);
  }
  // One that does not wait for a writer has gone before it could be seen.
  const args = [`if=${fifo.path}`, "iflag=nonblock", "of=/dev/null", "status=none"];
  for (let each = 0; each < 5; each++) {
    assertEquals((await new Deno.Command("dd", { args }).output()).success, true);
  }
  using reader = await openReader(fifo.path);
  assertEquals(await reader.until(line(9)), lines(0, 10));
  await output.flush();
  assertEquals(output.lost, 0);
  const gone = said.sentences.filter((each) =>
    each.endsWith("has lost its reader: waiting for one")
  );
  const came = said.sentences.filter((each) => each.endsWith("has a reader"));
  assertEquals(gone.length + 1, came.length);
});

Deno.test("Two readers of a FIFO share what comes, and it is lost when both have gone", async () => {
  using fifo = makeFifo();
  const { output, said } = openLines(fifo.path);
  const one = await Deno.open(fifo.path);
  const other = await Deno.open(fifo.path);
  let taken = 0;
  const take = async (reader: Deno.FsFile) => {
    const part = new Uint8Array(1_000);
    while (taken < lines(0, 2_000).length) {
      const count = await reader.read(part);
      taken += count!;
    }
  };
  write(output, 0, 2_000);
  // One of them waits in read(2) when the other has taken the last.
  await Promise.race([take(one), take(other)]);
  write(output, 0, 1);
  await output.flush();
  one.close();
  write(output, 1, 2);
  await output.flush();
  assertEquals(said.sentences.length, 2);
  other.close();
  await said.until(3);
  assertEquals(said.sentences[2], `"${fifo.path}" has lost its reader: waiting for one`);
  output.hasten!();
  await output.flush();
  assert(output.lost <= 2, `${output.lost} lost`);
});

Deno.test("A FIFO that nobody reads does not hold up the end, and its records are lost", async () => {
  using fifo = makeFifo();
  const { output } = openLines(fifo.path);
  write(output, 0, 50);
  output.hasten!();
  await output.flush();
  assertEquals(output.lost, 50);
  output.write(line(50), 1);
  await output.flush();
  assertEquals(output.lost, 51);
});

Deno.test("What a reader left in a FIFO at the end is lost, to the record", async () => {
  using fifo = makeFifo();
  const { output } = openLines(fifo.path);
  output.write(line(0), 1);
  {
    using reader = await openReader(fifo.path);
    await reader.until(line(0));
    write(output, 1, 31);
    await output.flush();
  }
  output.hasten!();
  await output.flush();
  assertEquals(output.lost, 30);
});

Deno.test("A reader that stalls is given up at the end, and gets only whole lines", async () => {
  using fifo = makeFifo();
  const { output } = openLines(fifo.path);
  output.write(line(0), 1);
  using reader = await openReader(fifo.path);
  await reader.until(line(0));
  write(output, 1, 5_000);
  const begunMs = performance.now();
  output.hasten!();
  await output.flush();
  const elapsedMs = performance.now() - begunMs;
  assert(elapsedMs > 1_500 && elapsedMs < 10_000, `${elapsedMs} ms`);
  const inPipe = 5_000 - 1 - output.lost;
  assert(inPipe > 0 && output.lost > 0);
  assertEquals(await reader.until(line(inPipe)), lines(1, inPipe + 1));
});

Deno.test("A slow reader gets every line in order, those longer than a pipe takes whole too", async () => {
  using fifo = makeFifo();
  const { output } = openLines(fifo.path);
  const long = `"${"y".repeat(200_000)}"\n`;
  write(output, 0, 3_000);
  output.write(long, 1);
  write(output, 3_000, 3_100);
  using reader = await openReader(fifo.path);
  const expected = lines(0, 3_000) + long + lines(3_000, 3_100);
  assertEquals(await reader.until(line(3_099)) === expected, true);
  await output.flush();
  assertEquals(output.lost, 0);
});

Deno.test("A FIFO that was made anew gets what comes next", async () => {
  using fifo = makeFifo();
  const { output, said } = openLines(fifo.path);
  output.write(line(0), 1);
  {
    using reader = await openReader(fifo.path);
    await reader.until(line(0));
    Deno.removeSync(fifo.path);
  }
  new Deno.Command("mkfifo", { args: [fifo.path] }).outputSync();
  output.write(line(1), 1);
  await said.until(3);
  using next = await openReader(fifo.path);
  assertEquals(await next.until(line(1)), line(1));
  await output.flush();
  assertEquals(output.lost, 0);
});

Deno.test("A pipe without a name tells that its reader has seen enough", async () => {
  // As >(head -1) gives it to a program.
  const child = new Deno.Command("bash", {
    args: ["-c", "exec 3> >(head -1 > /dev/null); echo ready; read"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = lineReader(child.stdout);
  await reader.read();
  const { promise, resolve } = Promise.withResolvers<void>();
  const { output, said } = openLines(`/proc/${child.pid}/fd/3`, resolve);
  write(output, 0, 5_000);
  await promise;
  assertEquals([output.lost, said.sentences], [0, []]);
  await child.stdin.close();
  await reader.cancel();
  await child.status;
});

Deno.test("A device is written to, and what a full one does not take is counted", async () => {
  const { output, said } = openLines("/dev/full");
  output.write("a\nb\n", 2);
  output.write("c\n", 1);
  output.write("no record\n", 0);
  await output.flush();
  assertEquals(output.lost, 3);
  assertEquals(said.sentences, [
    'Cannot write "/dev/full": No space left on device (os error 28); ' +
    "records are lost until there is room again",
  ]);
  const { output: nowhere } = openLines("/dev/null");
  nowhere.write("a\n", 1);
  await nowhere.flush();
  assertEquals(nowhere.lost, 0);
});

Deno.test("A terminal that is gone takes nothing, and what was for it is counted", async () => {
  const program = `
import os, pty, sys
master, slave = pty.openpty()
print(os.ttyname(slave), flush=True)
sys.stdin.readline()
os.close(master)
print("gone", flush=True)
sys.stdin.readline()`;
  const child = new Deno.Command("python3", {
    args: ["-c", program],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = lineReader(child.stdout);
  const writer = child.stdin.getWriter();
  const path = (await reader.read()).value!;
  const { output, said } = openLines(path);
  output.write("a\n", 1);
  await output.flush();
  assertEquals([output.lost, said.sentences], [0, []]);
  await writer.write(new TextEncoder().encode("\n"));
  assertEquals((await reader.read()).value, "gone");
  output.write("b\nc\n", 2);
  await output.flush();
  assertEquals(output.lost, 2);
  assertEquals(said.sentences, [
    `Cannot write "${path}": Input/output error (os error 5); ` +
    "records are lost until there is room again",
  ]);
  await writer.close();
  await reader.cancel();
  await child.status;
});

Deno.test("What the system says of an error is what the C library says", async () => {
  // A full quota and a broken disk are among them, which no test can make everywhere.
  const program = "import json, os; print(json.dumps([os.strerror(n) for n in range(134)]))";
  const { stdout } = await new Deno.Command("python3", { args: ["-c", program] }).output();
  const words: string[] = JSON.parse(new TextDecoder().decode(stdout));
  const known = words.map((_, errno) => new DescriptorError(errno).message)
    .map((message, errno) => ({ errno, message }))
    .filter(({ message }) => !message.startsWith("Unknown error"));
  for (const { errno, message } of known) {
    assertEquals(message, `${words[errno]} (os error ${errno})`);
  }
  for (const errno of [5, 28, 30, 122]) {
    assertEquals(known.some((each) => each.errno === errno), true, `${errno}`);
  }
});

Deno.test("Only a regular file can be rotated", () => {
  // A node of our own: what this test must not lose is not the machine's /dev/null.
  using folder = new Folder();
  const path = `${folder.path}/null`;
  const made = new Deno.Command("mknod", { args: [path, "c", "1", "3"] }).outputSync();
  assertEquals(made.success, true, new TextDecoder().decode(made.stderr));
  using fifo = makeFifo();
  for (const place of [path, fifo.path]) {
    assertThrows(
      () => openLineOutput(place, { maxBytes: 2, keep: 1 }, () => {}, unexpected),
      Error,
      "only a regular file can be rotated",
    );
  }
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["null"]);
  assertEquals(Deno.statSync(path).isCharDevice, true);
});

const build = new PcapngBuilder();
const join = (...parts: Uint8Array[]) => new Uint8Array(concat(...parts));
const SECTION = join(build.section(), build.interface({ resolution: 9 }));
const packet = (number: number) =>
  join(build.packet({ interfaceNumber: 0, ticks: BigInt(number), data: new Uint8Array(1_000) }));

Deno.test("Each reader of a FIFO of packets gets a file from its start", async () => {
  using fifo = makeFifo();
  const said = new Said();
  const output = openPacketOutput(fifo.path, said.say);
  assertEquals(output.append(join(SECTION, packet(0)), 1), true);
  {
    using reader = await Deno.open(fifo.path);
    const got = new Uint8Array(SECTION.length + packet(0).length);
    for (let at = 0; at < got.length;) at += (await reader.read(got.subarray(at)))!;
    assertEquals(got, join(SECTION, packet(0)));
    await output.flush();
    // Ten in the pipe, which nobody takes out.
    for (let number = 1; number <= 10; number++) output.append(packet(number), 1);
    await output.flush();
  }
  output.append(packet(11), 1);
  await said.until(3);
  assertEquals(said.sentences, [
    `"${fifo.path}" has no reader: waiting for one`,
    `"${fifo.path}" has a reader`,
    `"${fifo.path}" has lost its reader: waiting for one`,
  ]);
  await output.flush();
  assertEquals(output.isStale, true);
  // Still of the section that went with its reader.
  assertEquals(output.append(packet(12), 1), false);
  assertEquals(output.renew(), true);
  assertEquals([output.isStale, output.lost], [false, 12]);
  assertEquals(output.append(join(SECTION, packet(13)), 1), true);
  using reader = await Deno.open(fifo.path);
  const got = new Uint8Array(SECTION.length + packet(13).length);
  for (let at = 0; at < got.length;) at += (await reader.read(got.subarray(at)))!;
  assertEquals(got, join(SECTION, packet(13)));
  await output.flush();
  assertEquals([output.lost, said.sentences.slice(3)], [12, [`"${fifo.path}" has a reader`]]);
});

Deno.test("A FIFO that something else took the place of is waited for, and nothing else is written", async () => {
  using fifo = makeFifo();
  const { output, said } = openLines(fifo.path);
  Deno.removeSync(fifo.path);
  Deno.writeTextFileSync(fifo.path, "precious\n");
  output.write(line(0), 1);
  await said.until(2);
  assertEquals(said.sentences[1], `"${fifo.path}" is no FIFO any more: waiting for one`);
  assertEquals(Deno.readTextFileSync(fifo.path), "precious\n");
  Deno.removeSync(fifo.path);
  new Deno.Command("mkfifo", { args: [fifo.path] }).outputSync();
  using reader = await openReader(fifo.path);
  assertEquals(await reader.until(line(0)), line(0));
  await output.flush();
  assertEquals([said.sentences.length, output.lost], [3, 0]);
});

Deno.test("A terminal takes lines, and no packets", async () => {
  // script(1) runs a program on a terminal of its own.
  const outputs = new URL("../../src/files/open_output.ts", import.meta.url).href;
  const program = `
    const { openLineOutput, openPacketOutput } = await import("${outputs}");
    const lines = openLineOutput("/dev/tty", undefined, console.log, () => {});
    lines.write("a line\\n", 1);
    await lines.flush();
    try { openPacketOutput("/dev/tty", console.log); } catch ({ message }) { console.log(message); }`;
  const { stdout } = await new Deno.Command("script", {
    args: ["-qec", `"${Deno.execPath()}" eval --no-check '${program}'`, "/dev/null"],
    stdin: "null",
  }).output();
  assertEquals(new TextDecoder().decode(stdout).replaceAll("\r", "").trim().split("\n"), [
    "a line",
    "it is a terminal, which shows no packets",
  ]);
});

Deno.test("Packets for a FIFO that nobody reads are lost at the end", async () => {
  using fifo = makeFifo();
  const output = openPacketOutput(fifo.path, () => {});
  output.append(join(SECTION, packet(0), packet(1)), 2);
  output.hasten();
  await output.flush();
  assertEquals([output.lost, output.sync()], [2, true]);
});

Deno.test("Packets for a device are counted where it is full", async () => {
  const said = new Said();
  const output = openPacketOutput("/dev/full", said.say);
  output.append(join(SECTION, packet(0), packet(1)), 2);
  output.append(packet(2), 1);
  await output.flush();
  assertEquals([output.lost, output.sync()], [3, true]);
  assertEquals(said.sentences.length, 1);
});
