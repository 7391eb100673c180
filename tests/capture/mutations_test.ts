// Capture files with anything wrong in them, through all of `read` but its command line: none makes it
// throw, hang, or grow. `-- --runs=100000` for more than a few; a failure names what it came of.
import { assert, assertEquals } from "@std/assert";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { CaptureInput } from "../../src/files/capture_input.ts";
import { InputError } from "../../src/files/input_error.ts";
import type { PacketOutput } from "../../src/files/packet_output.ts";
import { type LineOutput, type Lines, toBytes } from "../../src/files/stream_output.ts";
import { PacketSink } from "../../src/output/packets.ts";
import { NdjsonFormat, TextSink } from "../../src/output/text_sink.ts";
import { Random } from "../random.ts";
import { sourceInto } from "../unit/pipeline/read_files.ts";
import { seedFiles } from "./seed_captures.ts";

const RUNS = Number(/^--runs=(\d+)$/.exec(Deno.args[0] ?? "")?.[1] ?? 3_000);
/** Files that one session reads as one capture: a session of its own for each takes far longer. */
const FILES_A_SESSION = 100;
/** A file of some thousand bytes takes less than a millisecond. */
const FILE_MS_MAX = 5_000;
/** Beyond what a first session needs. */
const GROWTH_MAX = 400 * 1024 * 1024;

/** Numbers that lengths, counts and types go wrong with. */
const HOSTILE = [0, 1, 3, 4, 12, 0xffff, 1 << 20, 1 << 27, 0x7fffffff, 0x80000000, 0xfffffffc];

function splice(
  bytes: Uint8Array,
  at: number,
  removed: number,
  inserted: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const tail = bytes.subarray(at + removed);
  const spliced = new Uint8Array(at + inserted.length + tail.length);
  spliced.set(bytes.subarray(0, at));
  spliced.set(inserted, at);
  spliced.set(tail, at + inserted.length);
  return spliced;
}

/** Does one thing to a file. */
function mutate(bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  const mutated = new Uint8Array(bytes);
  if (bytes.length < 8) return mutated;
  const at = random.below(bytes.length);
  const length = random.below(40);
  switch (random.below(7)) {
    case 0:
      mutated[at] ^= 1 << random.below(8);
      return mutated;
    case 1:
      mutated[at] = random.below(256);
      return mutated;
    case 2: {
      const value = HOSTILE[random.below(HOSTILE.length)];
      const word = Math.min(at & ~3, bytes.length - 4);
      new DataView(mutated.buffer).setUint32(word, value, random.below(2) === 0);
      return mutated;
    }
    case 3:
      return splice(bytes, at, 0, random.bytes(length));
    case 4:
      return splice(bytes, at, length, new Uint8Array(0));
    case 5:
      return splice(bytes, random.below(bytes.length), 0, bytes.subarray(at, at + length * 8));
    default:
      return mutated.subarray(0, at);
  }
}

/** A seed after some mutations, plain or compressed before or between them. */
function damagedFile(seeds: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes = seeds[random.below(seeds.length)];
  const wrapAfter = random.below(4);
  const count = 1 + random.below(4);
  for (let done = 0; done < count; done++) {
    if (done === wrapAfter) bytes = random.below(2) ? gzipSync(bytes) : zstdCompressSync(bytes);
    bytes = mutate(bytes, random);
  }
  return bytes;
}

/** Checks and forgets what is written. */
class CheckedOutput implements LineOutput, PacketOutput {
  readonly isStale = false;
  readonly lost = 0;

  write(lines: Lines): void {
    for (const line of new TextDecoder().decode(toBytes(lines)).trimEnd().split("\n")) {
      JSON.parse(line);
    }
  }

  append(): boolean {
    return true;
  }

  renew(): boolean {
    return false;
  }

  hasten(): void {}

  sync(): boolean {
    return true;
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }
}

type Session = ReturnType<typeof sourceInto>;

function newSession(): Session {
  const output = new CheckedOutput();
  return sourceInto([new PacketSink(output), new TextSink(output, new NdjsonFormat(), "lines")]);
}

/** Reads a file as the command does. @returns Whether it was read without a fault. */
async function readFile({ source, pipeline }: Session, path: string): Promise<boolean> {
  try {
    using input = await CaptureInput.open(path);
    const reader = source.beginFile();
    while (reader.fault === undefined) {
      const count = await input.read(reader.room());
      if (count > 0) await reader.take(count);
      else {
        reader.end();
        break;
      }
    }
    pipeline.flush();
    return reader.fault === undefined;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** Fails where something takes too long, or is waited for in vain. */
async function inTime<T>(something: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("it never ends")), FILE_MS_MAX);
  return await Promise.race([something, late.promise]).finally(() => clearTimeout(timer));
}

Deno.test("read takes its own seeds whole", async () => {
  const path = await Deno.makeTempFile({ prefix: "synsnoop-mutations-" });
  try {
    for (const { name, bytes, handshakes } of seedFiles()) {
      await Deno.writeFile(path, bytes);
      const session = newSession();
      assertEquals(await readFile(session, path), true, name);
      session.end();
      const said = session.pipeline.summarize();
      assert(said.startsWith(`${handshakes} handshake`), `${name}: ${said}`);
    }
  } finally {
    await Deno.remove(path);
  }
});

Deno.test(`read survives ${RUNS} damaged files`, async () => {
  const seeds = seedFiles().map(({ bytes }) => bytes);
  const seed = Date.now() % 2 ** 32;
  const path = await Deno.makeTempFile({ prefix: "synsnoop-mutations-" });
  let session = newSession();
  let packets = 0;
  let whole = 0;
  let rssBefore = 0;
  try {
    for (let run = 0; run < RUNS; run++) {
      const random = new Random(seed + run);
      await Deno.writeFile(path, damagedFile(seeds, random));
      const beginMs = performance.now();
      try {
        if (await inTime(readFile(session, path))) whole++;
        const takenMs = performance.now() - beginMs;
        assert(takenMs < FILE_MS_MAX, `it takes ${takenMs} ms`);
        if (run % FILES_A_SESSION === FILES_A_SESSION - 1) {
          session.end();
          packets += session.source.items;
          session = newSession();
        }
      } catch (error) {
        throw new Error(`Cannot read the file of "new Random(${seed + run})"`, { cause: error });
      }
      if (run === Math.floor(RUNS / 10)) rssBefore = Deno.memoryUsage().rss;
    }
    const growth = Deno.memoryUsage().rss - rssBefore;
    assert(growth < GROWTH_MAX, `memory grew by ${growth} bytes`);
    // Most damage leaves packets before it, some leaves the file whole.
    assert(packets > RUNS && whole > 0, `${packets} packets, ${whole} whole files`);
  } finally {
    await Deno.remove(path);
  }
});
