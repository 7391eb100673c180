import { ALL_FIT, check, isn, MS, P, SECOND, threePackets } from "./matcher_cases.ts";
import { plus } from "./traffic.ts";

Deno.test("Matcher reports a handshake once, whatever comes after", () => {
  const joined = { completeNs: 11 * MS + 40 * MS };
  check([
    {
      name: "late kernel records",
      events: [...threePackets(P, 0), joined, P.clientKernel(12 * MS), P.serverKernel(12 * MS)],
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
        P.again(7, 8).clientKernel(SECOND + 12 * MS),
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
        P.clientKernel(time, { newState: 7, error: 101, localPort: 0, iss: 0 })
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
        P.serverKernel(endNs),
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
      events: [...tried(0), P.serverKernel(endNs), P.accept(endNs), ...again],
      expected: [{ ...refused, kernel: false }, { ...established, kernel: true }],
    },
    {
      name: "the same after the report",
      events: [...tried(0), { completeNs: 100 * MS }, P.serverKernel(endNs), ...again],
      expected: [{ ...refused, kernel: false }, { ...established, kernel: true }],
    },
    {
      name: "the kernel tells of all before any packet",
      events: [
        P.synReset(5),
        P.synDrop(15, { reason: "NO_SOCKET" }),
        P.serverKernel(endNs),
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
        P.serverKernel(endNs),
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
        P.serverKernel(endNs),
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
      events: [...tried(0), P.clientKernel(50, { newState: 7, error: 111, synSentNs: -5 })],
      expected: [{ ...refused, reason: "ECONNREFUSED" }],
    },
    {
      name: "the client connects again with the same number, told before its SYN was seen",
      events: [
        ...tried(0),
        P.clientKernel(50, { newState: 7, error: 111 }),
        P.clientKernel(MS + 50, { newState: 7, error: 111, connectNs: MS }),
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
