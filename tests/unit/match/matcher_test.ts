import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { MatcherCounters, MatcherOptions } from "../../../src/match/options.ts";
import { Matcher } from "../../../src/match/matcher.ts";
import type { Handshake } from "../../../src/match/handshake.ts";
import { Segment, TcpFlag } from "../../../src/wire/segment.ts";
import type { TunnelName } from "../../../src/wire/tunnel.ts";
import {
  end,
  EPOCH_SECONDS,
  type Event,
  fillSegment,
  Play,
  plus,
  run,
  type Snapshot,
} from "./traffic.ts";

/** A name, what happens, what is reported, what is counted. */
interface Case {
  name: string;
  events: Event[];
  expected: Partial<Snapshot>[];
  counters?: Partial<MatcherCounters>;
  options?: MatcherOptions;
}

/** The connection of the worked example. */
const EXAMPLE = new Play(
  end("192.168.100.191", 52312),
  end("172.67.149.132", 443),
  0x4ce45750,
  0xc112f693,
);
const P = EXAMPLE;
const MS = 1e6;
const SECOND = 1e9;

/** A record of established handshakes has these verdicts. */
const ALL_FIT = {
  synAckAcknowledgesSyn: true,
  ackSequence: true,
  ackAcknowledgesSynAck: true,
} as const;

/** The ordinary three packets. */
function threePackets(play: Play, atNs: number): Event[] {
  return [play.syn(atNs), play.synAck(atNs + 10 * MS), play.ack(atNs + 11 * MS)];
}

function check(cases: readonly Case[]): void {
  for (const { name, events, expected, counters = {}, options } of cases) {
    const outcome = run(events, options);
    assertEquals(outcome.records.length, expected.length, `${name}: records`);
    for (const [index, record] of outcome.records.entries()) {
      assertEquals(record, merged(record, expected[index]), name);
    }
    assertEquals(
      outcome.counters,
      {
        evicted: 0,
        crowded: 0,
        contradicted: 0,
        lateKernelRecords: 0,
        lateAccepts: 0,
        unexpected: 0,
        ...counters,
      },
      `${name}: counters`,
    );
    assertEquals(outcome.pending, 0, name);
  }
}

/** A record with what is expected of it; of the two ends only the fields that are named. */
function merged(record: Snapshot, expected: Partial<Snapshot>): Snapshot {
  return {
    ...record,
    ...expected,
    client: { ...record.client, ...expected.client },
    server: { ...record.server, ...expected.server },
  };
}

Deno.test("Matcher reproduces the worked example, every field", () => {
  const { records, counters } = run([
    P.syn(1_000_052_000, {
      mss: 1460,
      window: 64240,
      windowScale: 7,
      sackPermitted: true,
      timestamps: [77, 0],
    }, 2),
    P.synAck(1_010_283_000, { mss: 1400, window: 65535, windowScale: 13, sackPermitted: true }, 2),
    P.clientHalf(1_010_302_000, { connectNs: 1_000_000_000, rttMinUs: 10240 }),
    P.ack(1_010_324_000, { window: 502 }, 2),
  ], { isLocalAddress: (words, at) => words[at + 3] === P.client.address[3] });
  assertEquals(records, [{
    epochSeconds: EPOCH_SECONDS,
    timeNs: 1_000_052_000,
    role: "client",
    outcome: "established",
    reason: undefined,
    wire: true,
    kernel: true,
    ipv4: true,
    interfaceIndex: 2,
    interfaces: [2],
    translated: undefined,
    vlan: undefined,
    tunnels: [],
    netns: 4026531840,
    client: {
      address: "192.168.100.191",
      port: 52312,
      isn: 1290032976,
      mss: 1460,
      window: 64240,
      windowScale: 7,
      sackPermitted: true,
      timestamps: true,
      process: { pid: 4711, comm: "curl", uid: 1000, cgroup: 8231 },
    },
    server: {
      address: "172.67.149.132",
      port: 443,
      isn: 3239245459,
      mss: 1400,
      window: 65535,
      windowScale: 13,
      sackPermitted: true,
      timestamps: false,
      process: undefined,
    },
    clientRttNs: 10_231_000,
    serverRttNs: 41_000,
    totalNs: 10_272_000,
    ambiguous: false,
    firstSynToSynAckNs: undefined,
    lastSynToSynAckNs: undefined,
    firstSynAckToAckNs: undefined,
    lastSynAckToAckNs: undefined,
    kernelClientRttNs: 10_240_000,
    kernelServerRttNs: undefined,
    synCount: 1,
    synAckCount: 1,
    rstCount: 0,
    connectNs: -52_000,
    synSentNs: undefined,
    synNs: 0,
    synReceivedNs: undefined,
    synAckNs: 10_231_000,
    ackNs: 10_272_000,
    establishedNs: 10_250_000,
    serverEstablishedNs: undefined,
    acceptedNs: undefined,
    icmpNs: undefined,
    droppedNs: undefined,
    resetSentNs: undefined,
    icmp: undefined,
    dropCount: undefined,
    dropReason: undefined,
    dropPacket: undefined,
    dropQueue: undefined,
    resetReason: undefined,
    ...ALL_FIT,
    flags: [],
  }]);
  assertEquals(counters, {
    evicted: 0,
    crowded: 0,
    contradicted: 0,
    lateKernelRecords: 0,
    lateAccepts: 0,
    unexpected: 0,
  });
});

Deno.test("Matcher keeps IPv6 apart from IPv4", () => {
  const play = new Play(end("2001:db8::1", 1), end("2001:db8::2", 65535), 1, 2);
  const twin = new Play(end("2001:db8::1", 1), end("2001:db9::2", 65535), 1, 2);
  const expected = { outcome: "established", ipv4: false, totalNs: 11 * MS, ...ALL_FIT } as const;
  const { records } = run([
    play.syn(0),
    twin.syn(0),
    play.synAck(10 * MS),
    twin.synAck(10 * MS),
    play.ack(11 * MS),
    twin.ack(11 * MS),
  ]);
  assertEquals(records.map(({ server }) => server.address), ["2001:db8::2", "2001:db9::2"]);
  for (const record of records) assertEquals(record, merged(record, expected));
});

Deno.test("Matcher tells why a handshake failed", () => {
  const closed = { newState: 7, error: 0 };
  const noRtt = { clientRttNs: undefined, serverRttNs: undefined, totalNs: undefined };
  const threeSyns = [P.syn(0), P.syn(SECOND), P.syn(3 * SECOND)];
  check([
    {
      name: "RST,ACK in answer to the SYN",
      events: [P.syn(0), P.refusal(5 * MS)],
      expected: [{ outcome: "refused", reason: undefined, rstCount: 1, ...noRtt }],
    },
    {
      name: "RST with a wrong Ack: goes on",
      events: [
        P.syn(0),
        P.refusal(1, { acknowledgment: P.x }),
        P.refusal(2, { acknowledgment: plus(P.x, 2) }),
        P.synAck(10 * MS),
        P.ack(11 * MS),
      ],
      expected: [{ outcome: "established", rstCount: 0, clientRttNs: 10 * MS, ...ALL_FIT }],
      counters: { unexpected: 2 },
    },
    {
      name: "RST without ACK in answer to the SYN: goes on",
      events: [P.syn(0), P.refusal(1, { flags: TcpFlag.RST })],
      expected: [{ outcome: "unanswered", rstCount: 0 }],
      counters: { unexpected: 1 },
    },
    {
      name: "RST of a connection that is long established",
      events: [P.clientReset(0), P.serverReset(1), P.refusal(2)],
      expected: [],
    },
    {
      name: "refused: wire and kernel",
      events: [P.syn(0), P.refusal(MS), P.clientHalf(MS + 5, { ...closed, error: 111 })],
      expected: [{
        outcome: "refused",
        reason: "ECONNREFUSED",
        wire: true,
        kernel: true,
        ...noRtt,
      }],
    },
    {
      name: "timeout after three SYNs",
      events: [...threeSyns, P.clientHalf(7 * SECOND, { ...closed, error: 110, retransmits: 2 })],
      expected: [{
        outcome: "timeout",
        reason: "ETIMEDOUT",
        synCount: 3,
        ambiguous: false,
        ...noRtt,
      }],
    },
    {
      name: "unreachable",
      events: [P.syn(0), P.clientHalf(3 * SECOND, { ...closed, error: 113 })],
      expected: [{ outcome: "unreachable", reason: "EHOSTUNREACH", ...noRtt }],
    },
    {
      name: "aborted by a RST of the client after the SYN-ACK",
      events: [P.syn(0), P.synAck(10 * MS), P.clientReset(11 * MS)],
      expected: [{ outcome: "aborted", rstCount: 1, clientRttNs: 10 * MS, serverRttNs: undefined }],
    },
    {
      name: "RST of the client with a wrong Seq: goes on",
      events: [
        P.syn(0),
        P.synAck(10 * MS),
        P.clientReset(10 * MS + 1, { sequence: P.x }),
        P.ack(11 * MS),
      ],
      expected: [{ outcome: "established", rstCount: 0, ...ALL_FIT }],
      counters: { unexpected: 1 },
    },
    {
      name: "aborted by close()",
      events: [P.syn(0), P.clientHalf(MS, closed)],
      expected: [{ outcome: "aborted", reason: undefined, ...noRtt }],
    },
    {
      name: "RST of the server after its SYN-ACK",
      events: [
        P.syn(0),
        P.synAck(10 * MS),
        P.serverReset(10 * MS + 1, { sequence: plus(P.y, 2) }),
        P.serverReset(11 * MS),
      ],
      expected: [{ outcome: "refused", rstCount: 1, clientRttNs: 10 * MS }],
      counters: { unexpected: 1 },
    },
    {
      name: "half open",
      events: [P.syn(0), P.synAck(10 * MS), { completeNs: 60 * SECOND }],
      expected: [{ outcome: "half_open", clientRttNs: 10 * MS, totalNs: undefined, flags: [] }],
    },
    {
      name: "unanswered",
      events: [P.syn(0), { completeNs: 80 * SECOND }],
      expected: [{ outcome: "unanswered", ...noRtt, flags: [] }],
    },
    {
      name: "cut off by the end of the trace",
      events: [P.syn(0)],
      expected: [{ outcome: "unanswered", flags: ["trace_ended"] }],
    },
  ]);
});

