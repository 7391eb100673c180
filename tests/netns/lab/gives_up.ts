/**
 * Handshakes that their client ends: it waited long enough, or no longer wants it.
 *
 * @module
 */
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { linuxSynOptions } from "../../unit/wire/build_frame.ts";
import { until } from "../namespace.ts";
import {
  all,
  AT_CLIENT,
  BOTH_ENDS,
  ESTABLISHED,
  IN_THE_MIDDLE,
  NO_ANSWER,
} from "./expectations.ts";
import { between, present, type Scenario } from "./scenario.ts";
import { TcpOption } from "./tcp_socket.ts";
import { ROUTED } from "./topology.ts";

const TIMEOUT = all(NO_ANSWER, {
  outcome: "timeout",
  reason: "ETIMEDOUT",
  client: { isn: present, process: { pid: Deno.pid } },
  flags: [],
});
const ABORTED = all(NO_ANSWER, {
  outcome: "aborted",
  reason: null,
  packets: { syn: 1, syn_ack: 0, rst: 0 },
  client: { isn: present, process: { pid: Deno.pid } },
  flags: [],
});
const UNANSWERED = all(NO_ANSWER, { outcome: "unanswered", flags: ["trace_ended"] });
const ABORTED_AFTER_SYN_ACK = all({
  outcome: "aborted",
  reason: null,
  packets: { syn: 1, syn_ack: 1, rst: 1 },
  rtt: { client_ns: present, server_ns: undefined, total_ns: undefined, ambiguous: false },
  checks: {
    syn_ack_acknowledges_syn: true,
    ack_sequence: undefined,
    ack_acknowledges_syn_ack: undefined,
  },
  flags: [],
});
const ESTABLISHED_WITHOUT_ACK = all(ABORTED_AFTER_SYN_ACK, {
  outcome: "established",
  packets: { rst: between(0, 1) },
});
const syns = (count: number) => ({ packets: { syn: count, syn_ack: 0, rst: 0 } });
const KERNEL_ONLY = { evidence: ["kernel"], packets: { syn: 0, syn_ack: 0, rst: 0 } } as const;

