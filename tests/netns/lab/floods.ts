/**
 * More SYNs than a server likes.
 *
 * @module
 */
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { linuxSynOptions } from "../../unit/wire/build_frame.ts";
import { until } from "../namespace.ts";
import { timestamps } from "./crafted_end.ts";
import {
  all,
  AT_SERVER,
  BOTH_ENDS,
  ESTABLISHED,
  IN_THE_MIDDLE,
  ONE_SECOND,
  QUICK,
} from "./expectations.ts";
import { between, type ExpectedRecord, present, type Scenario } from "./scenario.ts";
import { ROUTED } from "./topology.ts";

const HALF_OPEN = all({
  outcome: "half_open",
  packets: { syn: 1, syn_ack: between(1, 5), rst: 0 },
  rtt: { client_ns: present, server_ns: undefined, total_ns: undefined, ambiguous: false },
  checks: {
    syn_ack_acknowledges_syn: true,
    ack_sequence: undefined,
    ack_acknowledges_syn_ack: undefined,
  },
  flags: ["trace_ended"],
});
/** Its third packet came at once; the record does not wait for the second SYN-ACK. */
const IGNORED_ONCE = all(ESTABLISHED, { client: { isn: 1000 }, rtt: { server_ns: QUICK } });
const NOTHING_CAME: ExpectedRecord = {
  role: "observer",
  outcome: "unanswered",
  packets: { syn: 1, syn_ack: 0, rst: 0 },
};
/** Where a kernel beside the packets tells that nobody has that address. */
const THROWN_AWAY = all(NOTHING_CAME, { outcome: "dropped", reason: "IP_INADDRERRORS" });
/** The SYN-ACK again, and the timestamp of the second one echoed. */
const SYN_ACK_AGAIN = {
  packets: { syn_ack: 2 },
  rtt: {
    server_ns: QUICK,
    first_syn_ack_to_ack_ns: ONE_SECOND,
    last_syn_ack_to_ack_ns: QUICK,
  },
} as const;
/** Ports that the flood comes from: those of the scenario beside the server's. */
const FLOOD = 9;
const SYNS_PER_PORT = 20;

