import { ALL_FIT, check, isn, MS, P, SECOND } from "./matcher_cases.ts";

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
    // One of them was not captured.
    ...[[[5, 0], [9, 1005]], [[2 ** 32 - 5, 0], [9, 995]]].map(([syn, synAck]) => ({
      name: `one that was not seen is echoed, ${synAck[1]} after ${syn[0]}`,
      events: [
        P.syn(0, { timestamps: [syn[0], syn[1]] }),
        P.synAck(SECOND + 10 * MS, { timestamps: [synAck[0], synAck[1]] }),
        P.ack(SECOND + 11 * MS),
      ],
      expected: [{
        ambiguous: true,
        clientRttNs: undefined,
        firstSynToSynAckNs: SECOND + 10 * MS,
        lastSynToSynAckNs: SECOND + 10 * MS,
        synCount: 1,
        serverRttNs: MS,
        totalNs: SECOND + 11 * MS,
      }],
    })),
    // An older one is of another connection, and who keeps none echoes 0: that proves nothing.
    ...[[9, 4], [9, 0], [9, 5]].map(([value, echo]) => ({
      name: `no later one is echoed: ${echo}`,
      events: [P.syn(0, { timestamps: [5, 0] }), P.synAck(MS, { timestamps: [value, echo] })],
      expected: [{ ambiguous: false, clientRttNs: MS, firstSynToSynAckNs: undefined }],
    })),
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