export const givesUp: readonly Scenario[] = [
  {
    name: "timeout after three SYNs",
    says: "The router drops everything: the client sends its SYN twice again, then gets ETIMEDOUT.",
    topology: ROUTED,
    traffic: async ({ client, router, server, port }) => {
      await router.block(port);
      const tcp = [[TcpOption.SYNCNT, 2]] as const;
      await client.connect(server.address, port, { tcp }).failed();
    },
    expected: {
      client: [all(TIMEOUT, AT_CLIENT, syns(3))],
      router: [all(UNANSWERED, IN_THE_MIDDLE, syns(3))],
      server: [all(TIMEOUT, KERNEL_ONLY)],
    },
  },
  {
    name: "timeout behind the server's firewall",
    says: "The server's firewall drops the SYNs, which a capture there still sees.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      server.listen(port);
      await server.block(port);
      const tcp = [[TcpOption.SYNCNT, 1]] as const;
      await client.connect(server.address, port, { tcp }).failed();
    },
    expected: {
      client: [all(TIMEOUT, AT_CLIENT, { role: present }, syns(2))],
      router: [all(UNANSWERED, IN_THE_MIDDLE, syns(2))],
      server: [all(TIMEOUT, BOTH_ENDS, syns(2))],
    },
  },
  {
    name: "timeout behind the client's firewall",
    says:
      "The client's own firewall drops the SYNs: no packet leaves, only the kernel tells of it.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      await client.block(port);
      const tcp = [[TcpOption.SYNCNT, 1]] as const;
      await client.connect(server.address, port, { tcp }).failed();
    },
    expected: {
      client: [all(TIMEOUT, KERNEL_ONLY)],
      router: [],
      server: [all(TIMEOUT, KERNEL_ONLY)],
    },
  },
  {
    name: "closed while its SYN is unanswered",
    says: "The program closes its socket before anything came back.",
    topology: ROUTED,
    traffic: async ({ client, router, server, port }) => {
      await router.block(port);
      client.connect(server.address, port).close();
    },
    expected: {
      client: [all(ABORTED, AT_CLIENT)],
      router: [all(UNANSWERED, IN_THE_MIDDLE, syns(1))],
      server: [all(ABORTED, KERNEL_ONLY)],
    },
  },
  {
    name: "reset while its SYN is unanswered",
    says: "The program closes its socket with SO_LINGER 0: nothing is there to reset, so no RST.",
    topology: ROUTED,
    traffic: async ({ client, router, server, port }) => {
      await router.block(port);
      client.connect(server.address, port).reset();
    },
    expected: {
      client: [all(ABORTED, AT_CLIENT)],
      router: [all(UNANSWERED, IN_THE_MIDDLE, syns(1))],
      server: [all(ABORTED, KERNEL_ONLY)],
    },
  },
  {
    name: "killed while its SYN is unanswered",
    says: "SIGKILL ends the program inside connect().",
    topology: ROUTED,
    traffic: async ({ client, router, server, port }) => {
      await router.block(port);
      const child = client.blockingConnect(server.address, port);
      await until(
        "the program waits in connect()",
        async () =>
          (await client.namespace.run("ss", "-Htn", "state", "syn-sent", "dport", `= :${port}`))
            .includes(server.address),
      );
      child.kill("SIGKILL");
      await child.status;
    },
    expected: {
      client: [
        all(ABORTED, AT_CLIENT, { client: { process: { pid: present, comm: "connect_load" } } }),
      ],
      router: [all(UNANSWERED, IN_THE_MIDDLE, syns(1))],
      server: [all(ABORTED, KERNEL_ONLY, { client: { process: { pid: present } } })],
    },
  },
  {
    name: "closed before the SYN-ACK",
    says: "The SYN-ACK finds the client's socket gone, so its kernel answers with a RST.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const ghost = server.ghost(port, client.address, port + 1);
      const socket = client.connect(server.ghostAddress, port, { ownPort: port + 1 });
      const { sequence } = await ghost.receive(TcpFlag.SYN);
      const answer = ghost.prepare({
        flags: TcpFlag.SYN | TcpFlag.ACK,
        sequence: 7000,
        acknowledgment: sequence + 1,
      });
      socket.close();
      answer();
      await ghost.receive(TcpFlag.RST);
    },
    expected: {
      // The socket's end and the SYN-ACK come within the time that a record waits for its sources.
      client: [all(ABORTED_AFTER_SYN_ACK, AT_CLIENT)],
      router: [all(ABORTED_AFTER_SYN_ACK, IN_THE_MIDDLE)],
      server: [all(ABORTED_AFTER_SYN_ACK, AT_CLIENT)],
    },
  },
  {
    name: "reset as soon as it is established",
    says: "SO_LINGER 0 right after connect(): the RST comes behind the ACK and changes nothing.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const listener = server.listen(port);
      const socket = client.connect(server.address, port);
      await socket.connected();
      socket.reset();
      await listener.accept();
    },
    expected: {
      client: [all(ESTABLISHED, BOTH_ENDS)],
      router: [all(ESTABLISHED, IN_THE_MIDDLE)],
      server: [all(ESTABLISHED, BOTH_ENDS)],
    },
  },
  {
    name: "reset when the ACK was lost",
    says:
      "The client's kernel was established, its ACK was lost and a RST follows: packets alone show " +
      "a client that gave up.",
    topology: ROUTED,
    traffic: async ({ client, server, port, reported }) => {
      await client.firewall("output", `tcp dport ${port} tcp flags & (syn|ack|rst) == ack drop`);
      server.listen(port);
      const socket = client.connect(server.address, port);
      await socket.connected();
      socket.reset();
      await reported(1);
    },
    expected: {
      client: [all(ESTABLISHED_WITHOUT_ACK, AT_CLIENT)],
      router: [all(ABORTED_AFTER_SYN_ACK, IN_THE_MIDDLE)],
      server: [all(ESTABLISHED_WITHOUT_ACK, BOTH_ENDS)],
    },
  },
  {
    name: "SYN scan of an open port",
    says:
      "SYN, SYN-ACK, RST: a scanner knows enough. The client gave up, and its RST is no round trip.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      server.listen(port);
      const ghost = client.ghost(port + 1, server.address, port);
      ghost.send({ sequence: 1000, options: linuxSynOptions() });
      await ghost.receive(TcpFlag.SYN | TcpFlag.ACK);
      ghost.send({ flags: TcpFlag.RST, sequence: 1001 });
      await until(
        "the server forgets the request",
        async () =>
          await server.namespace.run("ss", "-Htn", "state", "syn-recv", "sport", `= :${port}`) ===
            "",
      );
    },
    expected: {
      client: [all(ABORTED_AFTER_SYN_ACK)],
      router: [all(ABORTED_AFTER_SYN_ACK, IN_THE_MIDDLE)],
      server: [all(ABORTED_AFTER_SYN_ACK, { role: "server" })],
    },
  },
  {
    name: "SYN scan of a closed port",
    says: "SYN and RST: for the scanner the port is closed, for the record it refused.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const ghost = client.ghost(port + 1, server.address, port);
      ghost.send({ sequence: 1000 });
      await ghost.receive(TcpFlag.RST);
    },
    expected: {
      client: [all(NO_ANSWER, { outcome: "refused", packets: { syn: 1, rst: 1 } })],
      router: [all(NO_ANSWER, { outcome: "refused", packets: { syn: 1, rst: 1 } }, IN_THE_MIDDLE)],
      server: [
        all(NO_ANSWER, { outcome: "refused", packets: { syn: 1, rst: 1 }, role: "server" }),
      ],
    },
  },
];
