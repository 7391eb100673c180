import { assertEquals } from "@std/assert";
import { Attempts } from "../../../src/match/attempts.ts";
import type { KernelEnd } from "../../../src/kernel/kernel_record.ts";
import type { MatcherOptions } from "../../../src/match/options.ts";
import { FlowKey } from "../../../src/match/flow_key.ts";
import { FlowState } from "../../../src/match/flow_table.ts";
import { Segment } from "../../../src/wire/segment.ts";
import { end, EPOCH_SECONDS, Play } from "./traffic.ts";

const P = new Play(end("192.0.2.1", 50000), end("198.51.100.2", 443), 1000, 5000);
const LIMITS = { capacity: 2, joinNs: 40, unansweredNs: 700, halfOpenNs: 400, rememberNs: 600 };

/** Attempts, what they reported by the client's number, and what they counted. */
function make(options: MatcherOptions = {}) {
  const reported: (number | undefined)[] = [];
  const counters = {
    evicted: 0,
    crowded: 0,
    contradicted: 0,
    lateKernelRecords: 0,
    lateAccepts: 0,
    unexpected: 0,
  };
  const report = (handshake: { client: { isn: number | undefined } }) => {
    reported.push(handshake.client.isn);
  };
  const attempts = new Attempts(EPOCH_SECONDS, report, { ...LIMITS, ...options }, counters);
  const begin = (isn: number, timeNs: number, state: FlowState = FlowState.SynSent) =>
    attempts.begin(new FlowKey(P.client.address, P.server.address, 1), isn, state, timeNs);
  return { attempts, reported, counters, begin };
}

Deno.test("Attempts waits anew after a touch, but never after the end is known", () => {
  const { attempts, reported, begin } = make();
  const open = begin(1, 0);
  const concluded = begin(2, 0, FlowState.Answered);
  attempts.touch(open, 100);
  attempts.settle(concluded, 10);
  attempts.settle(concluded, 100);
  attempts.touch(concluded, 200);
  attempts.advance(49);
  assertEquals([reported, attempts.pending], [[], 2]);
  attempts.advance(50);
  assertEquals([reported, attempts.pending], [[2], 1]);
  attempts.advance(799);
  assertEquals(reported, [2]);
  attempts.advance(800);
  assertEquals([reported, attempts.pending], [[2, 1], 0]);
});

Deno.test("Attempts waits while who listens is looked for, a second at most, and holds up no other", () => {
  const sought = new Set([1, 2]);
  const { attempts, reported, begin } = make({ isListenerSought: ({ pid }) => sought.has(pid) });
  for (const pid of [1, 3, 2]) {
    const row = begin(pid, 0);
    attempts.table.serverKernel[row] = { pid, endNs: 10 } as KernelEnd;
    attempts.settle(row, 10);
    if (pid === 3) attempts.advance(50);
  }
  assertEquals(reported, [3]);
  // One is found.
  sought.delete(2);
  attempts.advance(100);
  assertEquals(reported, [3, 2]);
  attempts.advance(1e9);
  assertEquals(reported, [3, 2]);
  attempts.advance(1e9 + 100);
  assertEquals([reported, attempts.pending], [[3, 2, 1], 0]);
});

Deno.test("Attempts waits as long for who listened where the kernel told late of a handshake", () => {
  const { attempts, reported, begin } = make({ isListenerSought: () => true });
  attempts.advance(5e9);
  const row = begin(1, 0);
  attempts.table.serverKernel[row] = { pid: 1, endNs: 10 } as KernelEnd;
  attempts.settle(row, 10);
  attempts.advance(5e9 + 20);
  attempts.advance(6e9);
  assertEquals(reported, []);
  attempts.advance(6e9 + 100);
  assertEquals(reported, [1]);
});

Deno.test("Attempts waits no longer for who listened where the clock was set back", () => {
  const { attempts, reported, begin } = make({ isListenerSought: () => true });
  const row = begin(1, 9e9);
  attempts.table.serverKernel[row] = { pid: 1, endNs: 9e9 } as KernelEnd;
  attempts.settle(row, 9e9);
  attempts.advance(9.5e9);
  assertEquals(reported, []);
  attempts.clockSet(-8e9, 1.5e9);
  attempts.advance(1.6e9);
  assertEquals(reported, [1]);
});

