/**
 * Handshakes that succeed without anything in their way.
 *
 * @module
 */
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { linuxSynOptions } from "../../unit/wire/build_frame.ts";
import {
  all,
  AT_CLIENT,
  AT_SERVER,
  BOTH_ENDS,
  ESTABLISHED,
  IN_THE_MIDDLE,
} from "./expectations.ts";
import { present, type Scenario } from "./scenario.ts";
import { COOKIES, ROUTED } from "./topology.ts";

const PROCESSES = {
  client: { process: { pid: Deno.pid } },
  server: { process: { pid: Deno.pid } },
};
const IPV4 = { network: { type: "ipv4" } } as const;
const IPV6 = { network: { type: "ipv6" } } as const;
const LAST_NUMBER = 0xffffffff;

export const established: readonly Scenario[] = [
  {
    name: "established over IPv4",
    says: "SYN, SYN-ACK, ACK: one record, with both processes where the kernel tells of them.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const listener = server.listen(port);
      await client.connect(server.address, port).connected();
      await listener.accept();
    },
    expected: {
      client: [
        all(ESTABLISHED, BOTH_ENDS, PROCESSES, IPV4, {
          network: {
            interface: "veth0",
            interfaces: undefined,
            translated: undefined,
            netns: present,
            community_id: present,
          },
          times: { connect_ns: present, syn_ns: 0, established_ns: present },
        }),
      ],
      router: [
        all(ESTABLISHED, IN_THE_MIDDLE, IPV4, {
          network: { interface: "veth0", interfaces: ["veth0", "veth1"] },
        }),
      ],
      server: [all(ESTABLISHED, BOTH_ENDS, PROCESSES, IPV4)],
    },
  },
  {
    name: "established over IPv6",
    says: "The same over IPv6.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const listener = server.listen(port, { ipv6: true });
      await client.connect(server.address6, port).connected();
      await listener.accept();
    },
    expected: {
      client: [all(ESTABLISHED, BOTH_ENDS, PROCESSES, IPV6)],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, IPV6)],
      server: [all(ESTABLISHED, BOTH_ENDS, PROCESSES, IPV6)],
    },
  },
  {
    name: "established over IPv4 by IPv6 sockets",
    says: "A client writes ::ffff:a.b.c.d, a server listens on ::, the packets are IPv4: " +
      "the record says IPv4 and has both processes.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const listener = server.listen(port, { ipv6: true });
      const mapped = `::ffff:${server.address}`;
      await client.connect(mapped, port).connected();
      await listener.accept();
    },
    expected: {
      client: [all(ESTABLISHED, BOTH_ENDS, PROCESSES, IPV4)],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, IPV4)],
      server: [all(ESTABLISHED, BOTH_ENDS, PROCESSES, IPV4)],
    },
  },
  {
    name: "data in the third packet",
    says:
      "A client that has something to say at once puts it into the ACK, which completes all the same.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const listener = server.listen(port);
      const ghost = client.ghost(port + 1, server.address, port);
      ghost.send({ sequence: 1000, options: linuxSynOptions() });
      const { sequence } = await ghost.receive(TcpFlag.SYN | TcpFlag.ACK);
      ghost.send({
        flags: TcpFlag.ACK | TcpFlag.PSH,
        sequence: 1001,
        acknowledgment: sequence + 1,
        payload: new TextEncoder().encode("hello"),
      });
      await listener.accept();
    },
    expected: {
      client: [all(ESTABLISHED, AT_SERVER, { client: { isn: 1000, process: undefined } })],
      router: [all(ESTABLISHED, IN_THE_MIDDLE)],
      server: [all(ESTABLISHED, AT_SERVER, { client: { isn: 1000, process: undefined } })],
    },
  },
  {
    name: "the client's numbers wrap around",
    says: "The client's initial sequence number is 2^32 - 1, so the SYN-ACK acknowledges 0.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const listener = server.listen(port);
      const ghost = client.ghost(port + 1, server.address, port);
      ghost.send({ sequence: LAST_NUMBER });
      const { sequence } = await ghost.receive(TcpFlag.SYN | TcpFlag.ACK);
      ghost.send({ flags: TcpFlag.ACK, sequence: 0, acknowledgment: sequence + 1 });
      await listener.accept();
    },
    expected: {
      client: [all(ESTABLISHED, AT_SERVER, { client: { isn: LAST_NUMBER } })],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, { client: { isn: LAST_NUMBER } })],
      server: [all(ESTABLISHED, AT_SERVER, { client: { isn: LAST_NUMBER } })],
    },
  },
  {
    name: "the server's numbers wrap around",
    says: "The server's initial sequence number is 2^32 - 1, so the ACK acknowledges 0.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const ghost = server.ghost(port, client.address, port + 1);
      const socket = client.connect(server.ghostAddress, port, { ownPort: port + 1 });
      const { sequence } = await ghost.receive(TcpFlag.SYN);
      ghost.send({
        flags: TcpFlag.SYN | TcpFlag.ACK,
        sequence: LAST_NUMBER,
        acknowledgment: sequence + 1,
      });
      await socket.connected();
      await ghost.receive(TcpFlag.ACK);
    },
    expected: {
      client: [all(ESTABLISHED, AT_CLIENT, { server: { isn: LAST_NUMBER, process: undefined } })],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, { server: { isn: LAST_NUMBER } })],
      server: [all(ESTABLISHED, AT_CLIENT, { server: { isn: LAST_NUMBER } })],
    },
  },
  {
    name: "a SYN cookie for everyone",
    says:
      "The server keeps no state before the ACK; its RTT sample is then no measurement and absent.",
    topology: COOKIES,
    traffic: async ({ client, server, port }) => {
      const listener = server.listen(port);
      await client.connect(server.address, port).connected();
      await listener.accept();
      await server.assertCookiesSent();
    },
    expected: {
      client: [
        all(ESTABLISHED, BOTH_ENDS, PROCESSES, {
          rtt: { kernel_client_ns: present, kernel_server_ns: undefined },
          flags: present,
        }),
      ],
      router: [all(ESTABLISHED, IN_THE_MIDDLE)],
    },
  },
];
