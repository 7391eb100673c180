import { assert, assertEquals, assertRejects } from "@std/assert";
import { BATCH_ROWS, LINES_LENGTH } from "../../../src/output/line_batch.ts";
import {
  type LineAnswer,
  type LineRequest,
  type LineSettings,
  LineThread,
  type LineThreadOptions,
  type Thread,
} from "../../../src/output/line_thread.ts";
import { makeLines } from "../../../src/output/made_lines.ts";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { CONTEXT, FILE_CONTEXT, HANDSHAKES } from "../record/sample_handshakes.ts";

/** A thread that answers when it is told to. */
class Stepped implements Thread {
  onmessage: Thread["onmessage"] = null;
  onerror: Thread["onerror"] = null;
  settings: LineSettings | undefined;
  readonly requests: LineRequest[] = [];
  hasEnded = false;
  #make: ReturnType<typeof makeLines> | undefined;

  postMessage(message: LineSettings | LineRequest): void {
    if ("host" in message) this.settings = message;
    else this.requests.push(message);
  }

  terminate(): void {
    this.hasEnded = true;
  }

  say(data: LineAnswer): void {
    this.onmessage?.(new MessageEvent("message", { data }));
  }

  /** Answers as the worker does. */
  step(): void {
    this.#make ??= makeLines(this.settings!);
    this.say(this.#make(this.requests.shift()!));
  }

  /** Ends. @param says Whether it says so itself. */
  fail(message: string, says: boolean): void {
    if (says) this.say({ failed: message });
    else this.onerror?.(new ErrorEvent("error", { message, cancelable: true }));
  }
}

interface Opened {
  thread: Stepped;
  lines: LineThread;
  /** What came, and of how many records. */
  came: { text: string; records: number };
  ended: string[];
}

async function open(context: LineThreadOptions["context"] = FILE_CONTEXT): Promise<Opened> {
  const thread = new Stepped();
  const came = { text: "", records: 0 };
  const ended: string[] = [];
  const decoder = new TextDecoder();
  const opening = LineThread.open(thread, {
    context,
    fields: undefined,
    onLines: (lines, records) => {
      came.text += decoder.decode(lines);
      came.records += records;
    },
    onEnd: (reason) => ended.push(reason),
  });
  thread.say("begun");
  return { thread, lines: await opening, came, ended };
}

/** Gives it the samples again and again. @returns Their lines. */
function give(lines: LineThread, count: number, context = FILE_CONTEXT): string {
  let expected = "";
  for (let at = 0; at < count; at++) {
    const handshake = HANDSHAKES[at % HANDSHAKES.length];
    lines.take(handshake, at % 7 === 0);
    expected += encodeHandshake(handshake, context);
  }
  return expected;
}

Deno.test("LineThread gives the lines in the order of the handshakes", async () => {
  const { thread, lines, came } = await open();
  const expected = give(lines, 3 * BATCH_ROWS + 5);
  lines.flush();
  const settled = lines.settle();
  assertEquals(came.records, 0);
  while (thread.requests.length > 0) thread.step();
  await settled;
  assertEquals(came, { text: expected, records: 3 * BATCH_ROWS + 5 });
  lines.flush();
  await lines.settle();
  assertEquals(thread.requests.length, 0);
});

Deno.test("LineThread tells the names of places once, before they are needed", async () => {
  const named = { host: "web1", interfaceName: CONTEXT.interfaceName };
  const { thread, lines, came } = await open(named);
  const expected = give(lines, 2 * BATCH_ROWS, named);
  const told = thread.requests.flatMap(({ names }) => names);
  assertEquals(new Set(told.map(([place]) => place)).size, told.length);
  assert(told.length > 0);
  while (thread.requests.length > 0) thread.step();
  assertEquals(came.text, expected);
});

Deno.test("LineThread.settle does not wait for what is handed over after it", async () => {
  const { thread, lines, came } = await open();
  give(lines, 2 * BATCH_ROWS);
  const settled = lines.settle();
  give(lines, BATCH_ROWS);
  thread.step();
  assertEquals(came.records, BATCH_ROWS);
  thread.step();
  await settled;
  assertEquals([came.records, thread.requests.length], [2 * BATCH_ROWS, 1]);
});

Deno.test("LineThread makes lines itself where the thread is far behind", async () => {
  const { thread, lines, came } = await open();
  const expected = give(lines, 100 * BATCH_ROWS);
  assert(thread.requests.length < 50, `${thread.requests.length} batches`);
  while (thread.requests.length > 0) thread.step();
  await lines.settle();
  assertEquals(came.records, 100 * BATCH_ROWS);
  assert(came.text === expected);
  // And again hands over what comes then.
  give(lines, BATCH_ROWS);
  assertEquals(thread.requests.length, 1);
});

Deno.test("LineThread makes all lines itself that a thread which ends did not make", async () => {
  for (const [answered, says] of [[0, false], [2, true], [40, false], [40, true]] as const) {
    const { thread, lines, came, ended } = await open();
    const expected = give(lines, 60 * BATCH_ROWS + 5);
    for (let at = 0; at < answered && thread.requests.length > 0; at++) thread.step();
    const settled = lines.settle();
    thread.fail("out of memory", says);
    await settled;
    assertEquals(came.records, 60 * BATCH_ROWS + 5);
    assert(came.text === expected);
    assertEquals([ended, thread.hasEnded], [["out of memory"], true]);
  }
});

Deno.test("LineThread takes lines that have no room in memory of both", async () => {
  const host = "h".repeat(3 * LINES_LENGTH / BATCH_ROWS);
  const context = { ...FILE_CONTEXT, host };
  const { thread, lines, came } = await open(context);
  lines.take(HANDSHAKES[0], false);
  const rest = Array.from({ length: BATCH_ROWS - 1 }, () => HANDSHAKES[0]);
  for (const handshake of rest) lines.take(handshake, false);
  lines.flush();
  while (thread.requests.length > 0) thread.step();
  assertEquals(came.records, BATCH_ROWS);
  assert(came.text === encodeHandshake(HANDSHAKES[0], context).repeat(BATCH_ROWS));
});

Deno.test("LineThread.open says why a thread could not begin", async () => {
  for (const says of [false, true]) {
    const thread = new Stepped();
    const opening = LineThread.open(thread, {
      context: FILE_CONTEXT,
      fields: undefined,
      onLines: () => {},
      onEnd: () => {},
    });
    thread.fail("no such module", says);
    await assertRejects(() => opening, Error, "no such module");
  }
});
