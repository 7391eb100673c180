import { assertEquals } from "@std/assert";
import type { MatcherOptions } from "../../../src/match/options.ts";
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { ALL_FIT, MS, SECOND } from "./matcher_cases.ts";
import { end, type Event, Play, plus, run, type Snapshot } from "./traffic.ts";

const P = new Play(end("192.0.2.1", 50000), end("198.51.100.2", 443), 0xfffffff0, 0xffffffff);
const { x: X, y: Y } = P;
const SERVERS_OWN = (words: Uint32Array, at: number) => words[at + 3] === P.server.address[3];

type Case = [
  name: string,
  events: Event[],
  expected: Partial<Snapshot>,
  options?: MatcherOptions,
];

function check(cases: readonly Case[]): void {
  for (const [name, events, expected, options] of cases) {
    const { records } = run(events, options);
    assertEquals(records.length, 1, name);
    assertEquals({ ...records[0], ...expected }, records[0], name);
  }
}

Deno.test("Matcher takes an ACK of what the server sent in or after its SYN-ACK", () => {
  const early = [P.syn(0), P.synAck(4)];
  const data = P.fromServer(5, { payloadLength: 85 });
  const fin = P.fromServer(5, { sequence: plus(Y, 86), flags: TcpFlag.ACK | TcpFlag.FIN });
  check([
    ["data and FIN", [...early, data, fin, P.ack(9, { acknowledgment: plus(Y, 87) })], {
      outcome: "established",
      serverRttNs: 5,
      ...ALL_FIT,
    }],
    ["a part of it", [...early, data, fin, P.ack(9, { acknowledgment: plus(Y, 40) })], {
      outcome: "established",
      ...ALL_FIT,
    }],
    ["more than that", [...early, data, fin, P.ack(9, { acknowledgment: plus(Y, 88) })], {
      outcome: "half_open",
      ...ALL_FIT,
      ackAcknowledgesSynAck: false,
    }],
    ["data in the SYN-ACK", [
      P.syn(0),
      P.synAck(4, { payloadLength: 110 }),
      P.ack(9, { acknowledgment: plus(Y, 111) }),
    ], { outcome: "established", serverRttNs: 5, ...ALL_FIT }],
    ["captured before the data", [...early, P.ack(9, { acknowledgment: plus(Y, 86) }), data], {
      outcome: "established",
      serverRttNs: 5,
      ackNs: 9,
      ...ALL_FIT,
    }],
    ["a late ACK behind data of both", [
      ...early,
      P.ack(9, { sequence: plus(X, 101) }),
      P.fromServer(12, { acknowledgment: plus(X, 201), payloadLength: 50 }),
    ], { outcome: "established", serverRttNs: undefined, ackNs: undefined, ackSequence: false }],
  ]);
});

Deno.test("Matcher allows what the first window holds where servers' data is not shown", () => {
  const blind = { seesServerData: false };
  const syn = P.syn(0, { window: 8_000 });
  check([
    ["within", [syn, P.synAck(4), P.ack(9, { acknowledgment: plus(Y, 8_001) })], {
      outcome: "established",
      serverRttNs: 5,
    }, blind],
    ["beyond", [syn, P.synAck(4), P.ack(9, { acknowledgment: plus(Y, 8_002) })], {
      outcome: "half_open",
      ackAcknowledgesSynAck: false,
    }, blind],
    [
      "another Seq",
      [
        syn,
        P.synAck(4),
        P.ack(9, { sequence: plus(X, 2), acknowledgment: plus(Y, 8_001) }),
      ],
      { outcome: "half_open", ackSequence: false },
      blind,
    ],
    [
      "what follows another number exactly",
      [
        syn,
        P.synAck(4),
        P.synAck(6, { sequence: plus(Y, 2_000) }),
        P.ack(9, { acknowledgment: plus(Y, 2_001) }),
      ],
      { outcome: "established", serverRttNs: 3 },
      blind,
    ],
    ["without a SYN", [P.synAck(4), P.ack(9, { acknowledgment: plus(Y, 65_536) })], {
      outcome: "established",
      flags: ["one_sided"],
    }, blind],
  ]);
});

