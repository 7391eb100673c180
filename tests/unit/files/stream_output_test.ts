import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type ByteWriter,
  countLines,
  StreamOutput,
  writeText,
} from "../../../src/files/stream_output.ts";
import { FakeTime } from "../pipeline/fake_time.ts";

/** A stream whose reader decides how many bytes each write takes, and when. */
class Reader implements ByteWriter {
  /** What it has got. */
  text = "";
  writes = 0;
  readonly #take: (bytes: Uint8Array) => number | Promise<number>;

  constructor(take: (bytes: Uint8Array) => number | Promise<number> = ({ length }) => length) {
    this.#take = take;
  }

  async write(bytes: Uint8Array): Promise<number> {
    this.writes++;
    const taken = await this.#take(bytes);
    this.text += new TextDecoder().decode(bytes.subarray(0, taken));
    return taken;
  }
}

/** The reasons of a stream that is gone, in the order in which they were given. */
function collectReasons(): { reasons: (string | undefined)[]; onGone(reason?: string): void } {
  const reasons: (string | undefined)[] = [];
  return { reasons, onGone: (reason) => void reasons.push(reason) };
}

function unexpected(): void {
  throw new Error("The stream is not gone");
}

Deno.test("StreamOutput writes what it takes, in order, and waits for nothing", async () => {
  const reader = new Reader();
  const output = new StreamOutput(reader, unexpected);
  for (let number = 0; number < 100; number++) output.write(`${number}\n`, 1);
  await output.flush();
  assertEquals(reader.text, Array.from({ length: 100 }, (_, number) => `${number}\n`).join(""));
  assertEquals(output.lost, 0);
});

Deno.test("StreamOutput keeps nothing of the bytes it is given, whatever their length", async () => {
  const reader = new Reader();
  const output = new StreamOutput(reader, unexpected);
  const bytes = new Uint8Array(3 * 1024 * 1024);
  let expected = "";
  // Alone, together with what waits already, and more than fits where that waits.
  for (const [index, length] of [5, 7, 600_000, 3, bytes.length, 9].entries()) {
    const given = bytes.subarray(0, length).fill("a".charCodeAt(0) + index);
    output.write(given, 1);
    given.fill(0);
    expected += String.fromCharCode("a".charCodeAt(0) + index).repeat(length);
    if (index === 0) await output.flush();
  }
  await output.flush();
  assertEquals(reader.text === expected, true);
});

Deno.test("StreamOutput goes on after it was flushed and after an empty text", async () => {
  const reader = new Reader();
  const output = new StreamOutput(reader, unexpected);
  await output.flush();
  for (const lines of ["", "a\n", "", "b\n"]) {
    output.write(lines, lines.length / 2);
    await output.flush();
  }
  assertEquals(reader.text, "a\nb\n");
});

Deno.test("StreamOutput goes on where a write was partial, in the middle of a character too", async () => {
  const bytes: number[] = [];
  const output = new StreamOutput({
    write: (rest) => {
      bytes.push(rest[0]);
      return Promise.resolve(1);
    },
  }, unexpected);
  output.write("aé\n", 1);
  output.write("日本\n", 1);
  await output.flush();
  assertEquals(new TextDecoder().decode(Uint8Array.from(bytes)), "aé\n日本\n");
});

Deno.test("StreamOutput keeps whole lines in order however the reader takes them", async () => {
  const chunks = fc.array(fc.array(fc.string().map((text) => text.replaceAll("\n", "")), {
    minLength: 1,
    maxLength: 3,
  }));
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
  await fc.assert(fc.asyncProperty(chunks, sizes, async (lineGroups, takes) => {
    const all: number[] = [];
    let turn = 0;
    const output = new StreamOutput({
      write: (bytes) => {
        const taken = bytes.subarray(0, takes[turn++ % takes.length]);
        all.push(...taken);
        return Promise.resolve(taken.length);
      },
    }, unexpected);
    let expected = "";
    for (const lines of lineGroups) {
      const text = lines.map((line) => `${line}\n`).join("");
      expected += text;
      output.write(text, lines.length);
      if (lines.length === 2) await output.flush();
    }
    await output.flush();
    assertEquals(all, [...new TextEncoder().encode(expected)]);
    assertEquals(output.lost, 0);
  }));
});

