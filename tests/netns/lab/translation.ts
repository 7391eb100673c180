/**
 * Address translation (NAT, RFC 3022): on the way, and on the client's or the server's own host.
 *
 * @module
 */
import { all, BOTH_ENDS, ESTABLISHED, IN_THE_MIDDLE, NO_ANSWER } from "./expectations.ts";
import { CLIENT_NETWORK, GATEWAY, ipv4, ipv6, SERVER_NETWORK } from "./host.ts";
import { type ExpectedRecord, type ExpectedRecords, present, type Scenario } from "./scenario.ts";
import { TcpOption } from "./tcp_socket.ts";
import { CLIENT_ALIAS, NAT } from "./topology.ts";

/** The ends and the router as each side knows them. */
const CLIENT = ipv4(CLIENT_NETWORK, 1);
const SERVER = ipv4(SERVER_NETWORK, 1);
const NEAR_ROUTER = ipv4(CLIENT_NETWORK, GATEWAY);
const FAR_ROUTER = ipv4(SERVER_NETWORK, GATEWAY);
/** Nobody's address, which is translated to the server's. */
const VIRTUAL = ipv4(8, 8);

interface End {
  address?: string;
  port?: number;
}
/** What is known of a tuple. */
interface Tuple {
  client: End;
  server: End;
}

/** Seen with one tuple, the other one told. */
const both = (seen: Tuple, translated: Tuple): ExpectedRecord => ({
  ...seen,
  network: { translated },
});
/** Seen with one tuple; nothing here tells of another. */
const alone = (seen: Tuple): ExpectedRecord => ({ ...seen, network: { translated: undefined } });

/** Both kernels' halves are known although no tuple is both's. */
const BOTH_KERNELS = all(ESTABLISHED, BOTH_ENDS, {
  client: { process: { pid: Deno.pid } },
  server: { process: { pid: Deno.pid } },
});
const THROUGH_ROUTER = all(ESTABLISHED, {
  evidence: ["wire"],
  network: { interfaces: ["veth0", "veth1"] },
});
const SERVER_ALONE = all(ESTABLISHED, { role: "server", evidence: ["wire"] });

/** The router translates: each side's packets have that side's tuple. */
function onTheWay(near: Tuple, far: Tuple): ExpectedRecords {
  return {
    client: [all(BOTH_KERNELS, both(near, far))],
    router: [all(THROUGH_ROUTER, both(near, far))],
    server: [all(BOTH_KERNELS, both(far, near))],
    "server, packets alone": [all(SERVER_ALONE, alone(far))],
  };
}

/** An end translates: packets have one tuple everywhere, its kernel's socket has another. */
function atAnEnd(packets: Tuple, socket: Tuple): ExpectedRecords {
  return {
    client: [all(BOTH_KERNELS, both(packets, socket))],
    router: [all(ESTABLISHED, IN_THE_MIDDLE, alone(packets))],
    server: [all(BOTH_KERNELS, both(packets, socket))],
    "server, packets alone": [all(SERVER_ALONE, alone(packets))],
  };
}

const REFUSED = all(NO_ANSWER, {
  outcome: "refused",
  packets: { syn: 1, syn_ack: 0, rst: 1 },
  client: { isn: present },
});
const REFUSED_BOTH_KNOW = all(REFUSED, { reason: "ECONNREFUSED", evidence: ["wire", "kernel"] });
const TIMEOUT = all(NO_ANSWER, { outcome: "timeout", reason: "ETIMEDOUT" });

