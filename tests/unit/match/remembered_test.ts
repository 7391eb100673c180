import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { FlowKey } from "../../../src/match/flow_key.ts";
import { FlowState, FlowTable } from "../../../src/match/flow_table.ts";
import { Mark, WireFact } from "../../../src/match/facts.ts";
import { Fate, Remembered } from "../../../src/match/remembered.ts";
import { arbitraryTrace } from "./arbitrary_traffic.ts";
import { end, Play, run } from "./traffic.ts";

const PLAY = new Play(end("192.0.2.1", 50000), end("198.51.100.2", 443), 1000, 5000);
const KEY = new FlowKey(PLAY.client.address, PLAY.server.address, 50000 << 16 | 443);
const OTHER = new FlowKey(PLAY.client.address, PLAY.server.address, 50001 << 16 | 443);

/** A row that was reported at a time. */
function reported(table: FlowTable, key: FlowKey, clientIsn: number, timeNs: number): number {
  return table.insert(key, clientIsn, FlowState.Reported, timeNs);
}

Deno.test("Remembered knows a handshake by tuple and number until it is too old", () => {
  const table = new FlowTable(8);
  const remembered = new Remembered(2);
  remembered.take(table, reported(table, KEY, 7, 100));
  assertEquals(remembered.fateOf(KEY, 7, 100), Fate.Reported);
  assertEquals(
    [remembered.fateOf(KEY, 7, 101), remembered.fateOf(KEY, 8, 0), remembered.fateOf(OTHER, 7, 0)],
    [0, 0, 0],
  );
  remembered.shiftTimes(-50);
  assertEquals([remembered.fateOf(KEY, 7, 51), remembered.fateOf(KEY, 7, 50)], [0, 1]);
  // The third takes the place of the first.
  remembered.take(table, reported(table, KEY, 8, 101));
  remembered.take(table, reported(table, OTHER, 7, 102));
  assertEquals([remembered.fateOf(KEY, 7, 0), remembered.fateOf(KEY, 8, 0)], [0, 1]);
  assertEquals(remembered.fateOf(OTHER, 7, 0), Fate.Reported);
  remembered.forget(KEY, 8);
  assertEquals([remembered.fateOf(KEY, 8, 0), remembered.fateOf(OTHER, 7, 0)], [0, 1]);
});

Deno.test("Remembered tells what failed, what was refused, and knows data in a SYN and both tuples", () => {
  const table = new FlowTable(8);
  const remembered = new Remembered(8);
  const failed = reported(table, KEY, 1, 0);
  table.marks[failed] |= Mark.ReportedFailed;
  const refused = reported(table, KEY, 2, 0);
  table.refusedNs[refused] = 0;
  const withData = reported(table, KEY, 0xffffffff, 0);
  table.facts[withData] |= WireFact.Syn;
  table.synPayloadLength[withData] = 100;
  const translated = reported(table, KEY, 4, 0);
  table.translate(translated, OTHER);
  for (const row of [failed, refused, withData, translated]) remembered.take(table, row);
  const fates = (key: FlowKey, ...isns: number[]) =>
    isns.map((isn) => remembered.fateOf(key, isn, 0));
  assertEquals(fates(KEY, 1, 2), [Fate.Failed, Fate.Refused]);
  assertEquals(fates(KEY, 0xffffffff, 99, 98), [Fate.Reported, Fate.Reported, 0]);
  assertEquals([...fates(KEY, 4), ...fates(OTHER, 4)], [Fate.Reported, Fate.Reported]);
});

Deno.test("Remembered finds each of many of one tuple, and of one number in many VLANs", () => {
  const table = new FlowTable(300);
  const remembered = new Remembered(300);
  for (let isn = 0; isn < 100; isn++) remembered.take(table, reported(table, KEY, isn, 0));
  assertEquals([remembered.fateOf(KEY, 99, 0), remembered.fateOf(KEY, 0, 0)], [1, 1]);
  const inVlans = new Remembered(300);
  for (let vlan = 1; vlan <= 100; vlan++) {
    const row = reported(table, OTHER, 7, 0);
    table.vlan[row] = vlan;
    inVlans.take(table, row);
    const fate = vlan <= 64 ? Fate.Reported : Fate.Crowded;
    // Whichever comes again is known, if only as one of too many.
    for (let late = 1; late <= vlan; late++) {
      assertEquals(inVlans.fateOf(OTHER, 7, 0, late), fate);
    }
    assertEquals(inVlans.fateOf(OTHER, 7, 0), fate);
    assertEquals(inVlans.fateOf(OTHER, 7, 0, 101), vlan <= 64 ? 0 : Fate.Crowded);
  }
});

