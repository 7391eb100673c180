/**
 * Handshakes that somebody says no to: a RST, or a message of the network.
 *
 * @module
 */
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { linuxSynOptions } from "../../unit/wire/build_frame.ts";
import {
  all,
  AT_CLIENT,
  BOTH_ENDS,
  ESTABLISHED,
  IN_THE_MIDDLE,
  NO_ANSWER,
} from "./expectations.ts";
import { ipv4, ipv6, SERVER_NETWORK } from "./host.ts";
import { between, present, type Scenario } from "./scenario.ts";
import { ROUTED } from "./topology.ts";

const REFUSED = all(NO_ANSWER, {
  outcome: "refused",
  packets: { syn: 1, syn_ack: 0, rst: 1 },
  flags: [],
});
const BY_KERNEL = { reason: "ECONNREFUSED", client: { process: { pid: Deno.pid } } } as const;
const UNREACHABLE = all(NO_ANSWER, {
  outcome: "unreachable",
  // The first answer may find the socket busy sending, and routers answer so often a second only.
  packets: { syn: between(1, 4), syn_ack: 0, rst: 0 },
  client: { isn: present },
});
/** Of packets alone: what ICMP says. */
const byIcmp = (reason: string) => all(UNREACHABLE, IN_THE_MIDDLE, { reason, flags: [] });
/** Of the kernel alone, which tells of every namespace. */
const unreachableByKernel = (reason: string) =>
  all(UNREACHABLE, { reason, evidence: ["kernel"], packets: { syn: 0 } });
const SYN_AGAIN = {
  packets: { syn: 2, syn_ack: 1, rst: 0 },
  rtt: { first_syn_to_syn_ack_ns: present, last_syn_to_syn_ack_ns: present },
} as const;
/** Addresses of the server's network and of none. */
const NOBODY = 99;
const NOBODY_EITHER = 98;
const NO_NETWORK = 8;

/** A connect() that a router answers by ICMP, because of where it goes or by its firewall. */
function unreachable(
  { name, says, address, firewall, isBlocking = false, reason, icmp }: {
    name: string;
    says: string;
    /** Where it goes; the server's where absent. */
    address?: string;
    /** What the router's firewall does with it. */
    firewall?: string;
    /** Whether connect() waits for the answer, in a process of its own. */
    isBlocking?: boolean;
    reason: string;
    icmp: string;
  },
): Scenario {
  const by = isBlocking ? { client: { process: { comm: "connect_load" } } } : {};
  return {
    name,
    says,
    topology: ROUTED,
    traffic: async ({ client, router, server, port }) => {
      if (firewall) await router.firewall("forward", `tcp dport ${port} ${firewall}`);
      const to = address ?? server.address;
      if (isBlocking) await client.blockingConnect(to, port).status;
      else await client.connect(to, port).failed();
    },
    expected: {
      client: [all(UNREACHABLE, AT_CLIENT, { reason }, by)],
      router: [byIcmp(icmp)],
      server: [unreachableByKernel(reason)],
    },
  };
}

/** A RST in answer to the SYN that refuses nothing, and behind it the SYN-ACK. */
function withoutEffect(
  { name, says, flags, acknowledges }: {
    name: string;
    says: string;
    flags: number;
    /** What it acknowledges behind the client's number. */
    acknowledges: number;
  },
): Scenario {
  const answered = { server: { isn: 7000 } };
  return {
    name,
    says,
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const ghost = server.ghost(port, client.address, port + 1);
      const socket = client.connect(server.ghostAddress, port, { ownPort: port + 1 });
      const { sequence } = await ghost.receive(TcpFlag.SYN);
      ghost.send(
        { flags, sequence: 0, acknowledgment: sequence + acknowledges },
        { flags: TcpFlag.SYN | TcpFlag.ACK, sequence: 7000, acknowledgment: sequence + 1 },
      );
      await socket.connected();
      await ghost.receive(TcpFlag.ACK);
    },
    expected: {
      client: [all(ESTABLISHED, AT_CLIENT, answered)],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, answered)],
      server: [all(ESTABLISHED, AT_CLIENT, answered)],
    },
  };
}