Deno.test("Matcher gives a client RTT only where it is known which SYN was answered", () => {
  const twoSyns = { synCount: 2, firstSynToSynAckNs: SECOND + 10 * MS, lastSynToSynAckNs: 10 * MS };
  const known = { ambiguous: false, clientRttNs: 10 * MS, ...twoSyns };
  const unknown = { ambiguous: true, clientRttNs: undefined, ...twoSyns };
  const lost = (
    firstStamp: [number, number] | undefined,
    lastStamp: [number, number] | undefined,
    answer: [number, number] | undefined,
  ) => [
    P.syn(0, { timestamps: firstStamp }),
    P.syn(SECOND, { timestamps: lastStamp }),
    P.synAck(SECOND + 10 * MS, { timestamps: answer }),
    P.ack(SECOND + 11 * MS),
  ];
  check([
    {
      name: "no timestamps",
      events: lost(undefined, undefined, undefined),
      expected: [{ ...unknown, serverRttNs: MS, totalNs: SECOND + 11 * MS }],
    },
    { name: "server without", events: lost([5, 0], [1005, 0], undefined), expected: [unknown] },
    {
      name: "the first is echoed, as in a SYN-ACK sent again for the second",
      events: lost([5, 0], [1005, 0], [9, 5]),
      expected: [unknown],
    },
    { name: "the last is echoed", events: lost([5, 0], [1005, 0], [9, 1005]), expected: [known] },
    { name: "another is echoed", events: lost([5, 0], [1005, 0], [9, 505]), expected: [unknown] },
    { name: "both carry the same", events: lost([5, 0], [5, 0], [9, 5]), expected: [unknown] },
    {
      name: "the second of three is echoed",
      events: [
        P.syn(0, { timestamps: [0, 0] }),
        P.syn(SECOND, { timestamps: [1000, 0] }),
        P.syn(3 * SECOND, { timestamps: [3000, 0] }),
        P.synAck(3 * SECOND + MS, { timestamps: [9, 1000] }),
      ],
      expected: [{ ambiguous: true, clientRttNs: undefined, synCount: 3 }],
    },
    {
      name: "the second and the third of three carry what is echoed",
      events: [
        P.syn(0, { timestamps: [0, 0] }),
        P.syn(SECOND, { timestamps: [1, 0] }),
        P.syn(SECOND + 100 * MS, { timestamps: [1, 0] }),
        P.synAck(SECOND + 200 * MS, { timestamps: [9, 1] }),
      ],
      expected: [{ ambiguous: true, clientRttNs: undefined, lastSynToSynAckNs: 100 * MS }],
    },
    {
      name: "the last alone carries what is echoed",
      events: [
        P.syn(0, { timestamps: [0, 0] }),
        P.syn(100 * MS, { timestamps: [0, 0] }),
        P.syn(SECOND, { timestamps: [1, 0] }),
        P.synAck(SECOND + 200 * MS, { timestamps: [9, 1] }),
      ],
      expected: [{ ambiguous: false, clientRttNs: 200 * MS }],
    },
    {
      name: "repeated after the SYN-ACK",
      events: [P.syn(0), P.synAck(5), P.syn(SECOND), P.ack(SECOND + 5)],
      expected: [{
        ambiguous: false,
        clientRttNs: 5,
        synCount: 2,
        firstSynToSynAckNs: undefined,
        lastSynToSynAckNs: undefined,
      }],
    },
  ]);
});

Deno.test("Matcher gives a server RTT only where it is known which SYN-ACK was answered", () => {
  const twice = {
    synAckCount: 2,
    clientRttNs: 5,
    firstSynAckToAckNs: SECOND + 10,
    lastSynAckToAckNs: 10,
  };
  const repeated = (
    firstStamp: [number, number] | undefined,
    lastStamp: [number, number] | undefined,
    answer: [number, number] | undefined,
  ) => [
    P.syn(0),
    P.synAck(5, { timestamps: firstStamp }),
    P.synAck(SECOND + 5, { timestamps: lastStamp }),
    P.ack(SECOND + 15, { timestamps: answer }),
  ];
  const unknown = { ...twice, ambiguous: true, serverRttNs: undefined, totalNs: SECOND + 15 };
  check([
    {
      name: "no timestamps",
      events: repeated(undefined, undefined, undefined),
      expected: [unknown],
    },
    {
      name: "the first is echoed, as in the ACK of a later one where the first ACK was lost",
      events: repeated([5, 1], [1005, 1], [9, 5]),
      expected: [unknown],
    },
    {
      name: "the last is echoed",
      events: repeated([5, 1], [1005, 1], [9, 1005]),
      expected: [{ ...twice, ambiguous: false, serverRttNs: 10 }],
    },
    {
      name: "both carry the same",
      events: repeated([5, 1], [5, 1], [9, 5]),
      expected: [unknown],
    },
    {
      name: "repeated after the ACK",
      events: [P.syn(0), P.synAck(5), P.ack(15), P.synAck(20), { completeNs: 50 * MS }],
      expected: [{
        ambiguous: false,
        serverRttNs: 10,
        synAckCount: 2,
        firstSynAckToAckNs: undefined,
        lastSynAckToAckNs: undefined,
      }],
    },
    {
      name: "repeated with another sequence number, which the ACK acknowledges",
      events: [
        P.syn(0),
        P.synAck(5),
        P.synAck(SECOND + 5, { sequence: 7 }),
        P.ack(SECOND + 15, { acknowledgment: 8 }),
      ],
      expected: [{ ...twice, ambiguous: false, serverRttNs: 10, server: isn(7), ...ALL_FIT }],
    },
    {
      name: "repeated with another sequence number, the ACK acknowledges the first",
      events: [
        P.syn(0),
        P.synAck(5),
        P.synAck(SECOND + 5, { sequence: 7 }),
        P.ack(SECOND + 15),
      ],
      expected: [{
        ...twice,
        ambiguous: false,
        serverRttNs: SECOND + 10,
        server: isn(P.y),
        ...ALL_FIT,
      }],
    },
    {
      name: "the number that the ACK acknowledges came twice",
      events: [
        P.syn(0),
        P.synAck(5),
        P.synAck(10, { sequence: 7 }),
        P.synAck(SECOND + 5, { sequence: 7 }),
        P.ack(SECOND + 15, { acknowledgment: 8 }),
      ],
      expected: [{ ...unknown, synAckCount: 3, server: isn(7) }],
    },
    {
      name: "the same, the last one's timestamp echoed",
      events: [
        P.syn(0, { timestamps: [1, 0] }),
        P.synAck(5, { timestamps: [5, 1] }),
        P.synAck(10, { sequence: 7, timestamps: [10, 1] }),
        P.synAck(SECOND + 5, { sequence: 7, timestamps: [1005, 1] }),
        P.ack(SECOND + 15, { acknowledgment: 8, timestamps: [9, 1005] }),
      ],
      expected: [{ ...twice, synAckCount: 3, ambiguous: false, serverRttNs: 10 }],
    },
    {
      name: "the first number came twice, the last SYN-ACK that is echoed has the other",
      events: [
        P.syn(0, { timestamps: [1, 0] }),
        P.synAck(5, { timestamps: [5, 1] }),
        P.synAck(10, { timestamps: [10, 1] }),
        P.synAck(SECOND + 5, { sequence: 7, timestamps: [1005, 1] }),
        P.ack(SECOND + 15, { timestamps: [9, 1005] }),
      ],
      expected: [{ ...unknown, synAckCount: 3, server: isn(P.y) }],
    },
    {
      name: "three numbers",
      events: [
        P.syn(0),
        P.synAck(5),
        P.synAck(10, { sequence: 7 }),
        P.synAck(SECOND + 5, { sequence: 77 }),
        P.ack(SECOND + 15, { acknowledgment: 78 }),
      ],
      expected: [{ ...unknown, synAckCount: 3, server: isn(77) }],
    },
    {
      name: "repeated with another sequence number, then a RST that follows it",
      events: [
        P.syn(0),
        P.synAck(5),
        P.synAck(9, { sequence: 7 }),
        P.serverReset(15, { sequence: 8 }),
      ],
      expected: [{ outcome: "refused", server: isn(P.y), rstCount: 1 }],
    },
  ]);
});

