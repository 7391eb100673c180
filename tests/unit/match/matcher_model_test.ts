import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Matcher } from "../../../src/match/matcher.ts";
import { Segment, TcpFlag } from "../../../src/wire/segment.ts";
import { arbitraryTrace } from "./arbitrary_traffic.ts";
import type { ModelOptions } from "./model_attempt.ts";
import { ReferenceModel } from "./reference_model.ts";
import { end, type Event, fillSegment, Play, run } from "./traffic.ts";

/** Random traces that the matcher and the model are compared on; more find more: `-- --runs=1000000`. */
const MODEL_RUNS = Number(/^--runs=(\d+)$/.exec(Deno.args[0] ?? "")?.[1] ?? 10_000);

const LIMITS = { joinNs: 40e6, doubtNs: 1e9, unansweredNs: 70e9, halfOpenNs: 40e9 };
const LISTENER = { pid: 80, comm: "nginx", uid: 33, cgroup: 99 };
const LOCAL_WORD = end("192.0.2.1", 0).address[3];

const hostContext: Pick<ModelOptions, "isLocal" | "listenerOf"> = {
  isLocal: (address) => address[3] === LOCAL_WORD,
  listenerOf: (server) => server.localPort === 443 ? LISTENER : undefined,
};

Deno.test("Matcher reports what the plain model of its definitions reports", () => {
  fc.assert(
    fc.property(arbitraryTrace, ({ events, isTraced, ...limits }) => {
      const model = new ReferenceModel({
        ...LIMITS,
        ...hostContext,
        ...limits,
        hasServer: (address) => isTraced && hostContext.isLocal(address),
      });
      for (const event of events) model.feed(event);
      const { pending } = model;
      model.flush();
      const actual = run(events, {
        ...LIMITS,
        ...limits,
        hasServer: (words, at) => isTraced && hostContext.isLocal(words.subarray(at, at + 4)),
        isLocalAddress: (words, at) => hostContext.isLocal(words.subarray(at, at + 4)),
        listenerOf: hostContext.listenerOf,
      });
      assertEquals(actual.records, model.records);
      assertEquals(actual.counters, model.counters);
      assertEquals(actual.pendingBeforeFlush, pending);
      assertEquals(actual.pending, 0);
    }),
    { numRuns: MODEL_RUNS },
  );
});

/** The durations and counts of a record. */
const DURATIONS = [
  "clientRttNs",
  "serverRttNs",
  "totalNs",
  "firstSynToSynAckNs",
  "lastSynToSynAckNs",
  "firstSynAckToAckNs",
  "lastSynAckToAckNs",
  "kernelClientRttNs",
  "kernelServerRttNs",
  "synCount",
  "synAckCount",
  "rstCount",
] as const;

/** Numbers that lie on the edges of what a field can hold. */
const word = fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff);
const port = fc.constantFrom(0, 1, 443, 65535);
const someEnd = fc.record({
  address: fc.constantFrom(end("192.0.2.1", 0), end("2001:db8::1", 0)).map(({ address }) =>
    address
  ),
  port,
});

/** Any segment at all, whatever its flags and numbers. */
const garbagePacket = fc.record({
  packet: fc.record({
    from: someEnd,
    to: someEnd,
    flags: fc.nat(0x1ff),
    sequence: word,
    acknowledgment: word,
    payloadLength: fc.nat(0xffff),
    timestamps: fc.option(fc.tuple(word, word), { nil: undefined }),
    fastOpenCookieLength: fc.option(fc.nat(16), { nil: undefined }),
  }),
  timeNs: fc.integer({ min: -1e15, max: 1e15 }),
  place: fc.nat(3),
});

const garbageRecord = fc.record({
  kind: fc.constantFrom("client" as const, "server" as const),
  local: someEnd,
  remote: someEnd,
  oldState: fc.nat(12),
  newState: fc.nat(12),
  iss: word,
  irs: fc.option(word, { nil: undefined }),
  connectNs: fc.option(fc.integer({ min: -1e15, max: 1e15 }), { nil: undefined }),
  endNs: fc.integer({ min: -1e15, max: 1e15 }),
  rttMinUs: fc.option(word, { nil: undefined }),
  retransmits: fc.nat(9),
  error: fc.nat(200),
}).map(({ kind, local, remote, ...fields }) => {
  const play = new Play(local, remote, fields.iss, 0);
  return kind === "client"
    ? play.clientKernel(0, fields)
    : new Play(remote, local, 0, fields.iss).serverKernel(0, fields);
});

const garbageAccept = fc.record({
  local: someEnd,
  remote: someEnd,
  irs: word,
  endNs: fc.integer({ min: -1e15, max: 1e15 }),
}).map(({ local, remote, irs, endNs }) => new Play(remote, local, irs, 0).accept(endNs));

const garbageOfPacket = fc.record({
  isDrop: fc.boolean(),
  from: someEnd,
  to: someEnd,
  flags: fc.nat(0xff),
  sequence: word,
  acknowledgment: word,
  netns: fc.option(word, { nil: undefined }),
  endNs: fc.integer({ min: -1e15, max: 1e15 }),
}).map(({ isDrop, from, to, netns, endNs, ...fields }) => {
  const play = new Play(from, to, 0, 0);
  return isDrop ? play.synDrop(endNs, { ...fields, netns }) : play.synReset(endNs, fields);
});