Deno.test("Matcher knows an ACK that was captured before its SYN-ACK", () => {
  check([
    ["at once", [P.syn(0), P.ack(24), P.synAck(31)], {
      outcome: "established",
      clientRttNs: 31,
      serverRttNs: undefined,
      totalNs: 24,
      flags: [],
      ...ALL_FIT,
    }],
    ["at the same nanosecond", [P.syn(0), P.ack(31), P.synAck(31)], { serverRttNs: undefined }],
    ["of another SYN-ACK", [P.syn(0), P.ack(24, { acknowledgment: plus(Y, 900) }), P.synAck(31)], {
      outcome: "half_open",
      ackNs: undefined,
      ...ALL_FIT,
      ackAcknowledgesSynAck: false,
    }],
    ["one that goes on", [
      P.syn(0),
      P.ack(24, { acknowledgment: plus(Y, 900) }),
      P.synAck(31),
      P.ack(40),
    ], { outcome: "established", serverRttNs: 9, ...ALL_FIT }],
  ]);
});

Deno.test("Matcher takes an ACK without a SYN-ACK for one that answers what was not seen", () => {
  const oneSided = {
    outcome: "established",
    flags: ["one_sided"],
    clientRttNs: undefined,
    serverRttNs: undefined,
    totalNs: 9,
    synAckAcknowledgesSyn: undefined,
    ackSequence: true,
    ackAcknowledgesSynAck: undefined,
  } as const;
  check([
    ["its ACK", [P.syn(0), P.ack(9)], oneSided],
    ["and its RST later", [P.syn(0), P.ack(9), P.clientReset(20)], { ...oneSided, rstCount: 0 }],
    ["another Seq", [P.syn(0), P.ack(9, { sequence: plus(X, 2) })], { outcome: "unanswered" }],
    ["refused before", [P.syn(0), P.refusal(5), P.ack(9)], { outcome: "refused" }],
    ["refused after", [P.syn(0), P.ack(5), P.refusal(9)], { outcome: "refused" }],
    // A server of this host answers nothing that is not seen here.
    ["the server is here", [P.syn(0), P.ack(9)], { outcome: "unanswered", ackNs: undefined }, {
      isLocalAddress: SERVERS_OWN,
    }],
  ]);
  assertEquals(run([P.syn(0), P.ack(9)]).records[0].server.isn, undefined);
  const waiting = run([P.syn(0), P.ack(9), { completeNs: SECOND }]);
  assertEquals(waiting.beforeFlush, 0);
});

Deno.test("Matcher knows by the server's Ack that the third packet came", () => {
  const proof = P.fromServer(20, { acknowledgment: plus(X, 2) });
  check([
    ["only the server captured", [P.synAck(4), proof], {
      outcome: "established",
      flags: ["one_sided"],
      serverRttNs: undefined,
      ackSequence: undefined,
    }],
    ["nothing of the client behind its SYN", [P.syn(0), P.synAck(4), proof], {
      outcome: "established",
      flags: ["one_sided"],
      clientRttNs: 4,
      serverRttNs: undefined,
      ackNs: undefined,
    }],
    ["its ACK kept back for the data on it", [P.syn(0), P.synAck(4), proof], {
      outcome: "established",
      flags: [],
    }, { seesServerData: false }],
    ["the ACK lost", [P.syn(0), P.synAck(4), P.ack(8, { sequence: plus(X, 500) }), proof], {
      outcome: "established",
      flags: [],
      ackNs: undefined,
    }],
    ["no more than the SYN", [P.syn(0), P.synAck(4), P.fromServer(20, { payloadLength: 9 })], {
      outcome: "half_open",
    }],
    ["another Seq", [
      P.syn(0),
      P.synAck(4),
      P.fromServer(20, { sequence: Y, acknowledgment: plus(X, 2) }),
    ], { outcome: "half_open" }],
    ["data of the SYN", [
      P.syn(0, { payloadLength: 10 }),
      P.synAck(4),
      P.fromServer(20, { acknowledgment: plus(X, 11) }),
    ], { outcome: "half_open" }],
  ]);
});

