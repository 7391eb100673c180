/**
 * One pair of addresses and ports, several attempts.
 *
 * @module
 */
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { linuxSynOptions } from "../../unit/wire/build_frame.ts";
import { until } from "../namespace.ts";
import {
  all,
  AT_SERVER,
  BOTH_ENDS,
  ESTABLISHED,
  IN_THE_MIDDLE,
  NO_ANSWER,
} from "./expectations.ts";
import { present, type Scenario } from "./scenario.ts";
import { ROUTED } from "./topology.ts";

const SYN_ACK = TcpFlag.SYN | TcpFlag.ACK;
const REFUSED = all(NO_ANSWER, {
  outcome: "refused",
  packets: { syn: 1, syn_ack: 0, rst: 1 },
  client: { isn: present },
});

/** The same SYN twice: nobody listens for the first one. */
function refusedThenTaken(
  { name, says, isReported }: {
    name: string;
    says: string;
    /** Whether the first attempt is reported before the second begins. */
    isReported: boolean;
  },
): Scenario {
  return {
    name,
    says,
    topology: ROUTED,
    traffic: async ({ client, server, port, reported }) => {
      const ghost = client.ghost(port + 1, server.address, port);
      const syn = { sequence: 1000, options: linuxSynOptions() };
      ghost.send(syn);
      await ghost.receive(TcpFlag.RST);
      if (isReported) await reported(1);
      const listener = server.listen(port);
      ghost.send(syn);
      const { sequence } = await ghost.receive(SYN_ACK);
      ghost.send({ flags: TcpFlag.ACK, sequence: 1001, acknowledgment: sequence + 1 });
      await listener.accept();
    },
    expected: {
      client: [REFUSED, all(ESTABLISHED, AT_SERVER)],
      router: [all(REFUSED, IN_THE_MIDDLE), all(ESTABLISHED, IN_THE_MIDDLE)],
      server: [REFUSED, all(ESTABLISHED, AT_SERVER)],
    },
  };
}

export const reuse: readonly Scenario[] = [
  {
    name: "a port reused within TIME_WAIT",
    says:
      "The server closed first and waits in TIME_WAIT, the client connects again from the same " +
      "port: two handshakes, told apart by their numbers.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const listener = server.listen(port);
      for (let time = 0; time < 2; time++) {
        const socket = client.connect(server.address, port, { ownPort: port + 1 });
        await socket.connected();
        const accepted = await listener.accept();
        accepted.close();
        await socket.readable();
        socket.close();
        await until(
          "the server's end is in TIME_WAIT",
          async () =>
            await server.namespace.run(
              "ss",
              "-Htn",
              "state",
              "time-wait",
              "sport",
              `= :${port}`,
            ) !==
              "",
        );
      }
    },
    expected: (port) => ({
      client: Array(2).fill(all(ESTABLISHED, BOTH_ENDS, { client: { port: port + 1 } })),
      router: Array(2).fill(all(ESTABLISHED, IN_THE_MIDDLE, { client: { port: port + 1 } })),
      server: Array(2).fill(all(ESTABLISHED, BOTH_ENDS, { client: { port: port + 1 } })),
    }),
  },
  {
    name: "a port reused after a refusal",
    says: "Refused at first, then somebody listens: two attempts, two records.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      await client.connect(server.address, port, { ownPort: port + 1 }).failed();
      const listener = server.listen(port);
      await client.connect(server.address, port, { ownPort: port + 1 }).connected();
      await listener.accept();
    },
    expected: {
      client: [all(REFUSED, { reason: "ECONNREFUSED" }), all(ESTABLISHED, BOTH_ENDS)],
      router: [all(REFUSED, IN_THE_MIDDLE), all(ESTABLISHED, IN_THE_MIDDLE)],
      server: [all(REFUSED, { reason: "ECONNREFUSED" }), all(ESTABLISHED, BOTH_ENDS)],
    },
  },
  refusedThenTaken({
    name: "the same SYN again at once after a RST",
    says: "Windows sends the very SYN again that was refused. The RST ended an attempt; when the " +
      "next one succeeds, it must not be lost.",
    isReported: false,
  }),
  refusedThenTaken({
    name: "the same SYN again later after a RST",
    says: "The same half a second later, as Windows waits: the first record is out by then.",
    isReported: true,
  }),
  {
    name: "refused three times with the same SYN",
    says: "What Windows does when nobody listens: each SYN is refused.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const ghost = client.ghost(port + 1, server.address, port);
      for (let time = 0; time < 3; time++) {
        ghost.send({ sequence: 1000, options: linuxSynOptions() });
        await ghost.receive(TcpFlag.RST);
      }
    },
    expected: {
      client: [REFUSED, REFUSED, REFUSED],
      router: [REFUSED, REFUSED, REFUSED],
      server: [REFUSED, REFUSED, REFUSED],
    },
  },
  {
    name: "another number before the first was answered",
    says:
      "A client that forgot its first SYN tries again from the same port: the SYN-ACK's Ack tells " +
      "which attempt succeeded.",
    topology: ROUTED,
    traffic: async ({ client, router, server, port }) => {
      const listener = server.listen(port);
      const ghost = client.ghost(port + 1, server.address, port);
      await router.block(port);
      ghost.send({ sequence: 1000, options: linuxSynOptions() });
      await router.unblock(port);
      ghost.send({ sequence: 500_000, options: linuxSynOptions() });
      const { sequence } = await ghost.receive(SYN_ACK);
      ghost.send({ flags: TcpFlag.ACK, sequence: 500_001, acknowledgment: sequence + 1 });
      await listener.accept();
    },
    expected: {
      client: [
        all(NO_ANSWER, {
          outcome: "dropped",
          reason: "NETFILTER_DROP",
          client: { isn: 1000 },
          packets: { syn: 1 },
        }),
        all(ESTABLISHED, AT_SERVER, { client: { isn: 500_000 } }),
      ],
      router: [
        all(NO_ANSWER, { outcome: "unanswered", client: { isn: 1000 } }),
        all(ESTABLISHED, IN_THE_MIDDLE, { client: { isn: 500_000 } }),
      ],
      server: [
        all(NO_ANSWER, {
          outcome: "dropped",
          reason: "NETFILTER_DROP",
          evidence: ["kernel"],
          client: { isn: 1000 },
          packets: { syn: 0 },
        }),
        all(ESTABLISHED, AT_SERVER, { client: { isn: 500_000 } }),
      ],
    },
  },
];
