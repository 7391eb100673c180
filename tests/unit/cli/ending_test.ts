import { assert, assertEquals } from "@std/assert";
import { Ending, type EndingWorld } from "../../../src/cli/ending.ts";

/** A world whose time moves only as a test moves it, and which keeps what was done to it. */
class FakeWorld implements EndingWorld {
  readonly said: string[] = [];
  readonly statuses: number[] = [];
  #timers: { atMs: number; callback: () => void }[] = [];
  #nowMs = 0;

  sayNote(sentence: string): void {
    this.said.push(sentence);
  }

  exit(status: number): void {
    this.statuses.push(status);
  }

  giveUpSaying(): void {
    this.said.push("(given up)");
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + milliseconds, callback };
    this.#timers.push(timer);
    return () => this.#timers = this.#timers.filter((each) => each !== timer);
  }

  get timers(): number {
    return this.#timers.length;
  }

  pass(milliseconds: number): void {
    const untilMs = this.#nowMs + milliseconds;
    for (;;) {
      const [next] = this.#timers.filter(({ atMs }) => atMs <= untilMs)
        .sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#timers.splice(this.#timers.indexOf(next), 1);
      this.#nowMs = next.atMs;
      next.callback();
    }
    this.#nowMs = untilMs;
  }
}

function build(): { ending: Ending; world: FakeWorld; left: () => number } {
  const world = new FakeWorld();
  let left = 0;
  const ending = new Ending({ leave: () => left++ }, world);
  return { ending, world, left: () => left };
}

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  return await Promise.race([promise, Promise.resolve(pending)]) !== pending;
}

const ENDING = "ending; Ctrl-C again to leave at once";

Deno.test("Ending takes all signals within a second for one request", async () => {
  const { ending, world, left } = build();
  assertEquals(await isSettled(ending.asked), false);
  for (const atMs of [0, 5, 200, 999]) {
    world.pass(atMs === 0 ? 0 : atMs - [0, 5, 200].findLast((each) => each < atMs)!);
    ending.request();
  }
  assertEquals(await isSettled(ending.asked), true);
  assertEquals([world.statuses, left(), world.said], [[], 0, []]);
});

Deno.test("Ending says how to leave when the next signal would, and leaves then", () => {
  const { ending, world, left } = build();
  ending.request();
  // One that came in time is heard before the next turn of the clock, however late this thread was.
  world.pass(1_000);
  ending.request();
  assertEquals([world.statuses, world.said], [[], []]);
  world.pass(100);
  assertEquals(world.said, [ENDING]);
  ending.request();
  assertEquals([world.statuses, left()], [[130], 1]);
});

Deno.test("Ending ends when its time is over, if there is one", async () => {
  const world = new FakeWorld();
  const ending = new Ending({}, world);
  ending.askAfter(Infinity);
  assertEquals(world.timers, 0);
  ending.askAfter(5_000);
  world.pass(4_999);
  assertEquals(world.timers, 1);
  world.pass(1);
  await ending.asked;
});

Deno.test("Ending does not take its own reasons to end for a signal", async () => {
  const { ending, world } = build();
  ending.ask();
  world.pass(100_000);
  ending.ask();
  assertEquals([await isSettled(ending.asked), world.timers, world.said], [true, 0, []]);
  ending.request();
  assertEquals(world.statuses, []);
});

Deno.test("Ending tells the first failure in one line, and ends", async () => {
  const { ending, world } = build();
  ending.fail("matching", new TypeError("no such row\n    at a stack trace"));
  ending.fail("writing", "what follows from it");
  assertEquals(world.said, ["Cannot go on: matching failed: no such row; ending"]);
  assertEquals([ending.failed, await isSettled(ending.asked)], [true, true]);
});

Deno.test("Ending.attempt gives what the work gives", async () => {
  const { ending, world } = build();
  assertEquals(await ending.attempt("a", () => 1), 1);
  assertEquals(await ending.attempt("a", () => Promise.resolve("later")), "later");
  assertEquals(await ending.attempt("a", () => 2, 1_000), 2);
  assertEquals([ending.failed, world.timers], [false, 0]);
});

Deno.test("Ending.attempt goes on behind what throws or rejects", async () => {
  for (
    const work of [() => {
      throw new Error("no");
    }, () => Promise.reject(new Error("no"))]
  ) {
    const { ending, world } = build();
    assertEquals(await ending.attempt("the summary", work), undefined);
    assertEquals(world.said, ["Cannot go on: the summary failed: no; ending"]);
    assert(ending.failed);
  }
});

Deno.test("Ending.attempt waits only so long as it may, or a minute after a signal", async () => {
  const never = () => new Promise<void>(() => {});
  const limited = build();
  const attempt = limited.ending.attempt("stopping bpftrace", never, 20_000);
  limited.world.pass(20_000);
  assertEquals(await attempt, undefined);
  assertEquals(limited.world.said, ["Cannot end in good order: stopping bpftrace takes too long"]);

  const asked = build();
  const pending = asked.ending.attempt("writing", never);
  asked.world.pass(3_600_000);
  asked.ending.request();
  asked.world.pass(59_000);
  assertEquals(asked.ending.failed, false);
  asked.world.pass(1_000);
  assertEquals(await pending, undefined);
  assertEquals(asked.world.said, [
    ENDING,
    "(given up)",
    "Cannot end in good order: writing takes too long",
  ]);
});