Deno.test("Matcher knows a handshake that a RST did not end", () => {
  check([
    ["before the SYN-ACK", [
      P.syn(0),
      P.refusal(61),
      P.clientReset(62),
      P.synAck(64),
      P.ack(66),
    ], { outcome: "established", clientRttNs: 64, serverRttNs: 2, rstCount: 1, ...ALL_FIT }],
    ["and nothing after it", [P.syn(0), P.refusal(61), P.synAck(64)], { outcome: "refused" }],
    ["between SYN-ACK and ACK", [P.syn(0), P.synAck(4), P.clientReset(5), P.ack(9)], {
      outcome: "aborted",
    }],
    ["as the server shows", [
      P.syn(0),
      P.synAck(4),
      P.clientReset(5),
      P.ack(9),
      P.fromServer(20, { acknowledgment: plus(X, 100) }),
    ], { outcome: "established", serverRttNs: 5, rstCount: 1 }],
    ["a server's RST behind its data", [
      P.syn(0),
      P.synAck(4),
      P.fromServer(5, { payloadLength: 9 }),
      P.serverReset(6, { sequence: plus(Y, 10) }),
    ], { outcome: "refused" }],
  ]);
  // A later one survives as long as the RST is doubted: longer than an answer takes.
  const late = run([P.syn(0), P.refusal(5), { completeNs: 0.9 * SECOND }, P.synAck(0.9 * SECOND)]);
  assertEquals(late.beforeFlush, 0);
});

Deno.test("Matcher settles a RST of this host's own stack at once", () => {
  const isLocalAddress = SERVERS_OWN;
  const { beforeFlush } = run([P.syn(0), P.refusal(5), { completeNs: 0.1 * SECOND }], {
    isLocalAddress,
  });
  assertEquals(beforeFlush, 1);
});

Deno.test("Matcher takes a split handshake: the numbers fit the other way round", () => {
  const opposite = new Play(P.server, P.client, Y, X);
  check([
    ["three packets of each", [
      P.syn(0),
      opposite.syn(5),
      opposite.synAck(11),
      opposite.ack(16),
      P.ack(21, { payloadLength: 4 }),
    ], {
      outcome: "established",
      flags: ["simultaneous_open"],
      clientRttNs: undefined,
      serverRttNs: undefined,
      totalNs: 16,
      synAckCount: 0,
      ackSequence: true,
      ackAcknowledgesSynAck: true,
    }],
    ["the last one's Ack is wrong", [
      P.syn(0),
      opposite.syn(5),
      opposite.synAck(11),
      opposite.ack(16, { acknowledgment: plus(X, 2) }),
    ], { outcome: "half_open", flags: ["simultaneous_open", "trace_ended"] }],
  ]);
  const { records } = run([P.syn(0), opposite.syn(5), opposite.synAck(11), opposite.ack(16)]);
  assertEquals([records[0].client.isn, records[0].server.isn], [X, Y]);
});

Deno.test("Matcher judges the first third packet that does not fit, and no later one", () => {
  const early = [P.syn(0), P.synAck(4)];
  const wrongSequence = P.ack(9, { sequence: plus(X, 500) });
  const wrongAck = P.ack(9, { acknowledgment: plus(Y, 500) });
  check([
    ["Seq first", [...early, wrongSequence, wrongAck], {
      ackSequence: false,
      ackAcknowledgesSynAck: true,
    }],
    ["Ack first", [...early, wrongAck, wrongSequence], {
      ackSequence: true,
      ackAcknowledgesSynAck: false,
    }],
    ["then one that fits", [...early, wrongSequence, wrongAck, P.ack(10), wrongSequence], ALL_FIT],
    ["SYN-ACK: then one that does not", [...early, P.synAck(5, { acknowledgment: X })], {
      synAckAcknowledgesSyn: true,
    }],
  ]);
});

/**
 * What Linux does with a client's segment after a SYN-ACK with this window, by `ss` and accept(): the segment's
 * Seq from X on, its data, its flags.
 */
const WINDOW = 64_240;
const TAKEN_BY_LINUX: readonly [seq: number, data: number, flags: number, isTaken: boolean][] = [
  [101, 0, TcpFlag.ACK, true],
  [101, 100, TcpFlag.ACK | TcpFlag.PSH, true],
  [101, 0, TcpFlag.ACK | TcpFlag.FIN, true],
  [WINDOW, 1, TcpFlag.ACK, true],
  [1 + WINDOW, 0, TcpFlag.ACK, true],
  [1 + WINDOW, 1, TcpFlag.ACK, false],
  [1 + WINDOW, 0, TcpFlag.ACK | TcpFlag.FIN, false],
  [2 + WINDOW, 0, TcpFlag.ACK, false],
  // A keep-alive, empty and with an octet.
  [0, 0, TcpFlag.ACK, false],
  [0, 1, TcpFlag.ACK, false],
  [1, 1, TcpFlag.PSH, false],
  // Across where the third packet begins.
  [-9, 100, TcpFlag.ACK | TcpFlag.PSH, true],
  [-9, 11, TcpFlag.ACK, true],
  [0, 1, TcpFlag.ACK | TcpFlag.FIN, true],
  [-9, 10, TcpFlag.ACK, false],
];

