import { formatAddress } from "../wire/address.ts";
import { TUNNEL_NAMES } from "../wire/tunnel.ts";
import { communityId } from "./community_id.ts";
import type { Field } from "./field.ts";

/** The fields of what lies below TCP. */
export const NETWORK_FIELDS: readonly Field[] = [
  {
    path: "network.type",
    type: "string",
    values: ["ipv4", "ipv6"],
    always: true,
    meaning: "IP version of the packets",
    since: 1,
    get: (handshake) => handshake.ipv4 ? "ipv4" : "ipv6",
  },
  {
    path: "network.interface",
    type: "string",
    meaning: "Interface whose packet times are given",
    since: 1,
    get: (handshake, context) => context.interfaceName(handshake.interfaceIndex),
  },
  {
    path: "network.interfaces",
    type: "strings",
    meaning:
      "Where it was seen on several: all interfaces that a SYN or SYN-ACK passed, first to last, at " +
      "most eight",
    since: 1,
    get: ({ interfaces }, context) => {
      if (interfaces.length < 2) return undefined;
      const names = interfaces.map((index) => context.interfaceName(index));
      return names.filter((name) => name !== undefined);
    },
  },
  {
    path: "network.vlan",
    type: "integer",
    meaning: "VLAN id of the outermost tag, where its packets carried one",
    since: 1,
    get: (handshake) => handshake.vlan,
  },
  {
    path: "network.tunnels",
    type: "strings",
    values: TUNNEL_NAMES,
    meaning:
      "What is around its packets, the outermost first: tunnels, tags other than VLAN, some links",
    since: 1,
    get: ({ tunnels }) => tunnels.length > 0 ? tunnels : undefined,
  },
  {
    path: "network.netns",
    type: "integer",
    meaning: "Inode number of the network namespace of the client's socket, else the server's, " +
      "else of the interface",
    since: 1,
    get: (handshake, context) => handshake.netns ?? context.netnsOf?.(handshake.interfaceIndex),
  },
  {
    path: "network.community_id",
    type: "string",
    meaning: "Community ID v1 flow hash, as in Zeek, Suricata and Wireshark",
    since: 1,
    get: ({ client, server, ipv4, wire }) =>
      // A connect() that failed at once had neither port nor number yet; a SYN may come from port 0.
      client.port === 0 && client.isn === undefined && !wire
        ? undefined
        : communityId(client.address, client.port, server.address, server.port, ipv4),
  },
  ...(["client", "server"] as const).flatMap(translatedFields),
];

function translatedFields(end: "client" | "server"): Field[] {
  return [
    {
      path: `network.translated.${end}.address`,
      type: "string",
      meaning: `IP address of the ${end} in the other tuple, where this host translates (NAT)`,
      since: 1,
      get: ({ translated }) => translated && formatAddress(translated[end].address),
    },
    {
      path: `network.translated.${end}.port`,
      type: "integer",
      meaning: `TCP port of the ${end} in the other tuple`,
      since: 1,
      get: ({ translated }) => translated?.[end].port,
    },
  ];
}