export const refusedAndUnreachable: readonly Scenario[] = [
  {
    name: "refused over IPv4",
    says: "Nobody listens: the server's RST acknowledges the SYN, the client gets ECONNREFUSED.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      await client.connect(server.address, port).failed();
    },
    expected: {
      client: [all(REFUSED, AT_CLIENT, BY_KERNEL)],
      router: [all(REFUSED, IN_THE_MIDDLE)],
      server: [all(REFUSED, BOTH_ENDS, BY_KERNEL)],
    },
  },
  {
    name: "refused over IPv6",
    says: "The same over IPv6.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      await client.connect(server.address6, port).failed();
    },
    expected: {
      client: [all(REFUSED, AT_CLIENT, BY_KERNEL)],
      router: [all(REFUSED, IN_THE_MIDDLE)],
      server: [all(REFUSED, BOTH_ENDS, BY_KERNEL)],
    },
  },
  {
    name: "refused by the router's firewall",
    says: "A firewall on the way sends the RST in the server's name: the server sees no packet.",
    topology: ROUTED,
    traffic: async ({ client, router, server, port }) => {
      await router.firewall("forward", `tcp dport ${port} reject with tcp reset`);
      await client.connect(server.address, port).failed();
    },
    expected: {
      client: [all(REFUSED, AT_CLIENT, BY_KERNEL)],
      router: [all(REFUSED, IN_THE_MIDDLE)],
      server: [
        all(REFUSED, BY_KERNEL, { evidence: ["kernel"], packets: { syn: 0, rst: 0 } }),
      ],
    },
  },
  {
    name: "refused by the server's firewall",
    says: "The server's own firewall sends a RST although somebody listens.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      server.listen(port);
      await server.firewall("input", `tcp dport ${port} reject with tcp reset`);
      await client.connect(server.address, port).failed();
    },
    expected: {
      client: [all(REFUSED, AT_CLIENT, BY_KERNEL)],
      router: [all(REFUSED, IN_THE_MIDDLE)],
      server: [all(REFUSED, BOTH_ENDS, BY_KERNEL)],
    },
  },
  {
    name: "refused by the client's own firewall",
    says:
      "The SYN does not leave, the RST is made on the client's host: refused, and no SYN was seen.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      await client.firewall("output", `tcp dport ${port} reject with tcp reset`);
      await client.connect(server.address, port).failed();
    },
    expected: {
      client: [all(REFUSED, BY_KERNEL, { packets: { syn: 0, rst: between(0, 1) } })],
      router: [],
      server: [all(REFUSED, BY_KERNEL, { evidence: ["kernel"], packets: { syn: 0, rst: 0 } })],
    },
  },
  withoutEffect({
    name: "a RST with a wrong Ack",
    says:
      "A RST that does not acknowledge the SYN refuses nothing: the SYN-ACK behind it completes.",
    flags: TcpFlag.RST | TcpFlag.ACK,
    acknowledges: 2,
  }),
  withoutEffect({
    name: "a RST without an Ack",
    says: "In answer to a SYN a RST counts only with its ACK flag (RFC 9293 section 3.10.7.3).",
    flags: TcpFlag.RST,
    acknowledges: 1,
  }),
  {
    name: "a SYN-ACK with a wrong Ack",
    says:
      "A SYN-ACK outside the SYN's window completes nothing. The client's RST for it ends nothing " +
      "either: it sends its SYN again.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const ghost = server.ghost(port, client.address, port + 1);
      const socket = client.connect(server.ghostAddress, port, { ownPort: port + 1 });
      const { sequence } = await ghost.receive(TcpFlag.SYN);
      const answer = { flags: TcpFlag.SYN | TcpFlag.ACK, sequence: 7000 };
      ghost.send({ ...answer, acknowledgment: sequence + 2 });
      await ghost.receive(TcpFlag.RST);
      const again = await ghost.receive(TcpFlag.SYN);
      ghost.send({
        ...answer,
        acknowledgment: sequence + 1,
        options: linuxSynOptions({ timestampEcho: again.timestamp }),
      });
      await socket.connected();
      await ghost.receive(TcpFlag.ACK);
    },
    expected: {
      client: [all(ESTABLISHED, AT_CLIENT, SYN_AGAIN)],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, SYN_AGAIN)],
      server: [all(ESTABLISHED, AT_CLIENT, SYN_AGAIN)],
    },
  },
  unreachable({
    name: "host unreachable",
    says: "The router finds nobody with that address and says so by ICMP: EHOSTUNREACH.",
    address: ipv4(SERVER_NETWORK, NOBODY),
    reason: "EHOSTUNREACH",
    icmp: "ICMP_HOST_UNREACH",
  }),
  unreachable({
    name: "host unreachable for a blocking connect()",
    says: "connect() waits for the answer and returns EHOSTUNREACH.",
    address: ipv4(SERVER_NETWORK, NOBODY_EITHER),
    isBlocking: true,
    reason: "EHOSTUNREACH",
    icmp: "ICMP_HOST_UNREACH",
  }),
  unreachable({
    name: "network unreachable",
    says: "The router has no route and says so by ICMP: ENETUNREACH.",
    address: ipv4(NO_NETWORK, NOBODY),
    reason: "ENETUNREACH",
    icmp: "ICMP_NET_UNREACH",
  }),
  unreachable({
    name: "network unreachable over IPv6",
    says: "The same over IPv6, by ICMPv6.",
    address: ipv6(NO_NETWORK, NOBODY),
    reason: "ENETUNREACH",
    icmp: "ICMPV6_NOROUTE",
  }),
  unreachable({
    name: "network unreachable for a blocking connect()",
    says: "connect() waits for the answer and returns ENETUNREACH.",
    address: ipv4(NO_NETWORK, NOBODY),
    isBlocking: true,
    reason: "ENETUNREACH",
    icmp: "ICMP_NET_UNREACH",
  }),
  unreachable({
    name: "prohibited by the router's firewall",
    says: "A firewall that rejects by ICMP, administratively prohibited: EHOSTUNREACH.",
    firewall: "reject with icmp type admin-prohibited",
    reason: "EHOSTUNREACH",
    icmp: "ICMP_PKT_FILTERED",
  }),
  {
    name: "port unreachable by the server's firewall",
    says:
      "A firewall that rejects by ICMP, port unreachable: the client's errno is that of a RST, and " +
      "that there was none the count of packets says.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      await server.firewall("input", `tcp dport ${port} reject with icmp type port-unreachable`);
      await client.connect(server.address, port).failed();
    },
    expected: {
      client: [all(UNREACHABLE, AT_CLIENT, { reason: "ECONNREFUSED", outcome: "refused" })],
      router: [all(byIcmp("ICMP_PORT_UNREACH"), { outcome: "refused" })],
      server: [all(UNREACHABLE, BOTH_ENDS, { reason: "ECONNREFUSED", outcome: "refused" })],
    },
  },
  {
    name: "prohibited by the client's own firewall",
    says:
      "The message is made on the client's host, no packet leaves: only the kernel tells of it.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      await client.firewall("output", `tcp dport ${port} reject with icmp type admin-prohibited`);
      await client.connect(server.address, port).failed();
    },
    expected: {
      client: [unreachableByKernel("EHOSTUNREACH")],
      router: [],
      server: [unreachableByKernel("EHOSTUNREACH")],
    },
  },
];