Deno.test("Matcher takes another segment in the window as the server does, and no time from it", () => {
  for (const [seq, payloadLength, flags, isTaken] of TAKEN_BY_LINUX) {
    const segment = P.ack(9 * SECOND, { sequence: plus(X, seq), payloadLength, flags });
    const hasAck = (flags & TcpFlag.ACK) !== 0;
    check([[`${seq} ${payloadLength} ${flags}`, [
      P.syn(0),
      P.synAck(4, { window: WINDOW }),
      segment,
    ], {
      outcome: isTaken ? "established" : "half_open",
      clientRttNs: 4,
      serverRttNs: undefined,
      totalNs: undefined,
      ackNs: undefined,
      ambiguous: false,
      ackSequence: hasAck ? false : undefined,
      ackAcknowledgesSynAck: hasAck ? true : undefined,
      flags: isTaken ? [] : ["trace_ended"],
    }]]);
  }
});

Deno.test("Matcher takes no time from data that was sent again after a later segment", () => {
  const answered = [P.syn(0), P.synAck(4, { window: WINDOW })];
  const later = { sequence: plus(X, 101), payloadLength: 100 };
  const noTime = { serverRttNs: undefined, totalNs: undefined, ackNs: undefined };
  check([
    ["again", [
      ...answered,
      P.ack(9, later),
      P.fromServer(10),
      P.ack(230 * MS, { payloadLength: 100 }),
      P.fromServer(231 * MS, { acknowledgment: plus(X, 201) }),
    ], { outcome: "established", ...noTime, ackSequence: false, flags: [] }],
    ["after a wrong Ack", [
      ...answered,
      P.ack(8, { acknowledgment: plus(Y, 9) }),
      P.ack(9, later),
    ], { outcome: "established", ...noTime, ackSequence: false, ackAcknowledgesSynAck: true }],
    // With SYN cookies Linux takes the exact Seq alone, and says so.
    ["refused by a RST", [
      ...answered,
      P.ack(9, later),
      P.fromServer(600 * MS, { flags: TcpFlag.RST }),
    ], { outcome: "refused", ...noTime, rstCount: 1 }],
    ["ended by its client", [
      ...answered,
      P.ack(9, later),
      P.ack(600 * MS, { flags: TcpFlag.RST }),
    ], { outcome: "established", ...noTime, rstCount: 0 }],
    ["that acknowledges more than was sent", [
      ...answered,
      P.ack(9, { ...later, acknowledgment: plus(Y, 2) }),
    ], { outcome: "half_open", ackSequence: false, ackAcknowledgesSynAck: false }],
  ]);
});

Deno.test("Matcher waits for the kernel of a server here, whatever a later segment says", () => {
  const server = { hasServer: SERVERS_OWN, isLocalAddress: SERVERS_OWN };
  const later = P.ack(9, { sequence: plus(X, 101), payloadLength: 100 });
  const answered = [P.syn(0), P.synAck(4, { window: WINDOW })];
  check([
    ["silent", [...answered, later], { outcome: "half_open" }, server],
    ["told", [...answered, later, P.serverKernel(12)], {
      outcome: "established",
      establishedNs: 12,
      serverRttNs: undefined,
      ackSequence: false,
    }, server],
  ]);
});

Deno.test("Matcher counts the FIN of a SYN-ACK among what the client acknowledges", () => {
  const flags = TcpFlag.SYN | TcpFlag.ACK | TcpFlag.FIN;
  const ack = P.ack(9 * MS, { acknowledgment: plus(Y, 2) });
  check([
    ["first", [P.syn(0), P.synAck(4, { flags }), ack], { outcome: "established", ...ALL_FIT }],
    ["again", [P.syn(0), P.synAck(4), P.synAck(5 * MS, { flags }), ack], {
      outcome: "established",
      ...ALL_FIT,
    }],
    ["none", [P.syn(0), P.synAck(4), ack], { outcome: "half_open" }],
  ]);
});
