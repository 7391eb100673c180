/**
 * Packets that get lost on the way and are sent again.
 *
 * @module
 */
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { linuxSynOptions } from "../../unit/wire/build_frame.ts";
import { timestamps } from "./crafted_end.ts";
import {
  all,
  AT_SERVER,
  BOTH_ENDS,
  ESTABLISHED,
  IN_THE_MIDDLE,
  ONE_SECOND,
  QUICK,
  THREE_SECONDS,
} from "./expectations.ts";
import { anything, between, type Scenario } from "./scenario.ts";
import { ROUTED } from "./topology.ts";

const IS_SYN = "tcp flags & (syn|ack) == syn";
const IS_SYN_ACK = "tcp flags & (syn|ack) == syn|ack";
const IS_BARE_ACK = "tcp flags & (syn|ack|psh|rst|fin) == ack";
/** Drops the first so many packets that fit: the counter begins at 0. */
const dropFirst = (count: number) => `numgen inc mod 1000000 < ${count} drop`;

const SYN_TWICE = {
  packets: { syn: 2 },
  rtt: {
    client_ns: QUICK,
    total_ns: ONE_SECOND,
    first_syn_to_syn_ack_ns: ONE_SECOND,
    last_syn_to_syn_ack_ns: QUICK,
  },
} as const;
const SYN_THRICE = {
  packets: { syn: 3 },
  rtt: {
    client_ns: QUICK,
    total_ns: THREE_SECONDS,
    first_syn_to_syn_ack_ns: THREE_SECONDS,
    last_syn_to_syn_ack_ns: QUICK,
  },
} as const;
const SYN_TWICE_UNKNOWN = {
  packets: { syn: 2 },
  client: { timestamps: false },
  rtt: {
    client_ns: undefined,
    ambiguous: true,
    total_ns: ONE_SECOND,
    first_syn_to_syn_ack_ns: ONE_SECOND,
    last_syn_to_syn_ack_ns: QUICK,
  },
} as const;
const WHICH_SYN_UNKNOWN = {
  packets: { syn: 2 },
  client: { timestamps: true },
  rtt: {
    client_ns: undefined,
    ambiguous: true,
    first_syn_to_syn_ack_ns: QUICK,
    last_syn_to_syn_ack_ns: QUICK,
  },
} as const;
const NO_THIRD_PACKET = {
  rtt: { server_ns: undefined, total_ns: undefined },
  checks: { ack_sequence: undefined, ack_acknowledges_syn_ack: undefined },
} as const;
const SYN_ACK_TWICE = {
  packets: { syn_ack: 2 },
  rtt: {
    client_ns: QUICK,
    server_ns: QUICK,
    first_syn_ack_to_ack_ns: ONE_SECOND,
    last_syn_ack_to_ack_ns: QUICK,
  },
} as const;