Deno.test("Attempts waits while the name of a container at either end is looked for, a second at most", () => {
  for (const side of ["clientKernel", "serverKernel"] as const) {
    const sought = new Set([1, 2]);
    const { attempts, reported, begin } = make({
      isContainerSought: ({ cgroup }) => sought.has(cgroup),
    });
    for (const cgroup of [1, 2]) {
      const row = begin(cgroup, 0);
      attempts.table[side][row] = { cgroup, endNs: 10 } as KernelEnd;
      attempts.settle(row, 10);
    }
    attempts.advance(50);
    assertEquals(reported, [], side);
    sought.delete(2);
    attempts.advance(100);
    assertEquals(reported, [2], side);
    attempts.advance(1e9 + 50);
    assertEquals(reported, [2], side);
    attempts.advance(1e9 + 100);
    assertEquals([reported, attempts.pending], [[2, 1], 0], side);
  }
});

Deno.test("Attempts gives up what is half open before what waits, and reports the latter", () => {
  const { attempts, reported, counters, begin } = make();
  attempts.settle(begin(1, 0), 0);
  begin(2, 5);
  // 2 is half open, and gone without a report.
  attempts.settle(begin(3, 10), 10);
  assertEquals([reported, counters.evicted], [[], 1]);
  // Both wait: the older is reported at once.
  begin(4, 20);
  assertEquals([reported, counters.evicted, attempts.pending], [[1], 1, 2]);
  attempts.flush();
  assertEquals([reported, attempts.pending], [[1, 3, 4], 0]);
});

Deno.test("Attempts.part reports and forgets what is between two ends, but not what goes on", () => {
  const { attempts, reported, begin } = make();
  const cut = new Map([[begin(1, 0), true], [begin(2, 0), false]]);
  const segment = new Segment();
  segment.source.set(P.server.address);
  segment.destination.set(P.client.address);
  segment.destinationPort = 0;
  segment.sourcePort = 2;
  attempts.part(segment, (row) => cut.get(row));
  assertEquals(reported, [], "other ports");
  segment.sourcePort = 1;
  attempts.part(segment, (row) => cut.get(row) ? true : undefined);
  assertEquals([reported, attempts.pending], [[1], 1]);
  // The other way round, and again: it is forgotten.
  attempts.part(segment, (row) => cut.get(row));
  attempts.part(segment, (row) => cut.get(row));
  assertEquals([reported, attempts.pending, attempts.table.full], [[1, 2], 0, false]);
});

Deno.test("Attempts doubts what begins until the moment at which the clock was set", () => {
  const { attempts, begin } = make();
  attempts.clockSet(-50, 100);
  const { mistimed } = attempts.table;
  assertEquals(mistimed[begin(1, 90)], 1);
  attempts.advance(100);
  assertEquals(mistimed[begin(2, 101)], 1);
  attempts.advance(101);
  assertEquals(mistimed[begin(3, 102)], 0);
});

Deno.test("Attempts.join makes of two rows one that is reported, with what the kernel said", () => {
  const { attempts, reported, begin } = make();
  const { table } = attempts;
  const [kept, joined] = [begin(1000, 1), begin(5000, 2)];
  const drop = { count: 1, firstNs: 1, lastNs: 1, reason: "X", packet: "syn" as const };
  table.drops[joined] = { ...drop, queue: undefined, serverIsn: undefined, refusal: undefined };
  attempts.join(joined, kept, 3);
  assertEquals([attempts.pending, table.drops[kept]?.reason], [1, "X"]);
  assertEquals([table.state[joined], table.state[kept]], [FlowState.Reported, FlowState.SynSent]);
  attempts.flush();
  assertEquals(reported, [1000]);
});

Deno.test("Attempts.join takes the other end's client for the server", () => {
  const { attempts, begin } = make();
  const { table } = attempts;
  const [kept, joined] = [begin(1000, 1), begin(5000, 2)];
  const { record } = P.clientKernel(1);
  table.clientKernel[joined] = record;
  attempts.join(joined, kept, 3);
  assertEquals([table.serverKernel[kept], table.clientKernel[joined]], [record, undefined]);
  assertEquals([table.state[kept], table.touchedNs[kept]], [FlowState.Settled, 3]);
});