Deno.test("Matcher completes nothing with a packet whose numbers do not fit", () => {
  check([
    {
      name: "SYN-ACK with a wrong Ack",
      events: [P.syn(0), P.synAck(5, { acknowledgment: P.x }), P.ack(9)],
      expected: [{
        outcome: "unanswered",
        synAckAcknowledgesSyn: false,
        synAckCount: 0,
        clientRttNs: undefined,
        server: isn(undefined),
      }],
      counters: { unexpected: 1 },
    },
    {
      name: "SYN-ACK with a wrong Ack, then the right one",
      events: [P.syn(0), P.synAck(5, { acknowledgment: plus(P.x, 2) }), P.synAck(8), P.ack(9)],
      expected: [{ outcome: "established", synAckCount: 1, clientRttNs: 8, ...ALL_FIT }],
      counters: { unexpected: 1 },
    },
    {
      name: "the same where the kernel's record came first",
      events: [
        P.clientHalf(9),
        P.syn(0),
        P.synAck(5, { acknowledgment: plus(P.x, 2) }),
        P.synAck(8),
        P.ack(9),
      ],
      expected: [{ outcome: "established", synAckCount: 1, clientRttNs: 8, ...ALL_FIT }],
      counters: { unexpected: 1 },
    },
    {
      name: "third packet with a wrong Seq",
      events: [P.syn(0), P.synAck(5), P.ack(9, { sequence: plus(P.x, 2) })],
      expected: [{
        outcome: "half_open",
        ...ALL_FIT,
        ackSequence: false,
        ackNs: undefined,
        serverRttNs: undefined,
        totalNs: undefined,
      }],
      counters: { unexpected: 1 },
    },
    {
      name: "third packet with a wrong Ack",
      events: [P.syn(0), P.synAck(5), P.ack(9, { acknowledgment: P.y })],
      expected: [{ outcome: "half_open", ...ALL_FIT, ackAcknowledgesSynAck: false }],
      counters: { unexpected: 1 },
    },
    {
      name: "third packet with a wrong Ack, then the right one",
      events: [P.syn(0), P.synAck(5), P.ack(9, { acknowledgment: plus(P.y, 2) }), P.ack(10)],
      expected: [{ outcome: "established", ...ALL_FIT, serverRttNs: 5 }],
      counters: { unexpected: 1 },
    },
    {
      name: "FIN without the ACK flag, whatever stands in its acknowledgment number",
      events: [P.syn(0), P.synAck(5), P.ack(9, { flags: TcpFlag.FIN | TcpFlag.PSH })],
      expected: [{
        outcome: "half_open",
        ackSequence: undefined,
        ackAcknowledgesSynAck: undefined,
      }],
    },
    {
      name: "the ACK never captured, data completes it",
      events: [P.syn(0), P.synAck(5), P.ack(20, { payloadLength: 517, flags: 0x18 })],
      expected: [{ outcome: "established", serverRttNs: 15, totalNs: 20, ...ALL_FIT }],
    },
    {
      name: "the ACK never captured, FIN completes it",
      events: [P.syn(0), P.synAck(5), P.ack(20, { flags: TcpFlag.FIN | TcpFlag.ACK })],
      expected: [{ outcome: "established", serverRttNs: 15, ...ALL_FIT }],
    },
    {
      name: "the same, the ACK not captured either but data with its Seq",
      events: [P.syn(0), P.ack(5, { payloadLength: 517 })],
      expected: [{ outcome: "established", flags: ["one_sided"], server: isn(undefined) }],
    },
  ]);
});