export const losses: readonly Scenario[] = [
  {
    name: "the first SYN is lost",
    says:
      "The SYN-ACK echoes the second SYN's timestamp, so the round trip is known: it is not the " +
      "second that the first SYN waited.",
    topology: ROUTED,
    traffic: async ({ client, router, server, port }) => {
      await router.firewall("forward", `tcp dport ${port} ${IS_SYN} ${dropFirst(1)}`);
      const listener = server.listen(port);
      await client.connect(server.address, port).connected();
      await listener.accept();
    },
    expected: {
      client: [all(ESTABLISHED, BOTH_ENDS, SYN_TWICE)],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, SYN_TWICE)],
      server: [all(ESTABLISHED, BOTH_ENDS, { rtt: { client_ns: QUICK, total_ns: QUICK } })],
    },
  },
  {
    name: "the first two SYNs are lost",
    says: "The same with three SYNs: the last was answered.",
    topology: ROUTED,
    traffic: async ({ client, router, server, port }) => {
      await router.firewall("forward", `tcp dport ${port} ${IS_SYN} ${dropFirst(2)}`);
      const listener = server.listen(port);
      await client.connect(server.address, port).connected();
      await listener.accept();
    },
    expected: {
      client: [all(ESTABLISHED, BOTH_ENDS, SYN_THRICE)],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, SYN_THRICE)],
      server: [all(ESTABLISHED, BOTH_ENDS, { rtt: { client_ns: QUICK, total_ns: QUICK } })],
    },
  },
  {
    name: "the first SYN is lost, no timestamps",
    says:
      "Without timestamps nobody can tell which SYN was answered (Karn): no client RTT, but how " +
      "long the client waited since the first and the last.",
    topology: ROUTED,
    traffic: async ({ client, router, server, port }) => {
      await client.firewall("output", `tcp dport ${port} reset tcp option timestamp`);
      await router.firewall("forward", `tcp dport ${port} ${IS_SYN} ${dropFirst(1)}`);
      const listener = server.listen(port);
      await client.connect(server.address, port).connected();
      await listener.accept();
    },
    expected: {
      client: [all(ESTABLISHED, BOTH_ENDS, SYN_TWICE_UNKNOWN)],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, SYN_TWICE_UNKNOWN)],
      server: [all(ESTABLISHED, BOTH_ENDS, { rtt: { client_ns: QUICK, total_ns: QUICK } })],
    },
  },
  {
    name: "the first SYN-ACK is lost",
    says:
      "Both ends send again. Which side's packet came first decides how many SYN-ACKs there are, " +
      "but the client waited a second.",
    topology: ROUTED,
    traffic: async ({ client, router, server, port }) => {
      await router.firewall("forward", `tcp sport ${port} ${IS_SYN_ACK} ${dropFirst(1)}`);
      const listener = server.listen(port);
      await client.connect(server.address, port).connected();
      await listener.accept();
    },
    expected: {
      client: [
        all(ESTABLISHED, BOTH_ENDS, {
          packets: { syn: between(1, 2), syn_ack: between(1, 2) },
          rtt: {
            client_ns: anything,
            server_ns: anything,
            total_ns: ONE_SECOND,
            first_syn_to_syn_ack_ns: anything,
            first_syn_ack_to_ack_ns: anything,
            ambiguous: anything,
          },
        }),
      ],
      router: [
        all(ESTABLISHED, IN_THE_MIDDLE, {
          packets: { syn: between(1, 2), syn_ack: between(2, 3) },
          rtt: {
            client_ns: anything,
            server_ns: anything,
            total_ns: ONE_SECOND,
            first_syn_ack_to_ack_ns: ONE_SECOND,
            last_syn_ack_to_ack_ns: QUICK,
            ambiguous: anything,
          },
        }),
      ],
      server: [
        all(ESTABLISHED, BOTH_ENDS, {
          packets: { syn: between(1, 2), syn_ack: between(2, 3) },
          rtt: {
            client_ns: QUICK,
            server_ns: anything,
            total_ns: ONE_SECOND,
            first_syn_ack_to_ack_ns: ONE_SECOND,
            last_syn_ack_to_ack_ns: QUICK,
            ambiguous: anything,
          },
        }),
      ],
    },
  },
  {
    name: "the first SYN-ACK is lost, the SYN comes once",
    says:
      "The ACK echoes the second SYN-ACK's timestamp: where both were seen, the server RTT is known.",
    topology: ROUTED,
    traffic: async ({ client, router, server, port }) => {
      await router.firewall("forward", `tcp sport ${port} ${IS_SYN_ACK} ${dropFirst(1)}`);
      const listener = server.listen(port);
      const ghost = client.ghost(port + 1, server.address, port);
      ghost.send({ sequence: 1000, options: linuxSynOptions() });
      const { sequence, timestamp } = await ghost.receive(TcpFlag.SYN | TcpFlag.ACK);
      ghost.send({
        flags: TcpFlag.ACK,
        sequence: 1001,
        acknowledgment: sequence + 1,
        options: timestamps(1001, timestamp),
      });
      await listener.accept();
    },
    expected: {
      client: [
        all(ESTABLISHED, AT_SERVER, {
          rtt: { client_ns: ONE_SECOND, server_ns: QUICK, total_ns: ONE_SECOND },
        }),
      ],
      // The router's captures on both sides differ: the lost SYN-ACK came in and did not go out.
      router: [
        all(ESTABLISHED, IN_THE_MIDDLE, SYN_ACK_TWICE, { rtt: { client_ns: anything } }),
      ],
      server: [all(ESTABLISHED, AT_SERVER, SYN_ACK_TWICE)],
    },
  },
  {
    name: "the first SYN-ACK is lost where it is made, the SYN comes again",
    says:
      "Linux sends the SYN-ACK again for the second SYN, but with the echo of the first SYN's " +
      "timestamp: that echo proves nothing, so there is no client RTT.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      await server.firewall("output", `tcp sport ${port} ${IS_SYN_ACK} ${dropFirst(1)}`);
      const listener = server.listen(port);
      const ghost = client.ghost(port + 1, server.address, port);
      ghost.send(
        { sequence: 1000, options: linuxSynOptions({ timestampValue: 1000 }) },
        { sequence: 1000, options: linuxSynOptions({ timestampValue: 2000 }) },
      );
      const { sequence, timestamp } = await ghost.receive(TcpFlag.SYN | TcpFlag.ACK);
      ghost.send({
        flags: TcpFlag.ACK,
        sequence: 1001,
        acknowledgment: sequence + 1,
        options: timestamps(2001, timestamp),
      });
      await listener.accept();
    },
    expected: {
      client: [all(ESTABLISHED, AT_SERVER, WHICH_SYN_UNKNOWN)],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, WHICH_SYN_UNKNOWN)],
      server: [all(ESTABLISHED, AT_SERVER, WHICH_SYN_UNKNOWN)],
    },
  },
  {
    name: "the third ACK is lost where it is made",
    says:
      "Linux answers the second SYN-ACK with an ACK that echoes the first one's timestamp: which " +
      "of them was answered is not known from that. Kernels had no doubt long before.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      await client.firewall("output", `tcp dport ${port} ${IS_BARE_ACK} ${dropFirst(1)}`);
      const listener = server.listen(port);
      await client.connect(server.address, port).connected();
      await listener.accept();
    },
    expected: {
      client: [all(ESTABLISHED, NO_THIRD_PACKET)],
      router: [
        all(ESTABLISHED, IN_THE_MIDDLE, {
          packets: { syn_ack: 2 },
          rtt: {
            client_ns: QUICK,
            server_ns: undefined,
            total_ns: ONE_SECOND,
            ambiguous: true,
            first_syn_ack_to_ack_ns: ONE_SECOND,
            last_syn_ack_to_ack_ns: QUICK,
          },
        }),
      ],
      server: [all(ESTABLISHED, BOTH_ENDS, NO_THIRD_PACKET)],
    },
  },
  {
    name: "the third ACK is lost, data follows",
    says:
      "The first segment of data acknowledges the SYN-ACK too and completes the handshake where " +
      "the ACK never came.",
    topology: ROUTED,
    traffic: async ({ client, router, server, port }) => {
      await router.firewall("forward", `tcp dport ${port} ${IS_BARE_ACK} ${dropFirst(1)}`);
      const listener = server.listen(port);
      const socket = client.connect(server.address, port);
      await socket.connected();
      socket.send("hello");
      await (await listener.accept()).readable();
    },
    expected: {
      client: [all(ESTABLISHED, BOTH_ENDS)],
      router: [all(ESTABLISHED, IN_THE_MIDDLE)],
      server: [all(ESTABLISHED, BOTH_ENDS)],
    },
  },
  {
    name: "the third ACK is lost, nothing follows",
    says:
      "The server sends its SYN-ACK again a second later and gets another ACK. The client's kernel " +
      "had no doubt; the record does not wait for the server's.",
    topology: ROUTED,
    traffic: async ({ client, router, server, port }) => {
      await router.firewall("forward", `tcp dport ${port} ${IS_BARE_ACK} ${dropFirst(1)}`);
      const listener = server.listen(port);
      await client.connect(server.address, port).connected();
      await listener.accept();
    },
    expected: {
      client: [all(ESTABLISHED, { evidence: ["wire", "kernel"] })],
      router: [all(ESTABLISHED, IN_THE_MIDDLE)],
      server: [
        all(ESTABLISHED, BOTH_ENDS, NO_THIRD_PACKET),
      ],
    },
  },
  {
    name: "the third ACK is lost, its client made by hand",
    says:
      "What the server's side knows alone: two SYN-ACKs, then an ACK that echoes the second one.",
    topology: ROUTED,
    traffic: async ({ client, router, server, port }) => {
      await router.firewall("forward", `tcp dport ${port} ${IS_BARE_ACK} ${dropFirst(1)}`);
      const listener = server.listen(port);
      const ghost = client.ghost(port + 1, server.address, port);
      ghost.send({ sequence: 1000, options: linuxSynOptions() });
      for (let time = 0; time < 2; time++) {
        const { sequence, timestamp } = await ghost.receive(TcpFlag.SYN | TcpFlag.ACK);
        ghost.send({
          flags: TcpFlag.ACK,
          sequence: 1001,
          acknowledgment: sequence + 1,
          options: timestamps(1001, timestamp),
        });
      }
      await listener.accept();
    },
    expected: {
      // Here the first ACK is the third packet; what comes after it changes nothing.
      client: [all(ESTABLISHED, { packets: { syn_ack: between(1, 2) } })],
      router: [all(ESTABLISHED, { packets: { syn_ack: between(1, 2) } })],
      server: [all(ESTABLISHED, AT_SERVER, SYN_ACK_TWICE)],
    },
  },
];