export const floods: readonly Scenario[] = [
  {
    name: "half-open flood",
    says:
      "Each SYN of a flood with made-up numbers is an attempt of its own, answered and never completed.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      server.listen(port, { backlog: 1000 });
      const ghosts = Array.from(
        { length: FLOOD },
        (_, index) => client.ghost(port + 1 + index, server.address, port),
      );
      for (const ghost of ghosts) ghost.send({ sequence: 1000, options: linuxSynOptions() });
      for (const ghost of ghosts) await ghost.receive(TcpFlag.SYN | TcpFlag.ACK);
    },
    expected: {
      client: Array<ExpectedRecord>(FLOOD).fill(HALF_OPEN),
      router: Array<ExpectedRecord>(FLOOD).fill(all(HALF_OPEN, IN_THE_MIDDLE)),
      server: Array<ExpectedRecord>(FLOOD).fill(all(HALF_OPEN, { role: "server" })),
    },
  },
  {
    name: "flood of one port with other numbers each time",
    says:
      "The same tuple with another initial sequence number is another attempt: the join key has it.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const ghost = client.ghost(port + 1, server.ghostAddress, port);
      const silent = server.ghost(port, client.ghostAddress, port + 1);
      const syns = Array.from(
        { length: SYNS_PER_PORT },
        (_, index) => ({ sequence: index * 5000 }),
      );
      ghost.send(...syns);
      for (const _syn of syns) await silent.receive(TcpFlag.SYN);
    },
    expected: {
      client: Array<ExpectedRecord>(SYNS_PER_PORT).fill(THROWN_AWAY),
      router: Array<ExpectedRecord>(SYNS_PER_PORT).fill(NOTHING_CAME),
      server: Array<ExpectedRecord>(SYNS_PER_PORT).fill(THROWN_AWAY),
    },
  },
  {
    name: "SYN cookie because the queue is full",
    says:
      "Two half-open requests are too many for a queue of one: the next client gets a SYN cookie.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const listener = server.listen(port, { backlog: 1 });
      for (const ownPort of [port + 1, port + 2]) {
        const ghost = client.ghost(ownPort, server.address, port);
        ghost.send({ sequence: 1000, options: linuxSynOptions() });
        await ghost.receive(TcpFlag.SYN | TcpFlag.ACK);
      }
      await client.connect(server.address, port).connected();
      await listener.accept();
      await server.assertCookiesSent();
    },
    expected: {
      client: [
        HALF_OPEN,
        HALF_OPEN,
        all(ESTABLISHED, BOTH_ENDS, { rtt: { kernel_server_ns: undefined }, flags: present }),
      ],
      router: [HALF_OPEN, HALF_OPEN, all(ESTABLISHED, IN_THE_MIDDLE)],
      server: [
        HALF_OPEN,
        HALF_OPEN,
        all(ESTABLISHED, BOTH_ENDS, { rtt: { kernel_server_ns: undefined }, flags: present }),
      ],
    },
  },
  {
    name: "accept queue full",
    says:
      "Two connections wait for accept() where one may: the third's SYN is dropped until one is " +
      "accepted, and sent again.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const listener = server.listen(port, { backlog: 1 });
      await client.connect(server.address, port).connected();
      await client.connect(server.address, port).connected();
      const acceptable = async () =>
        (await server.namespace.run("ss", "-Hltn", "sport", `= :${port}`)).split(/\s+/)[1];
      await until("two connections wait", async () => await acceptable() === "2");
      const third = client.connect(server.address, port);
      await listener.accept();
      await third.connected();
    },
    expected: {
      client: [
        all(ESTABLISHED, BOTH_ENDS),
        all(ESTABLISHED, BOTH_ENDS),
        all(ESTABLISHED, BOTH_ENDS, {
          packets: { syn: 2 },
          rtt: { client_ns: QUICK, first_syn_to_syn_ack_ns: ONE_SECOND },
        }),
      ],
      router: [
        all(ESTABLISHED, IN_THE_MIDDLE),
        all(ESTABLISHED, IN_THE_MIDDLE),
        all(ESTABLISHED, IN_THE_MIDDLE, {
          packets: { syn: 2 },
          rtt: { client_ns: QUICK, first_syn_to_syn_ack_ns: ONE_SECOND },
        }),
      ],
      server: [
        all(ESTABLISHED, BOTH_ENDS),
        all(ESTABLISHED, BOTH_ENDS),
        all(ESTABLISHED, BOTH_ENDS, {
          packets: { syn: 2 },
          rtt: { client_ns: QUICK, first_syn_to_syn_ack_ns: ONE_SECOND },
        }),
      ],
    },
  },
  {
    name: "accept queue full when the ACK comes",
    says:
      "The request was taken, then the queue filled up: the server ignores the ACK and sends its " +
      "SYN-ACK again. The numbers of the three packets fit, so it is established.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const listener = server.listen(port, { backlog: 1 });
      const ghost = client.ghost(port + 1, server.address, port);
      ghost.send({ sequence: 1000, options: linuxSynOptions() });
      const first = await ghost.receive(TcpFlag.SYN | TcpFlag.ACK);
      await client.connect(server.address, port).connected();
      await client.connect(server.address, port).connected();
      const acknowledge = ({ sequence, timestamp }: typeof first) =>
        ghost.send({
          flags: TcpFlag.ACK,
          sequence: 1001,
          acknowledgment: sequence + 1,
          options: timestamps(2, timestamp),
        });
      acknowledge(first);
      const again = await ghost.receive(TcpFlag.SYN | TcpFlag.ACK);
      for (let time = 0; time < 2; time++) await listener.accept();
      acknowledge(again);
      await listener.accept();
    },
    expected: {
      client: [IGNORED_ONCE, all(ESTABLISHED, BOTH_ENDS), all(ESTABLISHED, BOTH_ENDS)],
      router: [
        all(IGNORED_ONCE, IN_THE_MIDDLE),
        all(ESTABLISHED, IN_THE_MIDDLE),
        all(ESTABLISHED, IN_THE_MIDDLE),
      ],
      // The server's kernel decides: by its word the handshake went on to the second SYN-ACK.
      server: [
        all(IGNORED_ONCE, { packets: { syn_ack: 2 } }),
        all(ESTABLISHED, BOTH_ENDS),
        all(ESTABLISHED, BOTH_ENDS),
      ],
    },
  },
  {
    name: "half open, then completed late",
    says:
      "A slow client acknowledges after the SYN-ACK was sent again: its echoed timestamp is the " +
      "second one's, so the RTT is known.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const listener = server.listen(port);
      const ghost = client.ghost(port + 1, server.address, port);
      ghost.send({ sequence: 1000, options: linuxSynOptions() });
      await ghost.receive(TcpFlag.SYN | TcpFlag.ACK);
      const again = await ghost.receive(TcpFlag.SYN | TcpFlag.ACK);
      ghost.send({
        flags: TcpFlag.ACK,
        sequence: 1001,
        acknowledgment: again.sequence + 1,
        options: timestamps(2, again.timestamp),
      });
      await listener.accept();
    },
    expected: {
      client: [
        all(ESTABLISHED, AT_SERVER, SYN_ACK_AGAIN),
      ],
      router: [
        all(ESTABLISHED, IN_THE_MIDDLE, SYN_ACK_AGAIN),
      ],
      server: [
        all(ESTABLISHED, AT_SERVER, SYN_ACK_AGAIN),
      ],
    },
  },
];
