import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { ALL_FIT, check, isn, P, threePackets } from "./matcher_cases.ts";
import { Play, plus } from "./traffic.ts";

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
        P.clientKernel(9),
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
