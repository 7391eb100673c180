/**
 * What surrounds the scenarios: how client, router and server are joined beyond the plain case, and
 * where a tracer looks.
 *
 * @module
 */
import { CLIENT_NETWORK, GATEWAY, ipv4, SERVER_NETWORK } from "./host.ts";
import type { Hosts } from "./lab.ts";

/** A tracer: where it runs, and flags beyond the filter for the lab's addresses. */
export interface View {
  host: keyof Hosts;
  args?: readonly string[];
}

/** A way to join client, router and server; each has its own lab and tracers. */
export interface Topology {
  name: string;
  /** Changes made to the plain lab before the tracers start. */
  prepare?(hosts: Hosts): Promise<void>;
  /** The tracers by the names that `expected` uses. */
  views: Readonly<Record<string, View>>;
}

/** Packets alone, as a capture beside the path has them. */
const WIRE_ONLY = ["--probes", "none"];

/** The usual views: both ends with their kernels, the middle with packets alone. */
const EVERYWHERE = {
  client: { host: "client" },
  router: { host: "router", args: WIRE_ONLY },
  server: { host: "server" },
} as const;

/** One tracer with kernel events, which are those of the whole machine, costs less than two. */
const CLIENT_AND_MIDDLE = { client: EVERYWHERE.client, router: EVERYWHERE.router } as const;

/** Client, router and server in a row; Multipath TCP may use a second address of the client. */
export const ROUTED: Topology = {
  name: "routed",
  prepare: async ({ client, server }) => {
    const second = ipv4(CLIENT_NETWORK, 2);
    await client.namespace.ip("address", "add", `${second}/24`, "dev", "veth0");
    await client.namespace.ip("mptcp", "endpoint", "add", second, "dev", "veth0", "subflow");
    for (const { namespace } of [client, server]) {
      await namespace.ip("mptcp", "limits", "set", "subflow", "2", "add_addr_accepted", "2");
    }
  },
  views: EVERYWHERE,
};

/** The server answers every SYN with a SYN cookie. */
export const COOKIES: Topology = {
  name: "SYN cookies forced",
  prepare: ({ server }) => server.sysctl("net.ipv4.tcp_syncookies", 2),
  views: CLIENT_AND_MIDDLE,
};

/** Chains that translate addresses: of what comes in, of what a host sends itself, of what leaves. */
const TRANSLATION = `table inet nat {
  chain before { type nat hook prerouting priority -100; }
  chain own { type nat hook output priority -100; }
  chain after { type nat hook postrouting priority 100; }
}`;

/** Another address of the client, which it may translate its own to. */
export const CLIENT_ALIAS = ipv4(CLIENT_NETWORK, 3);

/** All three can translate addresses; scenarios add the rules. */
export const NAT: Topology = {
  name: "address translation",
  prepare: async ({ client, router, server }) => {
    await client.namespace.ip("address", "add", `${CLIENT_ALIAS}/24`, "dev", "veth0");
    for (const host of [client, router, server]) await host.nft(TRANSLATION);
  },
  views: { ...EVERYWHERE, "server, packets alone": { host: "server", args: WIRE_ONLY } },
};

/** Another address of the server, in the client's network: reached through the bridge alone. */
export const BRIDGED_SERVER = ipv4(CLIENT_NETWORK, 77);

/** The router is a bridge that both cables are plugged into, and routes between the networks too. */
export const BRIDGED: Topology = {
  name: "bridge",
  prepare: async ({ router, server }) => {
    const { namespace } = router;
    await namespace.ip("link", "add", "br0", "type", "bridge");
    for (const [port, network] of [["veth0", CLIENT_NETWORK], ["veth1", SERVER_NETWORK]] as const) {
      await namespace.ip("address", "flush", "dev", port);
      await namespace.ip("link", "set", port, "master", "br0");
      await namespace.ip("address", "add", `${ipv4(network, GATEWAY)}/24`, "dev", "br0");
    }
    await namespace.ip("link", "set", "br0", "up");
    await server.namespace.ip("address", "add", `${BRIDGED_SERVER}/24`, "dev", "veth0");
  },
  views: { router: EVERYWHERE.router },
};

/** What the server sends comes by another cable than what it gets. */
export const ASYMMETRIC: Topology = {
  name: "asymmetric routes",
  prepare: async ({ client, server }) => {
    await server.namespace.connect(client.namespace, {
      here: `${ipv4(9, 2)}/24`,
      there: `${ipv4(9, 1)}/24`,
    });
    await server.namespace.ip("route", "add", client.address, "via", ipv4(9, 1));
  },
  views: {
    "client, outgoing": { host: "client", args: ["--interface", "veth0"] },
    "outgoing, packets alone": { host: "client", args: ["--interface", "veth0", ...WIRE_ONLY] },
    "incoming, packets alone": { host: "client", args: ["--interface", "veth1", ...WIRE_ONLY] },
  },
};