Deno.test("StreamOutput gives up whole lines beyond its bound and counts their records", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const reader = new Reader(async ({ length }) => {
    await promise;
    return length;
  });
  const output = new StreamOutput(reader, unexpected, { waitingMax: 10 });
  // The bound holds for what is being written and what waits behind it together.
  output.write("aaaa\n", 1);
  output.write("bbbb\n", 1);
  assertEquals(output.lost, 0);
  output.write("c\nd\n", 2);
  output.write("e\n", 1);
  assertEquals(output.lost, 3);
  resolve();
  await output.flush();
  assertEquals(reader.text, "aaaa\nbbbb\n");
  // There is room again.
  output.write("ffff\n", 1);
  output.write("gggg\n", 1);
  await output.flush();
  assertEquals(reader.text, "aaaa\nbbbb\nffff\ngggg\n");
  assertEquals(output.lost, 3);
  // A text that never fits.
  output.write("hhhhhhhhhh\n", 1);
  await output.flush();
  assertEquals([reader.text.length, output.lost], [20, 4]);
});

Deno.test("StreamOutput makes room for each text that was written", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const reader: Reader = new Reader(async (bytes) => {
    if (reader.writes === 2) {
      // The first is written: its room is free while the second is on its way.
      output.write("cccc\n", 1);
      resolve();
    }
    await Promise.resolve();
    return bytes.length;
  });
  const output: StreamOutput = new StreamOutput(reader, unexpected, { waitingMax: 10 });
  output.write("aaaa\n", 1);
  output.write("bbbb\n", 1);
  await promise;
  await output.flush();
  assertEquals([reader.text, output.lost], ["aaaa\nbbbb\ncccc\n", 0]);
});

Deno.test("StreamOutput tells once that its reader has gone, loses nothing and writes no more", async () => {
  const { reasons, onGone } = collectReasons();
  const reader: Reader = new Reader((bytes) => {
    if (reader.writes > 1) throw new Deno.errors.BrokenPipe("Broken pipe (os error 32)");
    return bytes.length;
  });
  const output = new StreamOutput(reader, onGone);
  for (const lines of ["a\n", "b\n", "c\n"]) output.write(lines, 1);
  await output.flush();
  output.write("d\n", 1);
  await output.flush();
  assertEquals([reader.text, reader.writes, reasons, output.lost], ["a\n", 2, [undefined], 0]);
});

Deno.test("StreamOutput tells once why it cannot write and counts what was not written whole", async () => {
  const { reasons, onGone } = collectReasons();
  const reader: Reader = new Reader(() => {
    if (reader.writes > 2) throw new Error("No space left on device (os error 28)");
    return 6;
  });
  const output = new StreamOutput(reader, onGone);
  // Six bytes at a time, twice: the first of the five lines is a heading.
  output.write("aa\nbb\ncc\ndd\nee\n", 4);
  output.write("ff\n", 1);
  // A last line that is no record.
  output.write("end\n", 0);
  await output.flush();
  assertEquals(reader.text, "aa\nbb\ncc\ndd\n");
  assertEquals(output.lost, 2);
  output.write("gg\nhh\n", 2);
  await output.flush();
  assertEquals(output.lost, 4);
  assertEquals([reader.writes, reasons], [3, ["No space left on device (os error 28)"]]);
});

Deno.test("StreamOutput counts records, not the heading before them, where nothing was written", async () => {
  const { reasons, onGone } = collectReasons();
  const output = new StreamOutput({ write: () => Promise.reject("no") }, onGone);
  output.write("HEADING\na\n", 1);
  await output.flush();
  assertEquals([output.lost, reasons], [1, ["no"]]);
});

Deno.test("StreamOutput settles where the writer throws at once", async () => {
  const { reasons, onGone } = collectReasons();
  const output = new StreamOutput({
    write: () => {
      throw new Error("Bad resource ID");
    },
  }, onGone);
  output.write("a\n", 1);
  output.write("b\n", 1);
  await output.flush();
  assertEquals([output.lost, reasons], [2, ["Bad resource ID"]]);
});

Deno.test("StreamOutput waits where another program made the stream non-blocking", async () => {
  let attempts = 0;
  const reader: Reader = new Reader(({ length }) => {
    if (attempts++ % 3 > 0) throw new Deno.errors.WouldBlock("Resource temporarily unavailable");
    return Math.min(2, length);
  });
  const output = new StreamOutput(reader, unexpected);
  output.write("aaa\nbbb\n", 2);
  output.write("ccc\n", 1);
  await output.flush();
  assertEquals([reader.text, output.lost], ["aaa\nbbb\nccc\n", 0]);
});

/** A stream whose first write takes six bytes, and whose next one never settles. */
function stalledStream() {
  const { promise: stalls, resolve: goOn } = Promise.withResolvers<number>();
  let closed = false;
  const stream = {
    isUnread: false,
    writes: 0,
    write: (): Promise<number> => stream.writes++ === 0 ? Promise.resolve(6) : stalls,
    close: () => closed = true,
    goOn,
    get closed() {
      return closed;
    },
    patienceMs: 150,
  };
  return stream;
}