Deno.test("Matcher calculates modulo 2^32", () => {
  const numbers = [0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
  for (const x of numbers) {
    for (const y of numbers) {
      const play = new Play(P.client, P.server, x, y);
      check([
        {
          name: `${x} ${y}: fits`,
          events: threePackets(play, 0),
          expected: [{ outcome: "established", client: isn(x), server: isn(y), ...ALL_FIT }],
        },
        {
          name: `${x} ${y}: all data of the SYN`,
          events: [
            play.syn(0, { payloadLength: 1000 }),
            play.synAck(1, { acknowledgment: plus(x, 1001) }),
            play.ack(2, { sequence: plus(x, 1001) }),
          ],
          expected: [{ outcome: "established", ...ALL_FIT, flags: ["tcp_fast_open"] }],
        },
        {
          name: `${x} ${y}: refused`,
          events: [play.syn(0), play.refusal(1)],
          expected: [{ outcome: "refused" }],
        },
        {
          name: `${x} ${y}: client gives up`,
          events: [play.syn(0), play.synAck(1), play.clientReset(2)],
          expected: [{ outcome: "aborted" }],
        },
        {
          name: `${x} ${y}: server gives up`,
          events: [play.syn(0), play.synAck(1), play.serverReset(2)],
          expected: [{ outcome: "refused" }],
        },
        {
          name: `${x} ${y}: one beside`,
          events: [play.syn(0), play.synAck(1), play.ack(2, { sequence: x, acknowledgment: y })],
          expected: [{ outcome: "half_open", ackSequence: false, ackAcknowledgesSynAck: false }],
          counters: { unexpected: 1 },
        },
        {
          name: `${x} ${y}: the SYN not seen`,
          events: [play.synAck(0), play.ack(1)],
          expected: [{ outcome: "established", client: isn(x), server: isn(y) }],
        },
      ]);
    }
  }
});

Deno.test("Matcher accepts what TCP Fast Open allows", () => {
  const data = { payloadLength: 100, fastOpenCookieLength: 8 };
  const fastOpen = { flags: ["tcp_fast_open"] };
  check([
    {
      name: "data fully accepted",
      events: [
        P.syn(0, data),
        P.synAck(5, { acknowledgment: plus(P.x, 101) }),
        P.ack(9, { sequence: plus(P.x, 101) }),
      ],
      expected: [{
        outcome: "established",
        clientRttNs: 5,
        serverRttNs: 4,
        ...ALL_FIT,
        ...fastOpen,
      }],
    },
    {
      name: "data partly accepted",
      events: [
        P.syn(0, data),
        P.synAck(5, { acknowledgment: plus(P.x, 41) }),
        P.ack(9, { sequence: plus(P.x, 41), payloadLength: 60 }),
      ],
      expected: [{ outcome: "established", ...ALL_FIT, ...fastOpen }],
    },
    {
      name: "data not accepted",
      events: [P.syn(0, data), P.synAck(5), P.ack(9, { payloadLength: 100 })],
      expected: [{ outcome: "established", ...ALL_FIT, ...fastOpen }],
    },
    {
      name: "more than was sent is not accepted",
      events: [P.syn(0, data), P.synAck(5, { acknowledgment: plus(P.x, 102) })],
      expected: [{ outcome: "unanswered", synAckAcknowledgesSyn: false, synAckCount: 0 }],
      counters: { unexpected: 1 },
    },
    {
      name: "refused with the data acknowledged",
      events: [P.syn(0, data), P.refusal(5, { acknowledgment: plus(P.x, 101) })],
      expected: [{ outcome: "refused" }],
    },
    {
      name: "the ACK covers data that the server sent early",
      events: [
        P.syn(0, data),
        P.synAck(5, { acknowledgment: plus(P.x, 101) }),
        P.ack(9, { sequence: plus(P.x, 101), acknowledgment: plus(P.y, 1 + 2920) }),
      ],
      expected: [{ outcome: "established", serverRttNs: 4, ...ALL_FIT }],
    },
    {
      name: "without Fast Open the server can have sent nothing",
      events: [P.syn(0), P.synAck(5), P.ack(9, { acknowledgment: plus(P.y, 1 + 2920) })],
      expected: [{ outcome: "half_open", ackAcknowledgesSynAck: false }],
      counters: { unexpected: 1 },
    },
    {
      name: "a cookie asked for and given, no data",
      events: [P.syn(0, { fastOpenCookieLength: 0 }), P.synAck(5), P.ack(9)],
      expected: [{ outcome: "established", ...fastOpen }],
    },
  ]);
});

Deno.test("Matcher makes one record of what wire and kernel tell, in any order", () => {
  const pieces: Event[] = [
    P.clientHalf(12 * MS, { connectNs: -1000 }),
    P.serverHalf(13 * MS, { synReceivedNs: 5 * MS }),
    P.syn(0),
    P.synAck(10 * MS),
    P.ack(11 * MS),
  ];
  const whole = {
    outcome: "established",
    role: "local",
    wire: true,
    kernel: true,
    timeNs: 0,
    connectNs: -1000,
    synReceivedNs: 5 * MS,
    establishedNs: 12 * MS,
    serverEstablishedNs: 13 * MS,
    clientRttNs: 10 * MS,
    serverRttNs: MS,
    ...ALL_FIT,
  } as const;
  const [clientHalf, serverHalf, syn, synAck, ack] = pieces;
  // The packets keep their order; the two halves come anywhere, in either order.
  for (let at = 0; at <= 3; at++) {
    for (let later = at; later <= 3; later++) {
      for (const [one, other] of [[clientHalf, serverHalf], [serverHalf, clientHalf]]) {
        const packets = [syn, synAck, ack];
        const events = [
          ...packets.slice(0, at),
          one,
          ...packets.slice(at, later),
          other,
          ...packets.slice(later),
        ];
        check([{ name: `${at} ${later}`, events, expected: [whole] }]);
        const { beforeFlush } = run(events);
        assertEquals(beforeFlush, 0, "it waits: who listened may be known a moment later");
      }
    }
  }
  const { wire, role } = { wire: false, role: "client" } as const;
  check([
    {
      name: "client alone",
      events: [clientHalf],
      expected: [{ outcome: "established", wire, role, client: isn(P.x), server: isn(P.y) }],
    },
    {
      name: "server alone",
      events: [serverHalf],
      expected: [{
        outcome: "established",
        wire,
        role: "server",
        client: isn(P.x),
        server: isn(P.y),
      }],
    },
    {
      name: "both halves",
      events: [serverHalf, clientHalf],
      expected: [{ outcome: "established", wire, role: "local", clientRttNs: undefined }],
    },
    {
      name: "SYN-ACK before SYN, as of two rings",
      events: [synAck, syn, ack],
      expected: [{ outcome: "established", clientRttNs: 10 * MS, totalNs: 11 * MS, flags: [] }],
    },
  ]);
});

/** Every order of some events. */
function orders(events: readonly Event[]): Event[][] {
  if (events.length < 2) return [[...events]];
  return events.flatMap((event, index) =>
    orders(events.toSpliced(index, 1)).map((rest) => [event, ...rest])
  );
}

Deno.test("Matcher makes one record of a packet and of its drop, in any order", () => {
  const again = P.syn(SECOND);
  const dropped = { outcome: "dropped", reason: "NETFILTER_DROP", dropPacket: "syn" } as const;
  const cases: { name: string; events: Event[]; expected: Partial<Snapshot> }[] = [
    {
      name: "the SYN",
      events: [P.syn(0), P.synDrop(50)],
      expected: {
        ...dropped,
        dropCount: 1,
        droppedNs: 50,
        synCount: 1,
        timeNs: 0,
        wire: true,
        kernel: true,
      },
    },
    {
      name: "the SYN twice, for two reasons",
      events: [P.syn(0), P.queueDrop(50), P.synDrop(SECOND + 50)],
      expected: { ...dropped, dropCount: 2, droppedNs: SECOND + 50, dropQueue: undefined },
    },
    {
      name: "an accept queue that overflowed for a moment",
      events: [P.queueDrop(50), P.serverHalf(SECOND + 11 * MS), P.clientHalf(SECOND + 10 * MS)],
      expected: {
        outcome: "established",
        reason: undefined,
        role: "local",
        dropCount: 1,
        dropReason: "ACCEPT_QUEUE_FULL",
        dropQueue: { length: 129, limit: 128 },
      },
    },
    {
      name: "dropped until the client gave up",
      events: [P.syn(0), P.synDrop(50), P.clientHalf(SECOND, { newState: 7, error: 110 })],
      expected: {
        outcome: "timeout",
        reason: "ETIMEDOUT",
        dropReason: "NETFILTER_DROP",
        dropCount: 1,
      },
    },
    {
      name: "the SYN-ACK that left by no interface",
      events: [P.syn(0), P.synAckDrop(50)],
      expected: {
        outcome: "half_open",
        reason: undefined,
        dropPacket: "syn_ack",
        server: isn(P.y),
        synAckCount: 0,
        clientRttNs: undefined,
      },
    },
    {
      name: "the SYN-ACK that came in",
      events: [P.syn(0), P.synAck(40), P.synAckDrop(50)],
      expected: { outcome: "half_open", dropPacket: "syn_ack", synAckCount: 1, clientRttNs: 40 },
    },
    {
      name: "the SYN refused, by a RST of this host's kernel",
      events: [P.synDrop(51, { reason: "NO_SOCKET" }), P.syn(0), P.refusal(50)],
      expected: { outcome: "refused", reason: "NO_SOCKET", dropCount: 1 },
    },
  ];
  for (const { name, events, expected } of cases) {
    for (const order of orders(events)) {
      // A SYN-ACK or RST that comes before the SYN is another case.
      const packets = order.filter((event) => "packet" in event);
      if (packets.length > 1 && packets[0] !== events.find((event) => "packet" in event)) continue;
      check([{ name, events: order, expected: [expected] }]);
    }
  }
  // Three packets, dropped once before: the SYN again and what follows.
  const goesOn = [again, P.synAck(SECOND + 5), P.ack(SECOND + 9)];
  for (const begin of orders([P.syn(0), P.queueDrop(50)])) {
    check([{
      name: "the SYN comes again",
      events: [...begin, ...goesOn],
      expected: [{
        outcome: "established",
        synCount: 2,
        dropCount: 1,
        ambiguous: true,
        ...ALL_FIT,
      }],
    }]);
  }
});

Deno.test("Matcher makes a record of a drop that only the kernel saw", () => {
  check([
    {
      name: "a SYN",
      events: [P.queueDrop(70)],
      expected: [{
        outcome: "dropped",
        reason: "ACCEPT_QUEUE_FULL",
        wire: false,
        kernel: true,
        role: "server",
        timeNs: 70,
        netns: 4026532000,
        client: isn(P.x),
        server: isn(undefined),
        dropCount: 1,
        flags: ["trace_ended"],
      }],
    },
    {
      name: "a SYN-ACK",
      events: [P.synAckDrop(70)],
      expected: [{
        outcome: "half_open",
        role: "observer",
        client: isn(P.x),
        server: isn(P.y),
        dropPacket: "syn_ack",
      }],
    },
    {
      name: "two attempts on one tuple",
      events: [P.synDrop(1), P.again(7, 8).synDrop(2), P.synDrop(3)],
      expected: [
        { outcome: "dropped", client: isn(7), dropCount: 1 },
        { outcome: "dropped", client: isn(P.x), dropCount: 2 },
      ],
    },
    {
      name: "nothing of a handshake",
      events: [
        P.synDrop(1, { flags: TcpFlag.SYN | TcpFlag.RST }),
        P.synDrop(2, { flags: TcpFlag.ACK }),
        P.synDrop(3, { flags: TcpFlag.SYN | TcpFlag.ACK | TcpFlag.RST }),
      ],
      expected: [],
      counters: { unexpected: 3 },
    },
  ]);
});

Deno.test("Matcher gives a dropped SYN-ACK to the SYN that it answers", () => {
  const data = { payloadLength: 100, fastOpenCookieLength: 8 };
  check([
    {
      name: "data of the SYN acknowledged",
      events: [P.syn(0, data), P.synAckDrop(5, { acknowledgment: plus(P.x, 101) })],
      expected: [{ outcome: "half_open", dropCount: 1, dropPacket: "syn_ack" }],
    },
    {
      name: "not in the SYN's window: it completes nothing",
      events: [P.syn(0), P.synAckDrop(5, { acknowledgment: plus(P.x, 2) })],
      expected: [{ outcome: "unanswered", dropCount: undefined, synAckAcknowledgesSyn: undefined }],
      counters: { unexpected: 1 },
    },
    {
      name: "of an attempt before the one that is answered",
      events: [P.syn(0), P.again(7, 8).syn(1), P.again(7, 8).synAck(2), P.synAckDrop(5)],
      expected: [
        { outcome: "half_open", client: isn(7), dropCount: undefined },
        { outcome: "half_open", client: isn(P.x), dropCount: 1 },
      ],
    },
  ]);
});

Deno.test("Matcher keeps an accept() of a handshake that is under way, and counts the others", () => {
  const worker = { pid: 812, comm: "worker", uid: 34, cgroup: 100 };
  const accepted = { outcome: "established", role: "server", acceptedNs: 15 * MS } as const;
  const withWorker = { ...accepted, server: { process: worker } as Snapshot["server"] };
  for (const halves of orders([P.serverHalf(12 * MS), P.accept(15 * MS)])) {
    check([{
      name: "before and after the server's half",
      events: [...threePackets(P, 0), ...halves],
      expected: [withWorker],
    }]);
  }
  check([
    {
      name: "after the half alone",
      events: [P.serverHalf(12 * MS), P.accept(15 * MS)],
      expected: [{ ...withWorker, acceptedNs: 3 * MS, timeNs: 12 * MS }],
    },
    {
      name: "the listener's process first",
      events: [P.serverHalf(12 * MS), P.accept(15 * MS)],
      options: { listenerOf: () => ({ ...worker, pid: 80, comm: "nginx" }) },
      expected: [{
        server: { process: { ...worker, pid: 80, comm: "nginx" } } as Snapshot["server"],
      }],
    },
    {
      name: "of nothing that is known",
      events: [P.accept(15 * MS), P.serverHalf(16 * MS)],
      expected: [{ acceptedNs: undefined }],
      counters: { lateAccepts: 1 },
    },
    {
      name: "of another attempt on the tuple",
      events: [...threePackets(P, 0), P.again(7, 8).accept(15 * MS)],
      expected: [{ acceptedNs: undefined, kernel: false }],
      counters: { lateAccepts: 1 },
    },
    {
      name: "seconds later, as programs may",
      events: [...threePackets(P, 0), { completeNs: SECOND }, P.accept(2 * SECOND)],
      expected: [{ outcome: "established", acceptedNs: undefined }],
      counters: { lateAccepts: 1 },
    },
    {
      name: "told twice",
      events: [P.serverHalf(12 * MS), P.accept(15 * MS), P.accept(16 * MS)],
      expected: [{ acceptedNs: 3 * MS }],
      counters: { lateKernelRecords: 1 },
    },
  ]);
});

Deno.test("Matcher keeps why this host answered a packet with a RST", () => {
  const refused = { outcome: "refused", reason: "NO_SOCKET", resetReason: "NO_SOCKET" } as const;
  check([
    {
      name: "the SYN",
      events: [P.syn(0), P.synReset(5), P.refusal(6)],
      expected: [refused],
    },
    {
      name: "the SYN, told after the RST was seen",
      events: [P.syn(0), P.refusal(6), P.synReset(5)],
      expected: [{ ...refused, resetSentNs: 5 }],
    },
    {
      name: "the SYN-ACK, which the client did not ask for",
      events: [P.synAck(5), P.synAckReset(6), P.clientReset(7)],
      expected: [{ outcome: "aborted", reason: undefined, resetReason: "NO_SOCKET" }],
    },
    {
      name: "the third ACK, after which the client is established",
      events: [...threePackets(P, 0), P.ackReset(12 * MS), P.serverReset(13 * MS)],
      expected: [{ outcome: "established", resetReason: "TCP_ABORT_ON_OVERFLOW", rstCount: 0 }],
    },
    {
      name: "a later ACK of the connection",
      events: [
        ...threePackets(P, 0),
        P.ackReset(12 * MS, { acknowledgment: plus(P.y, 500) }),
        P.ackReset(12 * MS, { sequence: plus(P.x, 500) }),
      ],
      expected: [{ resetReason: undefined, kernel: false }],
    },
    {
      name: "the SYN, told before the SYN was seen",
      events: [P.synReset(5), P.refusal(6), P.syn(0)],
      expected: [refused],
    },
    {
      name: "a SYN that nobody captured",
      events: [P.synReset(5)],
      expected: [{ ...refused, wire: false, timeNs: 5 }],
    },
    {
      name: "nothing that is known: no record",
      events: [P.synAckReset(2), P.ackReset(3)],
      expected: [],
    },
    {
      name: "the last of two counts",
      events: [P.syn(0), P.synReset(5, { reason: "TCP_INVALID_SYN" }), P.synReset(6)],
      expected: [refused],
    },
  ]);
});

Deno.test("Matcher reports a handshake once, whatever comes after", () => {
  const joined = { completeNs: 11 * MS + 40 * MS };
  check([
    {
      name: "late kernel records",
      events: [...threePackets(P, 0), joined, P.clientHalf(12 * MS), P.serverHalf(12 * MS)],
      expected: [{ outcome: "established", kernel: false }],
      counters: { lateKernelRecords: 2 },
    },
    {
      name: "late drops and RSTs, which are no new handshake either",
      events: [
        ...threePackets(P, 0),
        joined,
        P.synDrop(12 * MS),
        P.synAckDrop(13 * MS),
        P.synReset(14 * MS),
        P.ackReset(15 * MS),
      ],
      expected: [{ outcome: "established", kernel: false, dropCount: undefined }],
      counters: { lateKernelRecords: 4 },
    },
    {
      name: "stragglers of every kind",
      events: [
        ...threePackets(P, 0),
        joined,
        P.syn(60 * MS),
        P.synAck(61 * MS),
        P.ack(62 * MS),
        P.clientReset(63 * MS),
        P.serverReset(64 * MS),
      ],
      expected: [{ outcome: "established", synCount: 1, synAckCount: 1, rstCount: 0 }],
    },
    {
      name: "packets of the connection before the report",
      events: [
        ...threePackets(P, 0),
        P.ack(12 * MS, { payloadLength: 100, acknowledgment: plus(P.y, 5000) }),
        P.clientReset(13 * MS),
        P.refusal(14 * MS),
      ],
      expected: [{ outcome: "established", rstCount: 0, ackNs: 11 * MS }],
    },
    {
      name: "the tuple used again",
      events: [
        ...threePackets(P, 0),
        joined,
        ...threePackets(P.again(7, 8), SECOND),
        P.again(7, 8).clientHalf(SECOND + 12 * MS),
      ],
      expected: [
        { outcome: "established", client: isn(P.x), server: isn(P.y), synCount: 1 },
        { outcome: "established", client: isn(7), server: isn(8), synCount: 1, kernel: true },
      ],
    },
    {
      name: "the tuple used again while the first attempt is open, the answers mixed",
      events: [
        P.syn(0),
        P.again(7, 8).syn(1),
        P.synAck(10),
        P.again(7, 8).synAck(11),
        P.ack(20),
        P.again(7, 8).ack(21),
      ],
      expected: [
        { outcome: "established", client: isn(P.x), clientRttNs: 10, serverRttNs: 10, ...ALL_FIT },
        { outcome: "established", client: isn(7), clientRttNs: 10, serverRttNs: 10, ...ALL_FIT },
      ],
    },
    {
      name: "connect() that failed before it had a port, three times",
      events: [1, 2, 3].map((time) =>
        P.clientHalf(time, { newState: 7, error: 101, localPort: 0, iss: 0 })
      ),
      expected: [1, 2, 3].map((timeNs) => ({
        outcome: "unreachable",
        reason: "ENETUNREACH",
        timeNs,
        client: { ...isn(undefined), port: 0 },
      })),
    },
  ]);
});

Deno.test("Matcher takes the very SYN after its RST for a new attempt", () => {
  const refused = { outcome: "refused", synCount: 1, rstCount: 1, synAckCount: 0 } as const;
  const established = {
    outcome: "established",
    synCount: 1,
    rstCount: 0,
    ambiguous: false,
    ...ALL_FIT,
  } as const;
  const tried = (atNs: number) => [P.syn(atNs), P.refusal(atNs + 10)];
  const again = threePackets(P, SECOND);
  const endNs = SECOND + 12 * MS;
  check([
    { name: "at once", events: [...tried(0), ...again], expected: [refused, established] },
    {
      name: "after the report",
      events: [...tried(0), { completeNs: 100 * MS }, ...again],
      expected: [refused, established],
    },
    {
      name: "refused three times",
      events: [...tried(0), ...tried(MS), ...tried(2 * MS)],
      expected: [refused, refused, refused],
    },
    {
      name: "copies of it at another place",
      events: [
        P.syn(0, {}, 1),
        P.syn(1, {}, 2),
        P.refusal(2, {}, 2),
        P.refusal(3, {}, 1),
        P.syn(10, {}, 1),
        P.syn(11, {}, 2),
        P.refusal(12, {}, 2),
        P.refusal(13, {}, 1),
      ],
      expected: [refused, refused],
    },
    {
      name: "a RST after the SYN-ACK: the SYN is a straggler",
      events: [P.syn(0), P.synAck(1), P.serverReset(2), P.syn(3)],
      expected: [{ outcome: "refused", synCount: 2 }],
    },
    {
      name: "the kernel tells of each in its time",
      events: [
        ...tried(0),
        ...again,
        P.synReset(5),
        P.synDrop(15, { reason: "NO_SOCKET" }),
        P.serverHalf(endNs),
        P.accept(endNs + 1),
      ],
      // What the kernel tells of the first ends a doubt, later than the second one's end was known.
      expected: [
        { ...established, serverEstablishedNs: undefined, acceptedNs: 12 * MS + 1 },
        { ...refused, resetReason: "NO_SOCKET", dropCount: 1, kernel: true },
      ],
    },
    {
      name: "the kernel tells of the second before its SYN",
      events: [...tried(0), P.serverHalf(endNs), P.accept(endNs), ...again],
      expected: [{ ...refused, kernel: false }, { ...established, kernel: true }],
    },
    {
      name: "the same after the report",
      events: [...tried(0), { completeNs: 100 * MS }, P.serverHalf(endNs), ...again],
      expected: [{ ...refused, kernel: false }, { ...established, kernel: true }],
    },
    {
      name: "the kernel tells of all before any packet",
      events: [
        P.synReset(5),
        P.synDrop(15, { reason: "NO_SOCKET" }),
        P.serverHalf(endNs),
        ...tried(0),
        ...again,
      ],
      expected: [
        { ...refused, resetReason: "NO_SOCKET", dropCount: 1 },
        { ...established, kernel: true },
      ],
    },
    {
      name: "the same, each packet at two places",
      events: [
        P.synReset(5),
        P.serverHalf(endNs),
        P.syn(0, {}, 1),
        P.syn(1, {}, 2),
        P.refusal(10, {}, 2),
        P.refusal(11, {}, 1),
        ...again,
      ],
      expected: [{ ...refused, kernel: true }, { ...established, kernel: true }],
    },
    {
      name: "the kernel alone",
      events: [
        P.synReset(5),
        { completeNs: 100 * MS },
        P.serverHalf(endNs),
      ],
      expected: [{ outcome: "refused" }, { outcome: "established" }],
    },
    {
      name: "the second SYN dropped, told before it was seen",
      events: [...tried(0), P.synDrop(SECOND), P.syn(SECOND - 5)],
      expected: [{ ...refused, kernel: false }, { outcome: "dropped", synCount: 1, dropCount: 1 }],
    },
    {
      name: "the second's SYN-ACK dropped, told before its SYN was seen",
      events: [...tried(0), P.synAckDrop(SECOND), P.syn(SECOND - 5)],
      expected: [{ ...refused, kernel: false }, {
        outcome: "half_open",
        synCount: 1,
        dropCount: 1,
      }],
    },
    {
      name: "the client's end comes after its RST",
      events: [...tried(0), P.clientHalf(50, { newState: 7, error: 111, synSentNs: -5 })],
      expected: [{ ...refused, reason: "ECONNREFUSED" }],
    },
    {
      name: "the client connects again with the same number, told before its SYN was seen",
      events: [
        ...tried(0),
        P.clientHalf(50, { newState: 7, error: 111 }),
        P.clientHalf(MS + 50, { newState: 7, error: 111, connectNs: MS }),
        ...tried(MS + 5),
      ],
      expected: Array(2).fill({ ...refused, reason: "ECONNREFUSED" }),
    },
    {
      name: "a RST that left by no interface ends nothing: the SYN comes again",
      events: [P.syn(0), P.synReset(5), P.syn(SECOND), P.synAck(SECOND + 5), P.ack(SECOND + 9)],
      expected: [{ outcome: "established", synCount: 2, resetReason: "NO_SOCKET" }],
    },
  ]);
});

Deno.test("Matcher takes the times of one place where a packet passes several", () => {
  // A bridge: the SYN passes veth (1), then bridge (2); the answer passes them the other way.
  const bridged = [
    P.syn(0, {}, 1),
    P.syn(100, {}, 2),
    P.synAck(1000, {}, 2),
    P.synAck(1100, {}, 1),
    P.ack(1200, {}, 1),
    P.ack(1300, {}, 2),
  ];
  const times = { clientRttNs: 1100, serverRttNs: 100, totalNs: 1200, ambiguous: false };
  const counts = {
    synCount: 1,
    synAckCount: 1,
    outcome: "established",
    interfaceIndex: 1,
  } as const;
  check([
    { name: "each twice", events: bridged, expected: [{ ...times, ...counts, ...ALL_FIT }] },
    {
      name: "each twice, the SYN sent twice",
      events: [
        P.syn(-SECOND, { timestamps: [1, 0] }, 1),
        P.syn(-SECOND + 100, { timestamps: [1, 0] }, 2),
        P.syn(0, { timestamps: [1001, 0] }, 1),
        P.syn(100, { timestamps: [1001, 0] }, 2),
        P.synAck(1000, { timestamps: [9, 1001] }, 2),
        P.synAck(1100, { timestamps: [9, 1001] }, 1),
        P.ack(1200, {}, 1),
        P.ack(1300, {}, 2),
      ],
      expected: [{
        ...times,
        ...counts,
        totalNs: SECOND + 1200,
        synCount: 2,
        firstSynToSynAckNs: SECOND + 1100,
        lastSynToSynAckNs: 1100,
      }],
    },
    {
      name: "the SYN-ACK's copy at the SYN's place comes after the ACK",
      events: [P.syn(0, {}, 1), P.synAck(10, {}, 2), P.ack(20, {}, 1), P.synAck(30, {}, 1)],
      expected: [{ ...counts, clientRttNs: 10, serverRttNs: 10, ambiguous: false }],
    },
    {
      name: "out by one interface, in by another",
      events: [P.syn(0, {}, 1), P.synAck(1000, {}, 2), P.synAck(5000, {}, 2), P.ack(6000, {}, 1)],
      expected: [{ ...counts, synAckCount: 2, clientRttNs: 1000, ambiguous: true }],
    },
    {
      name: "the first SYN-ACK does not come as far as the SYN's place",
      events: [
        P.syn(0, {}, 1),
        P.syn(100, {}, 2),
        P.synAck(1000, { timestamps: [5, 1] }, 2),
        P.synAck(SECOND, { timestamps: [1005, 1] }, 2),
        P.synAck(SECOND + 100, { timestamps: [1005, 1] }, 1),
        P.ack(SECOND + 200, { timestamps: [9, 1005] }, 1),
      ],
      expected: [{
        ...counts,
        synAckCount: 2,
        clientRttNs: 1000,
        firstSynAckToAckNs: SECOND - 800,
        lastSynAckToAckNs: 100,
        serverRttNs: 100,
        ambiguous: false,
      }],
    },
    {
      name: "the first does not come so far, the one with another number does",
      events: [
        P.syn(0, {}, 1),
        P.synAck(1000, {}, 2),
        P.synAck(SECOND, { sequence: 7 }, 2),
        P.synAck(SECOND + 100, { sequence: 7 }, 1),
        P.ack(SECOND + 200, { acknowledgment: 8 }, 1),
      ],
      expected: [{ ...counts, synAckCount: 2, serverRttNs: 100, ambiguous: false }],
    },
    {
      name: "interface of the SYN-ACK where the SYN was not seen",
      events: [P.synAck(0, {}, 4), P.ack(5, {}, 4)],
      expected: [{ interfaceIndex: 4, serverRttNs: 5, flags: ["one_sided"] }],
    },
  ]);
});

Deno.test("Matcher says what a one-sided capture can say", () => {
  check([
    {
      name: "SYN-ACK and no SYN",
      events: [P.synAck(5)],
      expected: [{
        outcome: "half_open",
        client: { ...isn(P.x), mss: undefined, window: undefined, sackPermitted: undefined },
        server: isn(P.y),
        clientRttNs: undefined,
        timeNs: 5,
        synAckNs: 0,
        synCount: 0,
        synAckAcknowledgesSyn: undefined,
        flags: ["one_sided", "trace_ended"],
      }],
    },
    {
      name: "SYN alone, the kernel says established",
      events: [P.syn(0), P.clientHalf(9)],
      expected: [{ outcome: "established", clientRttNs: undefined, flags: ["one_sided"] }],
    },
    { name: "ACK alone", events: [P.ack(0), P.ack(1, { payloadLength: 9 })], expected: [] },
  ]);
});

Deno.test("Matcher gives a simultaneous open and a self-connect as established", () => {
  const looped = new Play(end("127.0.0.1", 7777), end("127.0.0.1", 7777), 1000, 1000);
  const reverse = new Play(P.server, P.client, P.y, P.x);
  const opened = {
    outcome: "established",
    client: isn(P.x),
    server: isn(P.y),
    synAckAcknowledgesSyn: true,
    flags: ["simultaneous_open"],
  } as const;
  const curl = { pid: 4711, comm: "curl", uid: 1000, cgroup: 8231 };
  check([
    {
      name: "self-connect: SYN, its own SYN-ACK, kernel 2 to 3 to 1",
      events: [looped.syn(0), looped.synAck(5), looped.clientHalf(6, { oldState: 3 })],
      expected: [{ outcome: "established", clientRttNs: 5, flags: ["self_connect"] }],
    },
    {
      name: "self-connect with its ACK",
      events: [looped.syn(0), looped.synAck(5), looped.ack(6)],
      expected: [{ outcome: "established", flags: ["self_connect"], ...ALL_FIT }],
    },
    {
      name: "simultaneous open: one client a side",
      events: [
        P.syn(0),
        reverse.syn(1),
        P.synAck(10),
        reverse.synAck(11),
        P.clientHalf(12, { oldState: 3 }),
        reverse.clientHalf(13, { oldState: 3 }),
      ],
      expected: [{
        ...opened,
        role: "local",
        establishedNs: 12,
        serverEstablishedNs: 13,
        client: { ...isn(P.x), process: curl },
        server: { ...isn(P.y), process: curl },
      }],
    },
    {
      name: "the same, the server's end told before the SYN-ACKs",
      events: [
        P.syn(0),
        reverse.syn(1),
        reverse.clientHalf(2, { oldState: 3 }),
        P.synAck(10),
        reverse.synAck(11),
      ],
      expected: [{ ...opened, role: "server", server: { ...isn(P.y), process: curl } }],
    },
    {
      name: "packets alone, the client's SYN-ACK first",
      events: [
        P.syn(0),
        reverse.syn(1),
        reverse.synAck(10),
        P.synAck(11),
        P.syn(12),
        reverse.syn(13),
      ],
      expected: [{ ...opened, clientRttNs: 11, serverRttNs: undefined, ackNs: undefined }],
    },
    {
      name: "packets alone, the server's SYN-ACK first",
      events: [P.syn(0), reverse.syn(1), P.synAck(10), reverse.synAck(11)],
      expected: [{ ...opened, clientRttNs: 10 }],
    },
    {
      name: "with a third packet, as Linux sends one",
      events: [
        P.syn(0),
        reverse.syn(1),
        reverse.synAck(10),
        P.synAck(11),
        P.ack(12),
        reverse.ack(13),
      ],
      expected: [{ ...opened, clientRttNs: 11, serverRttNs: 1, ...ALL_FIT }],
    },
    {
      name: "the server's SYN was not seen",
      events: [P.syn(0), reverse.synAck(10), P.synAck(11)],
      expected: [opened],
    },
    {
      name: "each packet at two places",
      events: [
        P.syn(0, {}, 1),
        P.syn(1, {}, 2),
        reverse.syn(2, {}, 2),
        reverse.syn(3, {}, 1),
        reverse.synAck(4, {}, 1),
        reverse.synAck(5, {}, 2),
        P.synAck(6, {}, 2),
        P.synAck(7, {}, 1),
      ],
      expected: [{ ...opened, clientRttNs: 7, synAckCount: 1 }],
    },
    {
      name: "the client's SYN-ACK alone",
      events: [P.syn(0), reverse.syn(1), reverse.synAck(10)],
      expected: [{
        outcome: "half_open",
        server: isn(P.y),
        flags: ["simultaneous_open", "trace_ended"],
      }],
    },
    {
      name: "the server's SYN-ACK then has another number",
      events: [P.syn(0), reverse.syn(1), reverse.synAck(10), P.synAck(11, { sequence: 7 })],
      expected: [{ outcome: "half_open", server: isn(7) }],
    },
    {
      name: "both SYNs lost: two attempts",
      events: [P.syn(0), reverse.syn(1)],
      expected: [{ outcome: "unanswered" }, { outcome: "unanswered", client: isn(P.y) }],
    },
    {
      name: "the server connects to a listener on the client's port, no simultaneous open",
      events: [
        P.syn(0),
        reverse.syn(SECOND),
        reverse.synAck(SECOND + 1, { sequence: 77 }),
        reverse.ack(SECOND + 2, { acknowledgment: 78 }),
      ],
      expected: [
        { outcome: "established", client: isn(P.y), server: isn(77), clientRttNs: 1, flags: [] },
        { outcome: "unanswered" },
      ],
    },
  ]);
});

Deno.test("Matcher knows a dropped SYN-ACK of before the handshake went on, told late", () => {
  const late = [...threePackets(P, 0), P.synAckDrop(5, { acknowledgment: plus(P.x, 2) })];
  check([
    {
      name: "before the SYN-ACK: it did not fit",
      events: late,
      expected: [{ outcome: "established", dropCount: undefined }],
      counters: { unexpected: 1 },
    },
    {
      name: "the same after the report",
      events: [...late.slice(0, 3), { completeNs: SECOND }, ...late.slice(3)],
      expected: [{ outcome: "established" }],
      counters: { unexpected: 1 },
    },
  ]);
});

Deno.test("Matcher tells ECN whatever is seen first", () => {
  const syn = P.syn(0, { flags: TcpFlag.SYN | TcpFlag.ECE | TcpFlag.CWR });
  const synAck = P.synAck(5, { flags: TcpFlag.SYN | TcpFlag.ACK | TcpFlag.ECE });
  for (const events of [[syn, synAck, P.ack(9)], [synAck, syn, P.ack(9)]]) {
    check([{ name: "ecn", events, expected: [{ flags: ["ecn"] }] }]);
  }
});

Deno.test("Matcher.advance reports each list at its nanosecond, not before", () => {
  const limits = { joinNs: 40, doubtNs: 90, unansweredNs: 700, halfOpenNs: 400 };
  const cases: { name: string; events: Event[]; dueNs: number }[] = [
    { name: "joinNs after the ACK", events: [P.syn(0), P.synAck(5), P.ack(9)], dueNs: 9 + 40 },
    { name: "doubtNs after a RST", events: [P.syn(0), P.refusal(5)], dueNs: 5 + 90 },
    {
      name: "joinNs after a RST of which the kernel told too",
      events: [P.syn(0), P.synReset(4), P.refusal(5)],
      dueNs: 4 + 40,
    },
    { name: "doubtNs after an ACK without a SYN-ACK", events: [P.syn(0), P.ack(5)], dueNs: 5 + 90 },
    { name: "joinNs after the kernel", events: [P.clientHalf(7)], dueNs: 7 + 40 },
    {
      name: "joinNs after the first end, whatever follows",
      events: [P.syn(0), P.synAck(5), P.ack(9), P.clientHalf(12)],
      dueNs: 9 + 40,
    },
    { name: "unansweredNs after the SYN", events: [P.syn(3)], dueNs: 3 + 700 },
    { name: "unansweredNs after the last SYN", events: [P.syn(3), P.syn(9)], dueNs: 9 + 700 },
    {
      name: "unansweredNs whatever comes in answer that does not fit",
      events: [P.syn(3), P.synAck(9, { acknowledgment: P.x })],
      dueNs: 3 + 700,
    },
    { name: "halfOpenNs after the SYN-ACK", events: [P.syn(0), P.synAck(5)], dueNs: 5 + 400 },
    { name: "unansweredNs after a dropped SYN", events: [P.synDrop(3)], dueNs: 3 + 700 },
    {
      name: "unansweredNs after the last SYN that was dropped",
      events: [P.syn(3), P.synDrop(9)],
      dueNs: 9 + 700,
    },
    {
      name: "the same, told before the SYN",
      events: [P.synDrop(9), P.syn(3)],
      dueNs: 9 + 700,
    },
    {
      name: "halfOpenNs after a dropped SYN-ACK",
      events: [P.syn(3), P.synAckDrop(9)],
      dueNs: 9 + 400,
    },
    {
      name: "halfOpenNs after the last SYN-ACK that was dropped",
      events: [P.synAckDrop(9), P.synAckDrop(12), P.syn(3)],
      dueNs: 12 + 400,
    },
    {
      name: "joinNs after the end, whatever drop is told of then",
      events: [P.syn(0), P.synAck(5), P.ack(9), P.synDrop(12), P.accept(13), P.ackReset(14)],
      dueNs: 9 + 40,
    },
    {
      name: "halfOpenNs after the last SYN-ACK",
      events: [P.syn(0), P.synAck(5), P.synAck(9)],
      dueNs: 9 + 400,
    },
  ];
  for (const { name, events, dueNs } of cases) {
    assertEquals(run([...events, { completeNs: dueNs - 1 }], limits).beforeFlush, 0, name);
    assertEquals(run([...events, { completeNs: dueNs }], limits).beforeFlush, 1, name);
  }
});

Deno.test("Matcher.advance forgets a report rememberNs after it, so that the tuple is free", () => {
  const limits = { joinNs: 40, unansweredNs: 700, halfOpenNs: 400, rememberNs: 600 };
  const cases: { name: string; events: Event[]; reportNs: number }[] = [
    { name: "established", events: [P.syn(0), P.synAck(5), P.ack(9)], reportNs: 49 },
    { name: "unanswered", events: [P.syn(0)], reportNs: 700 },
    { name: "half open", events: [P.syn(0), P.synAck(5)], reportNs: 405 },
    {
      name: "told by all sources",
      events: [P.syn(0), P.synAck(5), P.clientHalf(6), P.serverHalf(7), P.ack(9)],
      reportNs: 46,
    },
  ];
  for (const { name, events, reportNs } of cases) {
    const until = (completeNs: number) =>
      run([...events, { completeNs: reportNs }, { completeNs }, P.syn(completeNs)], limits).records;
    assertEquals(until(reportNs + 599).length, 1, name);
    assertEquals(until(reportNs + 600).length, 2, name);
  }
});

Deno.test("Matcher gives up the half-open handshake longest untouched when it is full", () => {
  const play = (port: number) => new Play(end("203.0.113.1", port), P.server, port, 9);
  const options = { capacity: 3 };
  const ports = (records: Snapshot[]) => records.map(({ client }) => client.port);
  const cases: { name: string; events: Event[]; reported: number[]; evicted: number }[] = [
    {
      name: "the oldest SYN",
      events: [1, 2, 3, 4].map((port) => play(port).syn(port)),
      reported: [2, 3, 4],
      evicted: 1,
    },
    {
      name: "not one whose SYN was repeated",
      events: [play(1).syn(1), play(2).syn(2), play(3).syn(3), play(1).syn(4), play(4).syn(5)],
      reported: [3, 1, 4],
      evicted: 1,
    },
    {
      name: "an older SYN-ACK before a younger SYN",
      events: [
        play(1).syn(1),
        play(1).synAck(2),
        play(2).syn(3),
        play(3).syn(4),
        play(4).syn(5),
      ],
      reported: [2, 3, 4],
      evicted: 1,
    },
    {
      name: "no established one: it is reported first, in place of waiting",
      events: [1, 2, 3, 4].flatMap((port) => threePackets(play(port), port * SECOND)),
      reported: [1, 2, 3, 4],
      evicted: 0,
    },
    {
      name: "a half-open one and no established one",
      events: [
        ...threePackets(play(1), 0),
        play(2).syn(SECOND),
        ...threePackets(play(3), 2 * SECOND),
        play(4).syn(3 * SECOND),
      ],
      reported: [1, 3, 4],
      evicted: 1,
    },
    {
      name: "nothing while something reported can be forgotten",
      events: [
        ...threePackets(play(1), 0),
        { completeNs: SECOND },
        play(2).syn(2 * SECOND),
        play(3).syn(2 * SECOND),
        play(4).syn(2 * SECOND),
      ],
      reported: [1, 2, 3, 4],
      evicted: 0,
    },
  ];
  for (const { name, events, reported, evicted } of cases) {
    const outcome = run(events, options);
    assertEquals(ports(outcome.records), reported, name);
    assertEquals(outcome.counters.evicted, evicted, name);
  }
});

Deno.test("Matcher works with room for one to five", () => {
  for (let capacity = 1; capacity <= 5; capacity++) {
    const events: Event[] = [];
    for (let port = 1; port <= 20; port++) {
      const play = new Play(end("203.0.113.1", port), P.server, port, 9);
      events.push(...threePackets(play, port * SECOND), play.clientHalf(port * SECOND + 12 * MS));
    }
    const { records, counters } = run(events, { capacity });
    assertEquals(records.map(({ client }) => client.port), [...Array(20).keys()].map((i) => i + 1));
    assert(records.every(({ wire, kernel }) => wire && kernel));
    assertEquals(counters, {
      evicted: 0,
      crowded: 0,
      contradicted: 0,
      lateKernelRecords: 0,
      lateAccepts: 0,
      unexpected: 0,
    });
  }
});

Deno.test("Matcher counts what is begun and not reported, and whose end is known of these", () => {
  const matcher = new Matcher(EPOCH_SECONDS, () => {});
  const segment = new Segment();
  const send = (event: Event) => {
    if ("packet" in event) {
      matcher.packet(fillSegment(event.packet, segment), event.timeNs, event.interfaceIndex);
    }
  };
  const pending = [matcher.pending];
  const settled = [matcher.settled];
  const look = () => {
    pending.push(matcher.pending);
    settled.push(matcher.settled);
  };
  for (const event of [P.syn(0), P.synAck(5), P.ack(9), P.again(1, 2).syn(10)]) {
    send(event);
    look();
  }
  matcher.advance(9 + 40 * MS);
  look();
  matcher.flush();
  look();
  assertEquals(pending, [0, 1, 1, 1, 2, 1, 0]);
  assertEquals(settled, [0, 0, 0, 1, 1, 0, 0]);
});

Deno.test("Matcher hands out one object, filled anew", () => {
  const seen: Handshake[] = [];
  const matcher = new Matcher(EPOCH_SECONDS, (handshake) => seen.push(handshake));
  matcher.kernelRecord(P.clientHalf(1).record);
  matcher.kernelRecord(P.again(1, 2).clientHalf(1).record);
  matcher.flush();
  assertEquals(seen.length, 2);
  assertStrictEquals(seen[0], seen[1]);
});

/** An end of which only the initial sequence number is expected. */
function isn(value: number | undefined): Snapshot["client"] {
  return { isn: value } as Snapshot["client"];
}

Deno.test("Matcher.clockSet withholds durations across it, and waiting goes on in the new time", () => {
  const hourNs = 3600 * SECOND;
  // Set back by an hour, then on by one: the SYN-ACK and the ACK carry the new time.
  for (const jumpNs of [-hourNs, hourNs]) {
    const before = hourNs * 2;
    const after = before + jumpNs;
    const set = { jumpNs, nowNs: after + 20 };
    const { records, beforeFlush } = run([
      P.syn(before),
      set,
      P.synAck(after + 10),
      P.ack(after + 30),
      { completeNs: after + 30 + 40 * MS },
    ]);
    assertEquals(beforeFlush, 1);
    const [record] = records;
    assertEquals([record.outcome, record.flags], ["established", ["clock_set"]]);
    assertEquals([record.clientRttNs, record.serverRttNs, record.totalNs], [
      undefined,
      undefined,
      undefined,
    ]);
    assertEquals([record.synNs, record.synAckNs, record.ackNs], [undefined, undefined, undefined]);
    assertEquals([record.synAckAcknowledgesSyn, record.ackSequence], [true, true]);
  }
});

Deno.test("Matcher.clockSet doubts what begins until every source has delivered up to it", () => {
  const other = (port: number) => new Play(end("203.0.113.1", port), P.server, port, 9);
  const [early, late] = [other(1), other(2)];
  const { records } = run([
    { jumpNs: -5 * SECOND, nowNs: 100 * MS },
    early.syn(90 * MS),
    { completeNs: 100 * MS },
    early.synAck(110 * MS),
    { completeNs: 101 * MS },
    late.syn(120 * MS),
    late.synAck(130 * MS),
    late.ack(140 * MS),
    early.ack(150 * MS),
  ]);
  assertEquals(
    records.map(({ client, clientRttNs, flags }) => [client.port, clientRttNs, flags]),
    [[2, 10 * MS, []], [1, undefined, ["clock_set"]]],
  );
});

Deno.test("Matcher tells the VLAN and the tunnels of the SYN, without one of the SYN-ACK", () => {
  const cases: { events: Event[]; vlan?: number; tunnels: TunnelName[] }[] = [
    { events: [P.syn(0)], tunnels: [] },
    // A tag with a priority alone.
    { events: [P.syn(0, { vlan: 0, tunnels: 4 << 6 | 3 })], tunnels: ["geneve", "vxlan"] },
    {
      events: [P.synAck(0, { vlan: 5, tunnels: 2 }), P.ack(1, { vlan: 9, tunnels: 1 })],
      vlan: 5,
      tunnels: ["gre"],
    },
    {
      events: [P.synAck(0, { vlan: 5, tunnels: 2 }), P.syn(1, { vlan: 6, tunnels: 1 })],
      vlan: 6,
      tunnels: ["ipip"],
    },
    { events: [P.syn(0, { vlan: 7 }), P.synAck(1, { vlan: 8, tunnels: 1 })], vlan: 7, tunnels: [] },
    { events: [P.clientHalf(0)], tunnels: [] },
  ];
  for (const { events, vlan, tunnels } of cases) {
    const { records } = run(events);
    assertEquals(records.map((each) => [each.vlan, each.tunnels]), [[vlan, tunnels]]);
  }
});

Deno.test("Matcher tells no VLAN and no tunnel of the handshake that had a row before", () => {
  const other = new Play(P.client, P.server, 77, 78);
  const { records } = run([
    P.syn(0, { vlan: 3, tunnels: 4 }),
    P.refusal(1),
    { completeNs: 1e12 },
    other.clientHalf(2e12),
  ], { capacity: 1 });
  assertEquals(records.map(({ vlan, tunnels }) => [vlan, tunnels]), [
    [3, ["geneve"]],
    [undefined, []],
  ]);
});
