import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { TopScreen } from "../../../src/cli/top_screen.ts";
import { sampleMinute, sampleModel, sampleView } from "../output/top/sample_top.ts";

/** A terminal that takes what it is given, or does not. */
class FakeTerminal {
  written: string[] = [];
  isBusy = false;
  columns = 80;
  enter() {}
  leave() {}
  size() {
    return { columns: this.columns, rows: 24 };
  }
  write(text: string) {
    this.written.push(text);
  }
}

/** A time that a test moves. */
class FakeTime {
  #nowMs = 0;
  readonly #timers = new Set<{ atMs: number; everyMs: number | undefined; callback: () => void }>();

  nowMs = () => this.#nowMs;
  after = (ms: number, callback: () => void) => this.#add(ms, undefined, callback);
  every = (ms: number, callback: () => void) => this.#add(ms, ms, callback);

  #add(ms: number, everyMs: number | undefined, callback: () => void) {
    const timer = { atMs: this.#nowMs + ms, everyMs, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Lets so many milliseconds pass. */
  pass(ms: number) {
    for (const untilMs = this.#nowMs + ms; this.#nowMs < untilMs;) {
      this.#nowMs++;
      for (const timer of [...this.#timers]) {
        if (timer.atMs > this.#nowMs) continue;
        if (timer.everyMs === undefined) this.#timers.delete(timer);
        else timer.atMs += timer.everyMs;
        timer.callback();
      }
    }
  }
}

function showSample() {
  const terminal = new FakeTerminal();
  const time = new FakeTime();
  const asked: string[] = [];
  const view = sampleView(sampleModel(sampleMinute()));
  const screen = new TopScreen(
    view,
    terminal,
    {
      colour: false,
      onQuit: () => asked.push("quit"),
      onSuspend: () => asked.push("suspend"),
      save: (path, text) => {
        asked.push(`save ${path} ${text.length > 0}`);
        return Promise.resolve(`saved "${path}"`);
      },
    },
    time,
  );
  const type = (text: string) => screen.take(new TextEncoder().encode(text));
  return { terminal, time, asked, view, screen, type };
}

Deno.test("TopScreen draws what changed alone, and all of it where that is asked for", () => {
  const { terminal, time, screen, type } = showSample();
  screen.redraw();
  assertMatch(terminal.written[0], /\[2J.*synsnoop top/);
  time.pass(100);
  type("\t");
  assert(!terminal.written[1].includes("synsnoop top"));
  assertStringIncludes(terminal.written[1], "[client]");
  time.pass(100);
  screen.redraw();
  assertStringIncludes(terminal.written[2], "synsnoop top");
  screen.stop();
});

Deno.test("TopScreen draws a burst of keys once, and nothing for a terminal that is busy", () => {
  const { terminal, time, view, screen, type } = showSample();
  screen.redraw();
  for (let nth = 0; nth < 500; nth++) type("\x1b[B\x1b[B\x1b[A");
  assertEquals([terminal.written.length, view.position.at], [1, view.picture.rows.length - 2]);
  terminal.isBusy = true;
  time.pass(100);
  screen.change();
  assertEquals(terminal.written.length, 1);
  terminal.isBusy = false;
  screen.change();
  assertEquals(terminal.written.length, 2);
  screen.stop();
});

Deno.test("TopScreen has keys do what they ask for", async () => {
  const { asked, view, screen, type } = showSample();
  type("w\x15a.ndjson\r\x1a");
  await Promise.resolve();
  assertEquals(view.message, 'saved "a.ndjson"');
  type("q\x03");
  assertEquals(asked, ["save a.ndjson true", "suspend", "quit", "quit"]);
  screen.stop();
});

Deno.test("TopScreen takes an ESC that nothing follows for the key", () => {
  const { time, view, screen, type } = showSample();
  type("f");
  assertEquals(view.screen.kind, "list");
  type("\x1b");
  assertEquals(view.screen.kind, "list");
  time.pass(30);
  assertEquals(view.screen.kind, "table");
  screen.stop();
});

Deno.test("TopScreen draws as time goes on, until it is stopped", () => {
  const { terminal, time, view, screen } = showSample();
  screen.start();
  time.pass(600);
  assertEquals(terminal.written.length, 1);
  view.say("now");
  time.pass(500);
  assertEquals(terminal.written.length, 2);
  screen.stop();
  view.say("late");
  time.pass(1_500);
  assertEquals(terminal.written.length, 2);
});
