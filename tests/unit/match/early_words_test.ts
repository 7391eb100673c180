import { assertEquals } from "@std/assert";
import type { KernelDrop } from "../../../src/kernel/kernel_record.ts";
import { EarlyWords } from "../../../src/match/early_words.ts";
import { P } from "./matcher_cases.ts";
import { type Event, run } from "./traffic.ts";

const drop = (endNs: number) =>
  (P.synDrop(endNs, { reason: "NO_SOCKET" }) as { record: KernelDrop }).record;

/** Holds words, and tells which were handed on. */
function holding(): { words: EarlyWords; handed: number[] } {
  const handed: number[] = [];
  return { words: new EarlyWords(({ endNs }) => handed.push(endNs)), handed };
}

Deno.test("EarlyWords hands on what was dropped when its time is complete, in that order", () => {
  const { words, handed } = holding();
  for (const at of [30, 10, 40, 20]) words.take(drop(at));
  assertEquals(handed, []);
  words.takeUntil(9);
  assertEquals(handed, []);
  words.takeUntil(20);
  assertEquals(handed, [10, 20]);
  words.takeUntil(Infinity);
  assertEquals(handed, [10, 20, 30, 40]);
  words.takeUntil(Infinity);
  assertEquals(handed.length, 4);
});

Deno.test("EarlyWords holds nothing whose numbers say whose it is", () => {
  const { words, handed } = holding();
  const { record: end } = P.clientKernel(50) as { record: Parameters<EarlyWords["take"]>[0] };
  words.take(end);
  words.take({ ...drop(60), kind: "reset", flags: 0x10 });
  assertEquals(handed, [50, 60]);
  words.take({ ...drop(70), kind: "reset", flags: 0x02 });
  assertEquals(handed, [50, 60]);
});

Deno.test("EarlyWords is bounded: too much is handed on before its time", () => {
  const { words, handed } = holding();
  for (let at = 65_536; at > 0; at--) words.take(drop(at));
  assertEquals(handed.length, 65_536);
  assertEquals([handed[0], handed.at(-1)], [1, 65_536]);
});

Deno.test("EarlyWords leaves each of three refusals of one SYN its own drop", () => {
  // What the kernel tells is fetched before a ring hands the packets over.
  const packets = [0, 100, 200].flatMap((at) => [P.syn(at), P.refusal(at + 50)]);
  const drops = [60, 160, 260].map(drop);
  const events: Event[] = [];
  const words = new EarlyWords((record) => events.push({ record }));
  for (const each of drops) words.take(each);
  events.push(...packets);
  words.takeUntil(300);
  const counts = run(events).records.map(({ dropCount }) => dropCount);
  assertEquals(counts, [1, 1, 1]);
  // Told at once, all are given to the only attempt that is known.
  const early = run([...drops.map((record) => ({ record })), ...packets]).records;
  assertEquals(early.map(({ dropCount = 0 }) => dropCount).toSorted(), [0, 0, 3]);
});