Deno.test("Attempts lets go of what the kernel said when a handshake is reported", () => {
  const { attempts, begin } = make();
  const { table } = attempts;
  const row = begin(1, 0);
  table.clientKernel[row] = P.clientKernel(0).record;
  table.accept[row] = P.accept(0).record;
  table.reset[row] = P.synReset(0).record;
  attempts.flush();
  assertEquals(
    [table.clientKernel[row], table.accept[row], table.reset[row]],
    [undefined, undefined, undefined],
  );
});

Deno.test("Attempts waits for what this host sends again as long as its own settings say", () => {
  const reported: (number | undefined)[] = [];
  const counters = {
    evicted: 0,
    crowded: 0,
    contradicted: 0,
    lateKernelRecords: 0,
    lateAccepts: 0,
    unexpected: 0,
  };
  const attempts = new Attempts(
    EPOCH_SECONDS,
    ({ client }) => reported.push(client.isn),
    {
      ...LIMITS,
      capacity: 8,
      ownUnansweredNs: 50,
      ownHalfOpenNs: 900,
      isLocalAddress: (words, at) => words[at + 3] === P.client.address[3],
    },
    counters,
  );
  const { client, server } = P;
  const { SynSent, Answered } = FlowState;
  attempts.begin(new FlowKey(client.address, server.address, 1), 1, SynSent, 0);
  attempts.begin(new FlowKey(server.address, client.address, 1), 2, SynSent, 0);
  const toHere = attempts.begin(new FlowKey(server.address, client.address, 1), 3, SynSent, 0);
  attempts.answer(toHere, 0);
  attempts.begin(new FlowKey(client.address, server.address, 1), 4, Answered, 0);
  const atEach = [49, 50, 399, 400, 699, 700, 899, 900].map((completeNs) => {
    attempts.advance(completeNs);
    return reported.splice(0);
  });
  assertEquals(atEach, [[], [1], [], [4], [], [2], [], [3]]);
});

/** Attempts on one tuple; `begin` gives each the time of its number. */
function onOneTuple() {
  const reported: (number | undefined)[] = [];
  const counters = {
    evicted: 0,
    crowded: 0,
    contradicted: 0,
    lateKernelRecords: 0,
    lateAccepts: 0,
    unexpected: 0,
  };
  const report = ({ client }: { client: { isn: number | undefined } }) => {
    reported.push(client.isn);
  };
  const attempts = new Attempts(EPOCH_SECONDS, report, { ...LIMITS, capacity: 100 }, counters);
  const begin = (isn: number, state: FlowState) =>
    attempts.begin(new FlowKey(P.client.address, P.server.address, 1), isn, state, isn);
  const isns = () => {
    const { table } = attempts;
    const found: number[] = [];
    const key = new FlowKey(P.client.address, P.server.address, 1);
    for (let row = table.find(key); row >= 0; row = table.older(row, key)) {
      found.push(table.clientIsn[row]);
    }
    return found;
  };
  return { attempts, reported, counters, begin, isns };
}

Deno.test("Attempts keeps so many on one tuple, and what was answered longest", () => {
  const { reported, counters, begin, isns } = onOneTuple();
  begin(1, FlowState.Settled);
  begin(2, FlowState.Answered);
  for (let isn = 3; isn <= 400; isn++) begin(isn, FlowState.SynSent);
  const kept = isns();
  assertEquals([kept.length, reported], [64, []]);
  // Those that were first and those that came last: of a flood in between nothing is known.
  assertEquals(kept.slice(-6), [6, 5, 4, 3, 2, 1]);
  assertEquals(kept.slice(0, 3), [400, 399, 398]);
  assertEquals([counters.crowded, counters.evicted], [400 - 64, 0]);
});

Deno.test("Attempts frees what was reported of one tuple first, and reports what it must give up", () => {
  const { attempts, reported, counters, begin, isns } = onOneTuple();
  for (let isn = 1; isn <= 64; isn++) begin(isn, FlowState.Settled);
  begin(65, FlowState.SynSent);
  assertEquals([reported, isns().includes(1), counters.crowded], [[1], false, 0]);
  attempts.join(attempts.table.oldest(FlowState.Settled), attempts.table.oldest(0), 66);
  begin(66, FlowState.SynSent);
  assertEquals([reported, isns().includes(2), counters.crowded], [[1], false, 0]);
});
