import { assertEquals } from "@std/assert";
import type { TunnelName } from "../../../src/wire/tunnel.ts";
import { ALL_FIT, check, P, SECOND } from "./matcher_cases.ts";
import { type Event, Play, run } from "./traffic.ts";

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
    place: 1,
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
        clientRttNs: 900,
        // The ACK was not seen where the first was.
        firstSynAckToAckNs: undefined,
        lastSynAckToAckNs: 100,
        serverRttNs: 100,
        ambiguous: false,
      }],
    },
    {
      name: "the same, and the ACK comes by there too",
      events: [
        P.syn(0, {}, 1),
        P.syn(100, {}, 2),
        P.synAck(1000, { timestamps: [5, 1] }, 2),
        P.synAck(SECOND, { timestamps: [1005, 1] }, 2),
        P.synAck(SECOND + 100, { timestamps: [1005, 1] }, 1),
        P.ack(SECOND + 200, { timestamps: [9, 1005], identification: 9 }, 1),
        P.ack(SECOND + 300, { timestamps: [9, 1005], identification: 9 }, 2),
      ],
      expected: [{
        ...counts,
        synAckCount: 2,
        clientRttNs: 900,
        firstSynAckToAckNs: SECOND - 700,
        lastSynAckToAckNs: 100,
        serverRttNs: 100,
        totalNs: SECOND + 200,
      }],
    },
    {
      // What eBPF redirects past an interface: answers do not come by there, all else does.
      name: "the SYN-ACK comes by the second place alone",
      events: [
        P.syn(0, {}, 1),
        P.syn(100, {}, 2),
        P.synAck(1000, {}, 2),
        P.ack(1200, { checksum: 5 }, 1),
        P.ack(1350, { checksum: 5 }, 2),
      ],
      expected: [{ ...counts, clientRttNs: 900, serverRttNs: 350, totalNs: 1200, ackNs: 1200 }],
    },
    {
      name: "the same, and the ACK is not seen there",
      events: [P.syn(0, {}, 1), P.syn(100, {}, 2), P.synAck(1000, {}, 2), P.ack(1200, {}, 1)],
      expected: [{ ...counts, clientRttNs: 900, serverRttNs: undefined, totalNs: 1200 }],
    },
    {
      name: "the SYN was not seen at the first place",
      events: [
        P.syn(100, {}, 2),
        P.synAck(1000, {}, 2),
        P.synAck(1100, {}, 1),
        P.ack(1200, { identification: 5 }, 1),
        P.ack(1350, { identification: 5 }, 2),
      ],
      expected: [{ ...counts, place: 2, clientRttNs: 900, serverRttNs: 350, totalNs: 1250 }],
    },
    {
      name: "the data behind the ACK are no ACK that comes by one more place",
      events: [
        P.syn(0, {}, 1),
        P.syn(100, {}, 2),
        P.synAck(1000, {}, 2),
        P.ack(1200, { identification: 5 }, 1),
        P.ack(9999, { identification: 6, payloadLength: 100 }, 2),
      ],
      expected: [{ ...counts, clientRttNs: 900, serverRttNs: undefined, totalNs: 1200 }],
    },
    {
      name: "a bond: what comes in and what goes out by other interfaces below it",
      events: [
        P.syn(0, {}, 3),
        P.syn(10, {}, 1),
        P.synAck(30, {}, 1),
        P.synAck(40, {}, 4),
        P.ack(100, { identification: 5 }, 4),
        P.ack(110, { identification: 5 }, 1),
      ],
      expected: [{ ...counts, place: 3, clientRttNs: 20, serverRttNs: 80, totalNs: 100 }],
    },
    {
      name: "the answer comes by the middle of three places",
      events: [
        P.syn(0, {}, 1),
        P.syn(10, {}, 2),
        P.syn(20, {}, 3),
        P.synAck(1000, {}, 2),
        P.ack(1100, {}, 2),
      ],
      expected: [{ ...counts, clientRttNs: undefined, serverRttNs: 100, ambiguous: false }],
    },
    {
      name: "no SYN-ACK comes so far, and clocks of the places are apart",
      events: [
        P.syn(0, {}, 1),
        P.syn(5 * SECOND, {}, 2),
        P.synAck(5 * SECOND + 900, {}, 2),
      ],
      expected: [{ outcome: "half_open", place: 1, clientRttNs: 900, ambiguous: false }],
    },
    {
      name: "the same of a SYN that was sent twice",
      events: [
        P.syn(0, { timestamps: [1, 0] }, 1),
        P.syn(SECOND, { timestamps: [1001, 0] }, 1),
        P.syn(SECOND + 100, { timestamps: [1001, 0] }, 2),
        P.synAck(SECOND + 1000, { timestamps: [9, 1001] }, 2),
      ],
      expected: [{
        outcome: "half_open",
        clientRttNs: 900,
        firstSynToSynAckNs: undefined,
        lastSynToSynAckNs: 900,
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
      expected: [{ place: 4, serverRttNs: 5, flags: ["one_sided"] }],
    },
  ]);
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
    { events: [P.clientKernel(0)], tunnels: [] },
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
    other.clientKernel(2e12),
  ], { capacity: 1 });
  assertEquals(records.map(({ vlan, tunnels }) => [vlan, tunnels]), [
    [3, ["geneve"]],
    [undefined, []],
  ]);
});