const garbage: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: garbagePacket },
  { weight: 2, arbitrary: garbageRecord },
  { weight: 1, arbitrary: garbageAccept },
  { weight: 2, arbitrary: garbageOfPacket },
  {
    weight: 1,
    arbitrary: fc.record({ completeNs: fc.integer({ min: -1e15, max: 1e15 }) }),
  },
);

Deno.test("Matcher takes anything: it never throws, and no duration is negative or no number", () => {
  fc.assert(
    fc.property(
      fc.array(garbage, { maxLength: 200, size: "max" }),
      fc.integer({ min: 1, max: 20 }),
      (events, capacity) => {
        const { records, pending, pendingBeforeFlush, beforeFlush } = run(events, { capacity });
        assertEquals(pending, 0);
        // Two that turn out to be one, at the end, are one record: one with both tuples.
        const joined = beforeFlush + pendingBeforeFlush - records.length;
        const translated = records.slice(beforeFlush).filter((record) => record.translated);
        assert(joined >= 0 && joined <= translated.length);
        assert(pendingBeforeFlush <= capacity);
        for (const record of records) {
          assert(Number.isSafeInteger(record.timeNs));
          for (const field of DURATIONS) {
            const value = record[field];
            assert(value === undefined || Number.isSafeInteger(value) && value >= 0, field);
          }
          assert(record.wire || record.kernel, "each has a source");
        }
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("Matcher reports each of many handshakes exactly once", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(0x3fffffff), { minLength: 1, maxLength: 40, size: "max" }),
      fc.array(fc.nat(), { minLength: 1, size: "max", maxLength: 400 }),
      (quarters, picks) => {
        // Far enough apart that what fits one attempt does not fit another.
        const numbers = quarters.map((quarter) => quarter * 4);
        // One tuple, many attempts: only the initial sequence number tells them apart.
        const client = end("192.0.2.1", 50000);
        const server = end("198.51.100.2", 443);
        const waiting = numbers.map((x) => {
          const play = new Play(client, server, x, 9);
          return [
            play.syn(0),
            play.synAck(1),
            play.ack(2),
            play.clientKernel(3),
            play.serverKernel(4),
            play.syn(5),
            play.clientKernel(6),
          ];
        });
        const events: Event[] = [];
        for (let at = 0; waiting.length > 0; at++) {
          const index = picks[at % picks.length] % waiting.length;
          const event = waiting[index].shift();
          if (event) events.push(event);
          else waiting.splice(index, 1);
        }
        const { records, counters } = run(events);
        assertEquals(
          records.map(({ client }) => client.isn ?? -1).sort((a, b) => a - b),
          numbers.toSorted((a, b) => a - b),
        );
        assert(records.every(({ outcome, role }) => outcome === "established" && role === "local"));
        assertEquals(counters.lateKernelRecords, numbers.length);
      },
    ),
    { numRuns: 100 },
  );
});

const FLOOD_SYNS = 1_000_000;
const REAL_HANDSHAKES = 1_000;
const FLOOD_CAPACITY = 4_096;

Deno.test("Matcher reports every real handshake beside a flood of SYNs, and counts all", () => {
  const counts = new Map<string, number>();
  const matcher = new Matcher(0, ({ outcome }) => {
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }, { capacity: FLOOD_CAPACITY });
  const segment = new Segment();
  const server = end("198.51.100.2", 443);
  const real = Array.from({ length: REAL_HANDSHAKES }, (_, index) => {
    const play = new Play(end("192.0.2.1", 1024 + index), server, index * 1_000_003, 9);
    return [play.syn(0), play.synAck(0), play.ack(0)];
  });
  const every = FLOOD_SYNS / REAL_HANDSHAKES;
  // Each of its packets comes 1,500 SYNs of the flood after the one before: 1.5 handshakes later.
  const turns = [0, 1_500, 3_000];
  const send = (event: Event, timeNs: number) => {
    if ("packet" in event) matcher.packet(fillSegment(event.packet, segment), timeNs, 1);
  };
  segment.destination.set(server.address);
  let random = 1;
  for (let at = 0; at < FLOOD_SYNS + 3_001; at++) {
    const timeNs = at * 1_000;
    for (const [step, turn] of turns.entries()) {
      const index = (at - turn) / every;
      if (Number.isInteger(index) && real[index]) send(real[index][step], timeNs);
    }
    if (at < FLOOD_SYNS) {
      // A full-period generator modulo 2^32 (Numerical Recipes): no source comes twice.
      random = Math.imul(random, 1664525) + 1013904223 | 0;
      segment.source.set([0, 0, 0xffff, random >>> 0]);
      segment.destination.set(server.address);
      segment.sourcePort = 1024;
      segment.destinationPort = 443;
      segment.flags = TcpFlag.SYN;
      segment.sequence = at;
      segment.payloadLength = 0;
      segment.options.reset();
      matcher.packet(segment, timeNs, 1);
    }
    if (at % 1_000 === 0) matcher.advance(timeNs);
  }
  matcher.flush();
  assertEquals(counts.get("established"), REAL_HANDSHAKES);
  const unanswered = counts.get("unanswered") ?? 0;
  assertEquals(counts.size, 2);
  assertEquals(unanswered + matcher.counters.evicted, FLOOD_SYNS);
  assert(unanswered > 0 && unanswered <= FLOOD_CAPACITY);
  assertEquals(matcher.counters.unexpected, 0);
});