export const translation: readonly Scenario[] = [
  {
    name: "source address translation",
    says: "Behind the router the client has the router's address: one record with both tuples, " +
      "where both were seen.",
    topology: NAT,
    traffic: async ({ client, router, server, port }) => {
      await router.nft(
        `add rule inet nat after ip daddr ${server.address} tcp dport ${port} masquerade`,
      );
      const listener = server.listen(port);
      await client.connect(server.address, port, { ownPort: port + 1 }).connected();
      await listener.accept();
    },
    expected: (port) =>
      onTheWay(
        { client: { address: CLIENT, port: port + 1 }, server: { address: SERVER, port } },
        { client: { address: FAR_ROUTER, port: port + 1 }, server: { address: SERVER, port } },
      ),
  },
  {
    name: "source address and port translation",
    says: "The same with another port: addresses and ports may change, sequence numbers do not.",
    topology: NAT,
    traffic: async ({ client, router, server, port }) => {
      await router.nft(
        `add rule inet nat after ip daddr ${server.address} tcp dport ${port} masquerade to :${
          port + 2
        }`,
      );
      const listener = server.listen(port);
      await client.connect(server.address, port, { ownPort: port + 1 }).connected();
      await listener.accept();
    },
    expected: (port) =>
      onTheWay(
        { client: { address: CLIENT, port: port + 1 }, server: { port } },
        { client: { address: FAR_ROUTER, port: port + 2 }, server: { port } },
      ),
  },
  {
    name: "source address translation over IPv6",
    says: "The same over IPv6.",
    topology: NAT,
    traffic: async ({ client, router, server, port }) => {
      await router.nft(
        `add rule inet nat after ip6 daddr ${server.address6} tcp dport ${port} masquerade`,
      );
      const listener = server.listen(port, { ipv6: true });
      await client.connect(server.address6, port).connected();
      await listener.accept();
    },
    expected: (port) =>
      onTheWay(
        { client: { address: ipv6(CLIENT_NETWORK, 1) }, server: { port } },
        { client: { address: ipv6(SERVER_NETWORK, GATEWAY) }, server: { port } },
      ),
  },
  {
    name: "destination address translation",
    says: "The client connects to the router, which hands it on to the server's port.",
    topology: NAT,
    traffic: async ({ client, router, server, port }) => {
      await router.nft(
        `add rule inet nat before ip daddr ${NEAR_ROUTER} tcp dport ${port} dnat ip to ${server.address}:${
          port + 1
        }`,
      );
      const listener = server.listen(port + 1);
      await client.connect(NEAR_ROUTER, port).connected();
      await listener.accept();
    },
    expected: (port) =>
      onTheWay(
        { client: { address: CLIENT }, server: { address: NEAR_ROUTER, port } },
        { client: { address: CLIENT }, server: { address: SERVER, port: port + 1 } },
      ),
  },
  {
    name: "source and destination address translation",
    says: "Both addresses change on the way; the initial sequence numbers do not.",
    topology: NAT,
    traffic: async ({ client, router, server, port }) => {
      await router.nft(
        `add rule inet nat before ip daddr ${NEAR_ROUTER} tcp dport ${port} dnat ip to ${server.address}:${
          port + 1
        }`,
      );
      await router.nft(
        `add rule inet nat after ip daddr ${server.address} tcp dport ${port + 1} masquerade`,
      );
      const listener = server.listen(port + 1);
      await client.connect(NEAR_ROUTER, port).connected();
      await listener.accept();
    },
    expected: (port) =>
      onTheWay(
        { client: { address: CLIENT }, server: { address: NEAR_ROUTER, port } },
        { client: { address: FAR_ROUTER }, server: { address: SERVER, port: port + 1 } },
      ),
  },
  {
    name: "refused behind an address translation",
    says: "The router hands the SYN on to a port where nobody listens, and the RST back.",
    topology: NAT,
    traffic: async ({ client, router, server, port }) => {
      await router.nft(
        `add rule inet nat before ip daddr ${NEAR_ROUTER} tcp dport ${port} dnat ip to ${server.address}:${
          port + 1
        }`,
      );
      await client.connect(NEAR_ROUTER, port).failed();
    },
    expected: (port) => {
      const near = { client: { address: CLIENT }, server: { address: NEAR_ROUTER, port } };
      const far = { client: { address: CLIENT }, server: { address: SERVER, port: port + 1 } };
      return {
        client: [all(REFUSED_BOTH_KNOW, near)],
        router: [
          all(REFUSED, { network: { interfaces: ["veth0", "veth1"] } }, both(near, far)),
        ],
        server: [all(REFUSED_BOTH_KNOW, far)],
        "server, packets alone": [all(REFUSED, alone(far))],
      };
    },
  },
  {
    name: "masquerade on the client's own host",
    says: "Packets leave with another address and port than the socket has, which the client's " +
      "kernel tells: still one record.",
    topology: NAT,
    traffic: async ({ client, server, port }) => {
      await client.nft(
        `add rule inet nat after ip daddr ${server.address} tcp dport ${port} snat ip to ${CLIENT_ALIAS}:${
          port + 2
        }`,
      );
      const listener = server.listen(port);
      await client.connect(server.address, port, { ownPort: port + 1 }).connected();
      await listener.accept();
    },
    expected: (port) =>
      atAnEnd(
        { client: { address: CLIENT_ALIAS, port: port + 2 }, server: { port } },
        { client: { address: CLIENT, port: port + 1 }, server: { port } },
      ),
  },
  {
    name: "timeout behind a masquerade",
    says: "The router drops the SYNs that a masquerade sent; the client's kernel says ETIMEDOUT.",
    topology: NAT,
    traffic: async ({ client, router, server, port }) => {
      await client.nft(
        `add rule inet nat after ip daddr ${server.address} tcp dport ${port} snat ip to ${CLIENT_ALIAS}:${
          port + 2
        }`,
      );
      await router.block(port);
      const tcp = [[TcpOption.SYNCNT, 1]] as const;
      await client.connect(server.address, port, { ownPort: port + 1, tcp }).failed();
    },
    expected: (port) => {
      const packets = { client: { address: CLIENT_ALIAS, port: port + 2 }, server: { port } };
      const socket = { client: { address: CLIENT, port: port + 1 }, server: { port } };
      const unseen = { evidence: ["kernel"], packets: { syn: 0 } } as const;
      return {
        client: [
          all(TIMEOUT, both(packets, socket), {
            role: "client",
            evidence: ["wire", "kernel"],
            packets: { syn: 2, syn_ack: 0 },
          }),
        ],
        router: [
          all(NO_ANSWER, alone(packets), { outcome: "unanswered", packets: { syn: 2 } }),
        ],
        // Of the drop on the router the kernel tells no more than addresses and one number.
        server: [
          all(TIMEOUT, alone(socket), unseen),
          all(NO_ANSWER, alone(packets), unseen, { outcome: "dropped", reason: "NETFILTER_DROP" }),
        ],
        "server, packets alone": [],
      };
    },
  },
  {
    name: "destination translated on the client's own host",
    says: "The socket connects to an address that nobody has; packets leave for the server's.",
    topology: NAT,
    traffic: async ({ client, server, port }) => {
      await client.nft(
        `add rule inet nat own ip daddr ${VIRTUAL} tcp dport ${port} dnat ip to ${server.address}:${
          port + 1
        }`,
      );
      const listener = server.listen(port + 1);
      await client.connect(VIRTUAL, port).connected();
      await listener.accept();
    },
    expected: (port) =>
      atAnEnd(
        { client: { address: CLIENT }, server: { address: SERVER, port: port + 1 } },
        { client: { address: CLIENT }, server: { address: VIRTUAL, port } },
      ),
  },
  {
    name: "redirect on the server's own host",
    says: "Packets come to one port, the listener has another, which the server's kernel tells.",
    topology: NAT,
    traffic: async ({ client, server, port }) => {
      await server.nft(`add rule inet nat before tcp dport ${port} redirect to :${port + 1}`);
      const listener = server.listen(port + 1);
      await client.connect(server.address, port).connected();
      await listener.accept();
    },
    expected: (port) =>
      atAnEnd(
        { client: { address: CLIENT }, server: { address: SERVER, port } },
        { client: { address: CLIENT }, server: { address: SERVER, port: port + 1 } },
      ),
  },
  {
    name: "refused behind a redirect",
    says: "Nobody listens where the server's host redirects to: one record, refused.",
    topology: NAT,
    traffic: async ({ client, server, port }) => {
      await server.nft(`add rule inet nat before tcp dport ${port} redirect to :${port + 1}`);
      await client.connect(server.address, port).failed();
    },
    expected: (port) => {
      const packets = { client: { address: CLIENT }, server: { address: SERVER, port } };
      return {
        client: [all(REFUSED_BOTH_KNOW, packets)],
        router: [all(REFUSED, IN_THE_MIDDLE, alone(packets))],
        server: [all(REFUSED_BOTH_KNOW, packets)],
        "server, packets alone": [all(REFUSED, alone(packets))],
      };
    },
  },
];
