import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { ALL_FIT, check, isn, MS, P, SECOND, threePackets } from "./matcher_cases.ts";
import { type Event, plus, type Snapshot } from "./traffic.ts";

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
      events: [P.queueDrop(50), P.serverKernel(SECOND + 11 * MS), P.clientKernel(SECOND + 10 * MS)],
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
      events: [P.syn(0), P.synDrop(50), P.clientKernel(SECOND, { newState: 7, error: 110 })],
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

Deno.test("Matcher gives each refusal its drop where the very SYN is sent again at once", () => {
  const drop = (timeNs: number) => P.synDrop(timeNs, { reason: "NO_SOCKET" });
  const refused = (droppedNs: number) =>
    ({ outcome: "refused", dropCount: 1, droppedNs, synCount: 1, rstCount: 1 }) as const;
  check([
    {
      name: "each before the next SYN",
      events: [0, 100, 200].flatMap((at) => [P.syn(at), P.refusal(at + 50), drop(at + 60)]),
      expected: [refused(60), refused(60), refused(60)],
    },
    {
      name: "the first freed when the second was on its way",
      events: [P.syn(0), P.refusal(50), P.syn(100), drop(110), P.refusal(150), drop(160)],
      expected: [refused(110), refused(60)],
    },
    {
      name: "the second SYN was taken",
      events: [P.syn(0), P.refusal(50), P.syn(100), drop(110), P.synAck(120), P.ack(130)],
      expected: [refused(110), { outcome: "established", dropCount: undefined, kernel: false }],
    },
    {
      name: "both SYNs before the first RST",
      events: [P.syn(0), P.syn(40), P.refusal(50), P.refusal(55), drop(60), drop(70)],
      expected: [{ outcome: "refused", dropCount: 2, droppedNs: 70, synCount: 2 }],
    },
    {
      name: "seen where the RST comes after the drop",
      events: [
        ...[P.syn(0), drop(40), P.refusal(50)],
        ...[P.syn(100), drop(140), P.refusal(150)],
      ],
      expected: [refused(40), refused(40)],
    },
    {
      name: "dropped by a firewall after a RST of somebody else",
      events: [P.syn(0), P.refusal(50), P.syn(100), P.synDrop(110)],
      expected: [
        { outcome: "refused", dropCount: undefined },
        { outcome: "dropped", dropReason: "NETFILTER_DROP" },
      ],
    },
  ]);
});