Deno.test("StreamOutput gives up at the end what a stalled reader does not take", async () => {
  const stream = stalledStream();
  const output = new StreamOutput(stream, unexpected);
  // A heading, then four records; two lines were taken.
  output.write("H\na\nb\nc\nd\n", 4);
  output.write("e\n", 1);
  const begunMs = performance.now();
  output.hasten();
  output.hasten();
  await output.flush();
  assertEquals(performance.now() - begunMs >= stream.patienceMs, true);
  assertEquals([output.lost, stream.closed], [3, true]);
  // What comes behind it is lost at once, and a write that ends after all changes nothing.
  assertEquals(output.write("f\n", 1), false);
  stream.goOn(99);
  await output.flush();
  assertEquals([output.lost, stream.writes], [4, 2]);
});

Deno.test("StreamOutput waits at the end for no reader where there is none", async () => {
  const { promise } = Promise.withResolvers<number>();
  const stream = { write: () => promise, isUnread: true, patienceMs: Infinity };
  const output = new StreamOutput(stream, unexpected);
  output.write("a\n", 1);
  output.hasten();
  await output.flush();
  assertEquals(output.lost, 1);
});

Deno.test("StreamOutput waits at the end as long as its reader takes something", async () => {
  const time = new FakeTime();
  try {
    // Some 300 ms of it: in that it is looked several times how long the reader has taken nothing.
    const reader = new Reader(async () => {
      time.pass(100);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return 1;
    });
    const output = new StreamOutput(Object.assign(reader, { patienceMs: 150 }), unexpected);
    output.write("aaaa\nbbbb\ncccc\n", 3);
    output.hasten();
    await output.flush();
    assertEquals([reader.text, output.lost], ["aaaa\nbbbb\ncccc\n", 0]);
  } finally {
    time.restore();
  }
});

Deno.test("StreamOutput has the same patience with what comes late", async () => {
  const time = new FakeTime();
  try {
    const reader = new Reader(async ({ length }) => {
      time.pass(120);
      await new Promise((resolve) => setTimeout(resolve, 120));
      return length;
    });
    const output = new StreamOutput(Object.assign(reader, { patienceMs: 200 }), unexpected);
    output.hasten();
    time.pass(250);
    output.write("a\n", 1);
    await output.flush();
    assertEquals([reader.text, output.lost], ["a\n", 0]);
  } finally {
    time.restore();
  }
});

Deno.test("StreamOutput goes on after an error where the next write may succeed", async () => {
  const { reasons, onGone } = collectReasons();
  const reader: Reader = new Reader(({ length }) => {
    if (reader.writes === 2) throw new Error("No space left on device");
    return length;
  });
  const output = new StreamOutput(reader, onGone, { goesOn: true });
  for (const lines of ["a\n", "b\n", "c\n"]) {
    output.write(lines, 1);
    await output.flush();
  }
  assertEquals([reader.text, output.lost, reasons], ["a\nc\n", 1, ["No space left on device"]]);
});

Deno.test("StreamOutput counts what its reader left where that is a loss", async () => {
  const { reasons, onGone } = collectReasons();
  const output = new StreamOutput(
    { write: () => Promise.reject(new Deno.errors.BrokenPipe()) },
    onGone,
    { losesGone: true },
  );
  output.write("a\nb\n", 2);
  output.write("c\n", 1);
  await output.flush();
  assertEquals([output.lost, reasons], [3, [undefined]]);
});

Deno.test("StreamOutput tells once that its reader is too slow", () => {
  let told = 0;
  const output = new StreamOutput(stalledStream(), unexpected, {
    waitingMax: 4,
    onSlow: () => told++,
  });
  for (const lines of ["a\n", "b\n", "c\n", "d\n"]) output.write(lines, 1);
  assertEquals([told, output.lost], [1, 2]);
});

Deno.test("countLines counts from an offset on", () => {
  const bytes = new TextEncoder().encode("a\n\nb\nc");
  assertEquals([0, 1, 2, 6].map((from) => countLines(bytes, from)), [3, 3, 2, 0]);
});

Deno.test("writeText says whether its text was written or its reader had seen enough", async () => {
  const failing = (error: Error): ByteWriter => ({ write: () => Promise.reject(error) });
  assertEquals(await writeText(new Reader(({ length }) => Promise.resolve(length)), "a\n"), true);
  assertEquals(await writeText(failing(new Deno.errors.BrokenPipe()), "a\n"), true);
  assertEquals(await writeText(failing(new Error("No space left")), "a\n"), false);
});

Deno.test("writeText writes a text that is longer than what lines may wait", async () => {
  let count = 0;
  const text = "x".repeat(80 * 1024 * 1024);
  const writer = { write: ({ length }: Uint8Array) => Promise.resolve(count += length) };
  assertEquals(await writeText(writer, text), true);
  assertEquals(count, text.length);
});