Deno.test("Remembered has one told again and again in no other's way", () => {
  const table = new FlowTable(4);
  const remembered = new Remembered(128);
  remembered.take(table, reported(table, KEY, 1, 0));
  // Of one tuple, two numbers that differ in their highest bit meet in a bucket.
  const again = reported(table, KEY, 0x80000001, 0);
  for (let time = 0; time < 100; time++) remembered.take(table, again);
  assertEquals([remembered.fateOf(KEY, 1, 0), remembered.fateOf(KEY, 0x80000001, 0)], [1, 1]);
});

Deno.test("Remembered forgets the oldest, whatever was forgotten before", () => {
  const operation = fc.record({ isn: fc.nat(5), other: fc.boolean(), isForgotten: fc.boolean() });
  fc.assert(fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
    const table = new FlowTable(64);
    const remembered = new Remembered(5);
    const slots: (string | undefined)[] = [];
    for (const { isn, other, isForgotten } of operations) {
      const name = `${isn} ${other}`;
      if (isForgotten) {
        remembered.forget(other ? OTHER : KEY, isn);
        for (const [at, kept] of slots.entries()) if (kept === name) slots[at] = undefined;
      } else {
        remembered.take(table, reported(table, other ? OTHER : KEY, isn, 0));
        slots.push(name);
      }
      for (const key of [KEY, OTHER]) {
        for (let known = 0; known <= 5; known++) {
          const isKept = slots.slice(-5).includes(`${known} ${key === OTHER}`);
          assertEquals(remembered.fateOf(key, known, 0), isKept ? Fate.Reported : 0);
        }
      }
    }
  }));
});

/** No reported one keeps its row once another handshake has begun. */
const ROWLESS = { reportedRows: 0 };
const LATER = 1e9;
const another = new Play(end("192.0.2.9", 50000), PLAY.server, 1, 2);
const established = [PLAY.syn(0), PLAY.synAck(10), PLAY.ack(20), { completeNs: LATER }];
const unanswered = [PLAY.syn(0), { completeNs: 200 * LATER }];

Deno.test("Matcher makes no second record of what comes of a handshake without a row", () => {
  const cases = {
    "the SYN-ACK again": [PLAY.synAck(2 * LATER)],
    "the SYN again": [PLAY.syn(2 * LATER)],
    "the ACK again": [PLAY.ack(2 * LATER)],
    "the kernel's word": [PLAY.serverKernel(2 * LATER), PLAY.clientKernel(2 * LATER)],
    "a drop of the SYN, and of the SYN-ACK": [
      PLAY.synDrop(2 * LATER),
      PLAY.synAckDrop(2 * LATER),
    ],
    "a RST for the SYN": [PLAY.synReset(2 * LATER)],
  };
  for (const [name, late] of Object.entries(cases)) {
    const { records, counters } = run(
      [...established, another.syn(LATER + 1), ...late],
      ROWLESS,
    );
    assertEquals(records.map(({ outcome }) => outcome), ["established", "unanswered"], name);
    const isTold = late.filter((event) => "record" in event).length;
    assertEquals(counters.lateKernelRecords, isTold, name);
  }
});

Deno.test("Matcher counts that a handshake without a row was reported wrongly", () => {
  const late = PLAY.clientKernel(200 * LATER + 2);
  const { records, counters } = run(
    [...unanswered, another.syn(200 * LATER + 1), late],
    ROWLESS,
  );
  assertEquals(records.map(({ outcome }) => outcome), ["unanswered", "unanswered"]);
  assertEquals([counters.contradicted, counters.lateKernelRecords], [1, 0]);
});

