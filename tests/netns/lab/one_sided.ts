/**
 * Handshakes of which a tracer sees a part: one direction, or the end of what began before it.
 *
 * @module
 */
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { linuxSynOptions } from "../../unit/wire/build_frame.ts";
import {
  all,
  AT_CLIENT,
  BETWEEN_GHOSTS,
  BOTH_ENDS,
  IN_THE_MIDDLE,
  NO_ANSWER,
} from "./expectations.ts";
import { between, present, type Scenario } from "./scenario.ts";
import { ASYMMETRIC, ROUTED } from "./topology.ts";

const SYN_ACK = TcpFlag.SYN | TcpFlag.ACK;
/** Of a handshake whose SYN nobody saw: its number follows from the SYN-ACK's Ack. */
const WITHOUT_SYN = all(BETWEEN_GHOSTS, {
  outcome: "established",
  client: { isn: 1000, mss: undefined, window: undefined },
  server: { isn: 7000, mss: 1460 },
  rtt: { client_ns: undefined, server_ns: present, total_ns: undefined, ambiguous: false },
  packets: { syn: 0, syn_ack: 1, rst: 0 },
  checks: {
    syn_ack_acknowledges_syn: undefined,
    ack_sequence: true,
    ack_acknowledges_syn_ack: true,
  },
  flags: ["one_sided"],
});
/** Of a client that waited already: how many of its SYNs were seen depends on when the trace began. */
const WAITED = all({
  outcome: "established",
  server: { isn: 7000 },
  packets: { syn: between(0, 9), syn_ack: 1, rst: 0 },
  rtt: { server_ns: present },
  checks: { ack_sequence: true, ack_acknowledges_syn_ack: true },
});

export const oneSided: readonly Scenario[] = [
  {
    name: "answers come by another way",
    says:
      "A capture of one direction shows the SYN or the SYN-ACK; with the kernel's word for it " +
      "the handshake is established all the same.",
    topology: ASYMMETRIC,
    traffic: async ({ client, server, port }) => {
      const listener = server.listen(port);
      await client.connect(server.address, port).connected();
      await listener.accept();
    },
    expected: {
      "client, outgoing": [
        all(BOTH_ENDS, {
          outcome: "established",
          packets: { syn: 1, syn_ack: 0 },
          client: { isn: present, mss: 1460 },
          server: { isn: present, mss: undefined },
          rtt: { client_ns: undefined, server_ns: undefined, kernel_client_ns: present },
          flags: ["one_sided"],
        }),
      ],
      "outgoing, packets alone": [
        all(NO_ANSWER, { outcome: "unanswered", packets: { syn: 1 }, flags: ["trace_ended"] }),
      ],
      "incoming, packets alone": [{
        outcome: "half_open",
        packets: { syn: 0, syn_ack: 1 },
        client: { isn: present, mss: undefined },
        server: { isn: present },
        rtt: { client_ns: undefined, server_ns: undefined },
        checks: undefined,
        flags: ["one_sided", "trace_ended"],
      }],
    },
  },
  {
    name: "the SYN came before the trace",
    says:
      "A trace that begins between SYN and SYN-ACK takes the client's number from the SYN-ACK's Ack.",
    topology: ROUTED,
    beginsBeforeTrace: true,
    traffic: async ({ client, server, port, traceBegan }) => {
      const here = client.ghost(port + 1, server.ghostAddress, port);
      const there = server.ghost(port, client.ghostAddress, port + 1);
      here.send({ sequence: 1000, options: linuxSynOptions() });
      await there.receive(TcpFlag.SYN);
      await traceBegan;
      there.send({
        flags: SYN_ACK,
        sequence: 7000,
        acknowledgment: 1001,
        options: linuxSynOptions(),
      });
      await here.receive(SYN_ACK);
      here.send({ flags: TcpFlag.ACK, sequence: 1001, acknowledgment: 7001 });
      await there.receive(TcpFlag.ACK);
    },
    expected: { client: [WITHOUT_SYN], router: [WITHOUT_SYN], server: [WITHOUT_SYN] },
  },
  {
    name: "connect() came before the trace",
    says:
      "A trace that begins while a client waits for its SYN-ACK cannot know who called connect().",
    topology: ROUTED,
    beginsBeforeTrace: true,
    traffic: async ({ client, server, port, traceBegan }) => {
      const ghost = server.ghost(port, client.address, port + 1);
      const socket = client.connect(server.ghostAddress, port, { ownPort: port + 1 });
      const { sequence } = await ghost.receive(TcpFlag.SYN);
      await traceBegan;
      ghost.send({ flags: SYN_ACK, sequence: 7000, acknowledgment: sequence + 1 });
      await socket.connected();
      await ghost.receive(TcpFlag.ACK);
    },
    expected: {
      client: [
        all(WAITED, AT_CLIENT, {
          client: { process: undefined },
          times: { connect_ns: undefined, established_ns: present },
        }),
      ],
      router: [all(WAITED, IN_THE_MIDDLE)],
      server: [all(WAITED, AT_CLIENT, { client: { process: undefined } })],
    },
  },
  {
    name: "established before the trace",
    says: "What was established before the trace gives no record, whatever it sends.",
    topology: ROUTED,
    beginsBeforeTrace: true,
    traffic: async ({ client, server, port, traceBegan }) => {
      const listener = server.listen(port);
      const socket = client.connect(server.address, port);
      await socket.connected();
      const accepted = await listener.accept();
      await traceBegan;
      socket.send("hello");
      await accepted.readable();
      accepted.send("hello");
      await socket.readable();
      accepted.reset();
    },
    expected: { client: [], router: [], server: [] },
  },
];
