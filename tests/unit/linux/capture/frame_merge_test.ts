import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { FrameMerge, type FrameQueue } from "../../../../src/linux/capture/frame_merge.ts";

/** Frames by their times in nanoseconds; `taken` says which were taken, across queues. */
class Frames implements FrameQueue {
  readonly #times: number[];
  readonly name: string;

  constructor(name: string, ...times: number[]) {
    this.name = name;
    this.#times = times;
  }

  ready(): boolean {
    return this.#times.length > 0;
  }

  get nextSeconds(): number {
    return Math.floor(this.#times[0] / 1e9);
  }

  get nextNanoseconds(): number {
    return this.#times[0] % 1e9;
  }

  add(...times: number[]): void {
    this.#times.push(...times);
  }

  take(): number {
    return this.#times.shift()!;
  }
}

function newMerge(): { merge: FrameMerge<Frames>; taken: string[] } {
  const taken: string[] = [];
  const merge = new FrameMerge<Frames>(
    (seconds, nanoseconds) => seconds * 1e9 + nanoseconds,
    (queue) => taken.push(queue.name + queue.take()),
  );
  return { merge, taken };
}

Deno.test("FrameMerge takes frames of several queues in the order of their times", () => {
  const { merge, taken } = newMerge();
  const queues = [
    new Frames("a", 1, 4, 5, 2e9),
    new Frames("b"),
    new Frames("c", 2, 3, 6, 1e9),
  ];
  merge.drain(queues, Infinity, Infinity);
  assertEquals(taken, ["a1", "c2", "c3", "a4", "a5", "c6", "c1000000000", "a2000000000"]);
});

Deno.test("FrameMerge keeps the order of one queue, whatever its times", () => {
  const { merge, taken } = newMerge();
  merge.drain([new Frames("a", 5, 1, 3), new Frames("b", 4)], Infinity, Infinity);
  assertEquals(taken, ["b4", "a5", "a1", "a3"]);
});

Deno.test("FrameMerge leaves what another queue may still have an older frame before", () => {
  const { merge, taken } = newMerge();
  const early = new Frames("a", 10, 30);
  const late = new Frames("b");
  merge.drain([early, late], 20, 40);
  assertEquals(taken, ["a10"]);
  late.add(25);
  merge.drain([early, late], 50, 60);
  assertEquals(taken, ["a10", "b25", "a30"]);
});

Deno.test("FrameMerge does not wait for times from before the clock was set back", () => {
  const { merge, taken } = newMerge();
  const nowNs = 1e9;
  const queues = [new Frames("a", 3_600e9), new Frames("b", nowNs + 99_999_999)];
  merge.drain(queues, nowNs - 3e7, nowNs);
  assertEquals(taken, ["a3600000000000"]);
});

Deno.test("FrameMerge takes every frame once, and ordered queues in order", () => {
  const times = fc.array(fc.nat(50), { maxLength: 8 }).map((list) => list.sort((a, b) => a - b));
  fc.assert(fc.property(fc.array(times, { maxLength: 6 }), fc.nat(50), (lists, until) => {
    const { merge, taken } = newMerge();
    const queues = lists.map((list) => new Frames("", ...list));
    const all = lists.flat().sort((a, b) => a - b);
    merge.drain(queues, until, 1_000);
    const first = all.filter((time) => time <= until);
    assertEquals(taken.map(Number), first);
    merge.drain(queues, Infinity, Infinity);
    assertEquals(taken.map(Number), all);
  }));
});