Deno.test("Matcher takes the SYN that was refused for another attempt when it comes again", () => {
  const { records } = run([
    ...[PLAY.syn(0), PLAY.refusal(5), { completeNs: 2 * LATER }],
    ...[another.syn(2 * LATER + 1), PLAY.syn(3 * LATER), PLAY.synAck(3 * LATER + 5)],
    PLAY.ack(3 * LATER + 9),
  ], ROWLESS);
  assertEquals(records.map(({ outcome }) => outcome), ["refused", "established", "unanswered"]);
});

Deno.test("Matcher counts what may be lost where one tuple and number came in too many VLANs", () => {
  const vlans = Array.from({ length: 70 }, (_, index) => index + 1);
  const both = { reportedRows: 0, capacity: 300 };
  const begun = vlans.flatMap((vlan, at) => [
    PLAY.syn(at * LATER, { vlan }),
    PLAY.synAck(at * LATER + 10, { vlan }),
    PLAY.ack(at * LATER + 20, { vlan }),
    { completeNs: at * LATER + LATER / 2 },
    new Play(end("192.0.2.9", 1 + at), PLAY.server, at, 2).syn(at * LATER + LATER / 2),
  ]);
  const late = vlans.map((vlan) => PLAY.syn(70 * LATER, { vlan }));
  const { records, counters } = run([...begun, ...late], { ...both, rememberNs: 1e15 });
  // The 66th finds those before it become one, and is not told from them any more.
  assertEquals(records.filter(({ outcome }) => outcome === "established").length, 65);
  assertEquals(records.filter(({ client }) => client.isn === PLAY.x).length, 65);
  assertEquals(counters.crowded, 5 + 70);
});

Deno.test("Matcher remembers what gave its row to others of its tuple, or where none was free", () => {
  const refused = (index: number) => {
    const play = PLAY.again(5_000_000 + index * 1000, 1);
    return [play.syn(LATER + index), play.refusal(LATER + index), {
      completeNs: 3 * LATER + index,
    }];
  };
  const crowd = Array.from({ length: 70 }, (_, index) => refused(index)).flat();
  const flood = Array.from(
    { length: 70 },
    (_, index) => new Play(end("192.0.2.7", 1 + index), PLAY.server, 1, 2).syn(LATER + index),
  );
  for (const [between, options] of [[crowd, {}], [flood, { capacity: 64 }]] as const) {
    const late = [PLAY.syn(4 * LATER), PLAY.serverKernel(4 * LATER)];
    const { records, counters } = run([...established, ...between, ...late], options);
    assertEquals(records.filter(({ client }) => client.isn === PLAY.x).length, 1);
    assertEquals(counters.lateKernelRecords, 1);
  }
});

Deno.test("Matcher makes one record of each of more handshakes than keep their rows", () => {
  const COUNT = 20_000;
  const plays = Array.from({ length: COUNT }, (_, number) => {
    const client = end(`10.0.${number >> 8}.${number & 0xff}`, 1_024 + number);
    return new Play(client, PLAY.server, number * 7, number * 11);
  });
  const { records } = run([
    ...plays.flatMap((play) => [play.syn(0), play.synAck(10), play.ack(20)]),
    { completeNs: LATER },
    ...plays.flatMap((play) => [play.synAck(2 * LATER), play.syn(2 * LATER)]),
  ]);
  assertEquals(records.length, COUNT);
  assertEquals(new Set(records.map(({ outcome }) => outcome)), new Set(["established"]));
});

Deno.test("Matcher takes anything where none keeps its row", () => {
  fc.assert(
    fc.property(arbitraryTrace, ({ events, isTraced: _, ...limits }) => {
      const { pending, records } = run(events, { ...limits, ...ROWLESS });
      assertEquals(pending, 0);
      const durations = records.flatMap(({ clientRttNs, serverRttNs, totalNs }) =>
        [clientRttNs, serverRttNs, totalNs].filter((each) => each !== undefined)
      );
      assertEquals(durations.filter((each) => !(each >= 0)), []);
    }),
    { numRuns: 3_000 },
  );
});
