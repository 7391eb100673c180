import { assertEquals } from "@std/assert";
import type { MatcherCounters } from "../../../src/match/options.ts";
import { end, type Event, Play, run } from "./traffic.ts";

const P = new Play(end("192.0.2.1", 50000), end("198.51.100.2", 443), 1000, 5000);
const SECOND = 1e9;
const NO_COUNTS: MatcherCounters = {
  evicted: 0,
  crowded: 0,
  contradicted: 0,
  lateKernelRecords: 0,
  lateAccepts: 0,
  unexpected: 0,
};

Deno.test("KernelSide tells that a handshake was reported as failed which it says is ESTABLISHED", () => {
  const aborted = [P.syn(0), P.synAck(5), P.clientReset(9), { completeNs: 2 * SECOND }];
  const cases: [name: string, events: Event[], counters: Partial<MatcherCounters>][] = [
    ["the server's end", [...aborted, P.serverKernel(3 * SECOND)], { contradicted: 1 }],
    ["the client's end", [...aborted, P.clientKernel(3 * SECOND)], { contradicted: 1 }],
    ["what says the same", [...aborted, P.clientKernel(3 * SECOND, { newState: 7 })], {
      lateKernelRecords: 1,
    }],
    ["of one that was reported as established", [
      P.syn(0),
      P.synAck(5),
      P.ack(9),
      { completeNs: 2 * SECOND },
      P.serverKernel(3 * SECOND),
    ], { lateKernelRecords: 1 }],
  ];
  for (const [name, events, counters] of cases) {
    const { records, counters: actual } = run(events);
    assertEquals(actual, { ...NO_COUNTS, ...counters }, name);
    assertEquals(records.length, 1, name);
  }
});

/** This host listens on port 443, and its kernel tells of what is established from 0 on. */
const SERVER_HERE = {
  hasServer: (_words: Uint32Array, _at: number, port: number, timeNs: number) =>
    port === 443 && timeNs >= 0,
};

Deno.test("KernelSide decides what an ACK did to a server of this host", () => {
  const packets = [P.syn(0), P.synAck(5), P.ack(9)];
  const later = { completeNs: 10 * SECOND };
  const waits = { ...SERVER_HERE, halfOpenNs: 40 * SECOND };
  const unheard = run([...packets, later], waits);
  assertEquals([unheard.beforeFlush, unheard.records[0].outcome], [0, "half_open"]);
  assertEquals(unheard.records[0].flags, ["trace_ended"]);
  const over = run([...packets, { completeNs: 50 * SECOND }], waits);
  assertEquals([over.beforeFlush, over.records[0].outcome], [1, "half_open"]);
  assertEquals(over.records[0].ackAcknowledgesSynAck, true);
  const told = run([...packets, later, P.serverKernel(9 * SECOND)], waits);
  assertEquals([told.records[0].outcome, told.records[0].serverRttNs], ["established", 4]);
  const accepted = run([...packets, later, P.accept(9 * SECOND)], waits);
  assertEquals(accepted.records[0].outcome, "established");
});

Deno.test("KernelSide is waited for where it is known only after the ACK that somebody listens", () => {
  for (const word of [P.serverKernel(2 * SECOND), undefined]) {
    let isKnown = false;
    const events = function* () {
      yield* [P.syn(0), P.synAck(5), P.ack(9)];
      isKnown = true;
      yield { completeNs: SECOND };
      if (word) yield word;
    };
    const { beforeFlush, records } = run(events(), {
      hasServer: () => isKnown,
      halfOpenNs: 40 * SECOND,
    });
    const outcome = word ? "established" : "half_open";
    assertEquals([beforeFlush, records.map((each) => each.outcome)], [0, [outcome]]);
  }
});

Deno.test("KernelSide is not waited for where its word was lost, but heard if it comes soon", () => {
  const other = new Play(end("192.0.2.1", 50001), end("198.51.100.2", 443), 2000, 6000);
  for (const word of [P.serverKernel(2.5 * SECOND), undefined]) {
    let lost = false;
    const events = function* (): Generator<Event> {
      yield* [P.syn(0), P.synAck(5), P.ack(9)];
      // Of one that has not sent its ACK the kernel has nothing to tell.
      yield* [other.syn(0), other.synAck(5)];
      yield { completeNs: 2 * SECOND };
      lost = true;
      yield { fellSilentNs: 2 * SECOND };
      if (word) yield word;
      yield { completeNs: 4 * SECOND };
    };
    const { beforeFlush, records } = run(events(), {
      hasServer: () => !lost,
      halfOpenNs: 40 * SECOND,
    });
    assertEquals(beforeFlush, 1);
    assertEquals(records.map(({ outcome }) => outcome), ["established", "half_open"]);
    assertEquals(records[0].kernel, word !== undefined);
  }
});

Deno.test("KernelSide decides nothing of a server elsewhere, or of before it was listened to", () => {
  const elsewhere = new Play(P.client, end("198.51.100.2", 80), 1000, 5000);
  const events = [elsewhere.syn(0), elsewhere.synAck(5), elsewhere.ack(9)];
  assertEquals(run(events, SERVER_HERE).records[0].outcome, "established");
  const before = [P.syn(-20), P.synAck(-15), P.ack(-10)];
  assertEquals(run(before, SERVER_HERE).records[0].outcome, "established");
});

Deno.test("KernelSide corrects what a RST seemed to end, as long as that is doubted", () => {
  const events = [P.syn(0), P.synAck(5), P.clientReset(9), { completeNs: SECOND }];
  const { records } = run([...events, P.serverKernel(SECOND)], SERVER_HERE);
  assertEquals(records.map(({ outcome, rstCount }) => [outcome, rstCount]), [["established", 1]]);
});

Deno.test("KernelSide knows by its own number a server that a SYN cookie completed by another Seq", () => {
  const packets = [P.syn(0), P.synAck(5), P.ack(9, { sequence: 1000 })];
  for (const irs of [997, 999, 1003]) {
    const { records } = run([...packets, P.serverKernel(10, { irs })]);
    const [{ outcome, client, kernel }] = records;
    assertEquals([records.length, outcome, client.isn, kernel], [1, "established", 1000, true]);
  }
  // Further away than a cookie fits, and the number of another server.
  for (const fields of [{ irs: 996 }, { irs: 1004 }, { irs: 999, iss: 5001 }]) {
    const { records } = run([...packets, P.serverKernel(10, fields)]);
    assertEquals(records.map(({ outcome }) => outcome).toSorted(), ["established", "half_open"]);
  }
});
