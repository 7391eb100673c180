import { assert, assertEquals } from "@std/assert";
import { end, type Event, Play, plus, run, type Snapshot } from "./traffic.ts";

const P = new Play(end("192.0.2.1", 50000), end("198.51.100.2", 443), 1000, 5000);
const MS = 1e6;

/** Numbers as somebody guesses them who knows the tuple alone; none is near the real ones. */
function guesses(count: number): number[] {
  return Array.from({ length: count }, (_, index) => (0x1000_0000 + index * 0x10_0007) >>> 0);
}

/** Puts packets between those of a real handshake. @returns Its record, and all. */
function beside(
  { afterSyn = [], afterSynAck = [] }: { afterSyn?: Event[]; afterSynAck?: Event[] },
): { real: Snapshot; records: Snapshot[]; counters: ReturnType<typeof run>["counters"] } {
  const { records, counters } = run([
    P.syn(0),
    ...afterSyn,
    P.synAck(400 * MS),
    ...afterSynAck,
    P.ack(800 * MS),
  ]);
  const real = records.filter(({ client }) => client.isn === P.x);
  assertEquals(real.length, 1);
  return { real: real[0], records, counters };
}

const REAL = {
  outcome: "established",
  clientRttNs: 400 * MS,
  serverRttNs: 400 * MS,
  synCount: 1,
  synAckCount: 1,
  rstCount: 0,
  synAckAcknowledgesSyn: true,
  ackSequence: true,
  ackAcknowledgesSynAck: true,
} as const;

Deno.test("Matcher keeps a handshake beside packets of somebody who knows its tuple alone", () => {
  const cases: [name: string, Parameters<typeof beside>[0], unexpected: number][] = [
    ["guessed ACKs", {
      afterSynAck: guesses(200).map((guess) =>
        P.ack(500 * MS, { sequence: guess, acknowledgment: plus(guess, 77) })
      ),
    }, 200],
    ["guessed RSTs", {
      afterSynAck: guesses(200).map((sequence) => P.clientReset(500 * MS, { sequence })),
    }, 200],
    ["guessed RSTs of the server", {
      afterSyn: guesses(200).map((guess) =>
        P.refusal(100 * MS, { acknowledgment: guess, sequence: guess })
      ),
    }, 200],
    ["guessed SYN-ACKs before the real one", {
      afterSyn: guesses(200).map((guess) => P.synAck(100 * MS, { acknowledgment: guess })),
    }, 200],
    ["guessed SYN-ACKs after it", {
      afterSynAck: guesses(200).map((guess) => P.synAck(500 * MS, { acknowledgment: guess })),
    }, 200],
  ];
  for (const [name, packets, unexpected] of cases) {
    const { real, records, counters } = beside(packets);
    assertEquals({ ...real, ...REAL }, real, name);
    assertEquals([records.length, counters.unexpected], [1, unexpected], name);
  }
});

Deno.test("Matcher keeps a handshake beside SYNs with other numbers on its tuple", () => {
  const syns = (atNs: number, count: number) =>
    guesses(count).map((sequence) => P.syn(atNs, { sequence }));
  for (const count of [1, 70, 1_000]) {
    const { real, records, counters } = beside({ afterSynAck: syns(500 * MS, count) });
    assertEquals({ ...real, ...REAL }, real);
    const others = records.filter((record) => record !== real);
    assert(others.every(({ outcome }) => outcome === "unanswered"));
    assertEquals(others.length + counters.crowded, count);
    assertEquals(counters.evicted, 0);
  }
  // Some before the real one, some before its answer.
  const before = run([...syns(0, 20), P.syn(1), ...syns(2, 30), P.synAck(9), P.ack(20)]);
  const real = before.records.find(({ client }) => client.isn === P.x);
  assertEquals([real?.outcome, real?.clientRttNs, real?.serverRttNs], ["established", 8, 11]);
  // Where it was pushed out after all, nothing is said that was not seen.
  const pushed = run([...syns(0, 100), P.syn(1), ...syns(2, 1_000), P.synAck(9), P.ack(20)]);
  const rest = pushed.records.find(({ client }) => client.isn === P.x);
  assertEquals([rest?.outcome, rest?.clientRttNs, rest?.flags], [
    "established",
    undefined,
    ["one_sided"],
  ]);
});

Deno.test("Matcher lets no chosen timestamp tell which SYN was answered", () => {
  const syn = (atNs: number, value: number) => P.syn(atNs, { timestamps: [value, 0] });
  const answer = (echo: number) => [P.synAck(50, { timestamps: [9, echo] }), P.ack(60)];
  const told = run([syn(0, 100), syn(40, 101), ...answer(101)]).records[0];
  assertEquals([told.clientRttNs, told.ambiguous], [10, false]);
  // Somebody sends the SYN again with the first one's timestamp behind another.
  const replayed = run([syn(0, 100), syn(40, 101), syn(45, 100), ...answer(100)]).records[0];
  assertEquals([replayed.clientRttNs, replayed.ambiguous], [undefined, true]);
  const back = run([syn(0, 100), syn(40, 99), ...answer(99)]).records[0];
  assertEquals([back.clientRttNs, back.ambiguous], [undefined, true]);
});
